"""How settings are read from the environment: every variable has the prefix PORTAL_.

What makes no sense stops the start with a sentence that names the variable.
"""

from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()
env.prefix = "PORTAL_"


def secret(name: str, default: str | None = None) -> str:
    """Read a secret from PORTAL_<name> or the file PORTAL_<name>_FILE names; surrounding white space is dropped.

    Raises ImproperlyConfigured when neither is set and there is no default, or the file cannot be read.
    """
    try:
        value: str | None = env.str(name, default=default)
    except OSError as error:
        raise ImproperlyConfigured(f"PORTAL_{name}_FILE cannot be read: {error.strerror}") from error
    if value is None:
        raise ImproperlyConfigured(f"Set PORTAL_{name}, or PORTAL_{name}_FILE to the path of a file that holds it.")
    return value.strip()


def number(name: str, default: int, *, least: int, most: int) -> int:
    """Read a whole number and refuse to start when it is outside least…most."""
    value: int = env.int(name, default=default)
    if not least <= value <= most:
        raise ImproperlyConfigured(f"PORTAL_{name} must be between {least} and {most}, not {value}.")
    return value


def one_of(name: str, default: str, *choices: str) -> str:
    """Read a word and refuse to start when it is none of the choices."""
    value: str = env.str(name, default=default)
    if value not in choices:
        raise ImproperlyConfigured(f"PORTAL_{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def url(name: str, default: str) -> str:
    """Read an http(s) address without a trailing slash and refuse to start when it is none."""
    value: str = env.str(name, default=default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ImproperlyConfigured(f"PORTAL_{name} must be an address like https://host.example, not {value!r}.")
    return value
