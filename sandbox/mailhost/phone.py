"""The staff member's phone: the code an authenticator app would show (RFC 6238)."""

import base64
import hmac
import struct

STEP = 30


def code(secret: str, at: float) -> str:
    """The six digits for the base32 secret at a Unix time: SHA-1, steps of 30 seconds, as allauth expects.

    Raises ValueError for a secret that is no base32.
    """
    secret = "".join(secret.split()).upper()
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(at) // STEP), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFF_FFFF
    return f"{number % 1_000_000:06}"


def seconds_left(at: float) -> int:
    """How long the code of that time stays the same, in seconds, 1 to 30."""
    return STEP - int(at) % STEP
