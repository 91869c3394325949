"""Encryption at rest and keyed fingerprints, all under one key ring.

A key ring is a list of (key id, 32 raw bytes). The first key encrypts, every key decrypts, so a key is
exchanged by putting a new one on top, re-sealing, and taking the old one away. For each purpose an own key is
derived (HKDF-SHA256, RFC 5869): a value sealed for one purpose is noise for every other.

Stored forms, both readable only with the ring:

    sealed: length of the key id (1 byte), key id, nonce (12 bytes), AES-256-GCM ciphertext with its tag
    mac:    length of the key id (1 byte), key id, HMAC-SHA-256 (32 bytes)
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


class Purpose(StrEnum):
    """What a sealed value or fingerprint is for. The text is part of the derived key: never rename one."""

    PENDING_HASH = "pending_hash"
    LEGACY_HASH = "legacy_hash"
    FIRST_LOGIN = "first_login"
    SOURCE_LOGIN = "source_login"
    BOUNCE = "bounce"
    PHONE_CODE = "phone_code"
    STAGING = "staging"
    ADDRESS_BUCKET = "address_bucket"
    TOTP = "totp"
    REVIEW = "review"
    API_TOKEN = "api_token"  # noqa: S105 - the name of a purpose
    AUDIT = "audit"


class SecretsError(Exception):
    """A stored secret cannot be read. The message never carries key material or clear text."""


class SealBroken(SecretsError):
    """The sealed value was changed, cut, or belongs to another row or purpose."""


class UnknownKey(SecretsError):
    """The value names a key id that is not on the ring, usually because a key was taken away too early."""


def seal(purpose: Purpose, row: str | int, clear: bytes) -> bytes:
    """Encrypt `clear` with the first key and bind it to the purpose and the row.

    `row` is whatever names the row for good, such as a primary key or "17|3" for the third version of row 17.
    Sealing the same bytes twice gives two different results.
    """
    key_id, key = _ring()[0]
    nonce = os.urandom(NONCE_BYTES)
    return _named(key_id, nonce + _cipher(key, purpose).encrypt(nonce, clear, _bound_to(purpose, row)))


def unseal(purpose: Purpose, row: str | int, sealed: bytes | memoryview) -> bytes:
    """Return what was sealed for this purpose and row.

    Raises SealBroken when it was tampered with or belongs elsewhere, UnknownKey when its key is not on the
    ring.
    """
    key_id, rest = _take_apart(sealed)
    key = _key(key_id)
    try:
        return _cipher(key, purpose).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bound_to(purpose, row))
    except (InvalidTag, ValueError):
        raise SealBroken("This sealed value was changed or belongs to another row or purpose.") from None


def mac(purpose: Purpose, message: bytes) -> bytes:
    """Fingerprint `message` under the first key (HMAC-SHA-256). Without the ring it cannot be guessed at."""
    key_id, key = _ring()[0]
    return _named(key_id, _digest(key, purpose, message))


def mac_matches(purpose: Purpose, message: bytes, stored: bytes | memoryview) -> bool:
    """Whether `stored` is the fingerprint of `message`, compared in constant time under the key it names.

    No other key is tried. A cut value and a key that is no longer on the ring simply do not match: who signs
    in must not be able to tell these cases apart.
    """
    try:
        key_id, rest = _take_apart(stored)
        key = _key(key_id)
    except SecretsError:
        return False
    return hmac.compare_digest(rest, _digest(key, purpose, message))


def macs(purpose: Purpose, message: bytes) -> Iterator[bytes]:
    """The fingerprint of `message` under each key of the ring, for values that have no room to name one."""
    for key_id, key in _ring():
        yield _named(key_id, _digest(key, purpose, message))


def key_id_of(stored: bytes | memoryview) -> str:
    """The id of the key a sealed value or fingerprint was made with. Raises SealBroken when there is none."""
    return _take_apart(stored)[0]


def knows_key(key_id: str) -> bool:
    """Whether this key is on the ring."""
    return any(known == key_id for known, _key in _ring())


def current_key_id() -> str:
    """The id of the key that encrypts now; whatever names another one is due for re-sealing."""
    return _ring()[0][0]


def parse_key_ring(text: str) -> list[tuple[str, bytes]]:
    """Read a key ring: one `id:base64` per line (or separated by commas), the encrypting key first.

    Blank lines and lines beginning with # are ignored. Raises ImproperlyConfigured naming the line and never
    the key.
    """
    ring: list[tuple[str, bytes]] = []
    lines = [
        (number, line) for number, line in enumerate(text.splitlines(), start=1) if not line.lstrip().startswith("#")
    ]
    for number, entry in [
        (number, entry.strip()) for number, line in lines for entry in line.split(",") if entry.strip()
    ]:
        key_id, colon, encoded = entry.partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise ImproperlyConfigured(
                f"PORTAL_KEY_RING, line {number}: write id:key, the id being 1 to 16 letters, digits, - or _."
            )
        if key_id in dict(ring):
            raise ImproperlyConfigured(f"PORTAL_KEY_RING, line {number}: the id {key_id} is there twice.")
        ring.append((key_id, _decoded_key(encoded, number)))
    if not ring:
        raise ImproperlyConfigured("PORTAL_KEY_RING is empty. Write at least one id:key, the key in base64.")
    return ring


def new_key_line(key_id: str) -> str:
    """A fresh random key as a line for the key ring. Raises ValueError for an id nobody could read back."""
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("A key id is 1 to 16 letters, digits, - or _.")
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode('ascii')}"


def _decoded_key(encoded: str, number: int) -> bytes:
    try:
        key = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise ImproperlyConfigured(f"PORTAL_KEY_RING, line {number}: the key is not valid base64.") from None
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(
            f"PORTAL_KEY_RING, line {number}: the key has {len(key)} bytes instead of {KEY_BYTES}."
        )
    return key


def _ring() -> list[tuple[str, bytes]]:
    ring: list[tuple[str, bytes]] = settings.KEY_RING
    return ring


def _key(key_id: str) -> bytes:
    for known, key in _ring():
        if known == key_id:
            return key
    raise UnknownKey(f"The key {key_id} is not on the key ring.")


def _named(key_id: str, rest: bytes) -> bytes:
    name = key_id.encode("ascii")
    return bytes([len(name)]) + name + rest


def _take_apart(stored: bytes | memoryview) -> tuple[str, bytes]:
    data = bytes(stored)
    name, rest = data[1 : 1 + data[0]] if data else b"", data[1 + data[0] :] if data else b""
    key_id = name.decode("ascii", errors="replace")
    if not rest or not _KEY_ID.fullmatch(key_id):
        raise SealBroken("This value is cut or was not made by this portal.")
    return key_id, rest


def _bound_to(purpose: Purpose, row: str | int) -> bytes:
    return f"{Purpose(purpose)}|{row}".encode()


def _digest(key: bytes, purpose: Purpose, message: bytes) -> bytes:
    return hmac.digest(_derived(key, f"{Purpose(purpose)}|mac"), message, hashlib.sha256)


def _cipher(key: bytes, purpose: Purpose) -> AESGCM:
    return AESGCM(_derived(key, f"{Purpose(purpose)}|seal"))


@lru_cache(maxsize=64)
def _derived(key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"umzug|{info}".encode()).derive(key)
