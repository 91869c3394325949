"""Django's Argon2 hasher with the portal's parameters."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class PortalsArgon2(Argon2PasswordHasher):
    """Argon2id with the portal's parameters, so that both sides pay the same for a hash."""

    memory_cost = 19_456
    time_cost = 2
    parallelism = 1
