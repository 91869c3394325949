"""Dovecot's password schemes: name a stored hash, verify a password against it, make a new one.

A stored hash is `{SCHEME}payload`, `{SCHEME.HEX}payload` or `{SCHEME.B64}payload` in either case, or a bare
crypt string (https://doc.dovecot.org/2.3/configuration_manual/authentication/password_schemes/).

"The password is wrong" is an answer; "this cannot be told" is an exception, and says which of three it is. No
message carries any part of a hash. Whoever supplies hashes also chooses what they cost to verify, so every
cost is capped before anything is computed.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable

import argon2

from migration.crypt_strings import (
    Check,
    MalformedHash,
    SchemeError,
    TooCostly,
    UnsupportedScheme,
    is_des,
    method_of,
    read_argon2,
    read_crypt,
)

# Besides what is defined here: the errors of both modules are met at this front door.
__all__ = ["MalformedHash", "SchemeError", "TooCostly", "UnsupportedScheme"]

MAX_STORED = 1024
MAX_PASSWORD_BYTES = 1024
MAX_PBKDF2_ROUNDS = 1_000_000

# Takes a payload (as text, and as bytes when it was .HEX or .B64), returns what checks passwords against it.
Reader = Callable[[str, bytes | None], Check]

# Old servers' digests must still be read where the machine's policy bans MD5 and SHA-1 for new ones.
_digest_of = functools.partial(hashlib.new, usedforsecurity=False)

_LABEL = re.compile(r"\{([A-Z0-9-]{1,24})(?:\.(HEX|B64))?\}", re.IGNORECASE | re.ASCII)
_SAME_AS = {"SHA": "SHA1", "CLEAR": "PLAIN", "CLEARTEXT": "PLAIN"}
_CRYPT_LABELS = {"CRYPT", "DES-CRYPT", "MD5", "MD5-CRYPT", "BLF-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT"}
_ARGON2_LABELS = {"ARGON2I", "ARGON2ID"}
_CLEAR_TEXT = {"PLAIN", "PLAIN-TRUNC"}
# Known by name, so that a report can say what they are, but not verifiable here.
_UNSUPPORTED = {"CRAM-MD5", "DIGEST-MD5", "HMAC-MD5", "LANMAN", "NTLM", "OTP", "PLAIN-MD4", "PLAIN-TRUNC"}
_STRONG = {"SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "ARGON2I", "ARGON2ID"}
_UNKNOWN_METHOD = re.compile(r"\$[0-9A-Za-z-]{1,16}[$,]")
_PBKDF2 = re.compile(r"\$1\$([^$]+)\$([1-9][0-9]{0,17})\$([0-9a-f]{40})")


def identify(stored: str) -> str | None:
    """The scheme's name as Dovecot writes it, upper case, or None when there is none we know.

    `{CRYPT}$6$…` and a bare `$6$…` are both "SHA512-CRYPT". The rest may still be malformed.
    """
    label, encoding, payload = _split(stored)
    if label is None:
        return method_of(payload)
    if label in _CRYPT_LABELS | _ARGON2_LABELS:
        try:
            text = _decoded(payload, encoding).decode("latin-1") if encoding else payload
        except MalformedHash:
            return label
        if label in ("CRYPT", "DES-CRYPT") and is_des(text):
            return "DES-CRYPT"
        return method_of(text) or label
    return label if label in _READERS or label in _UNSUPPORTED else None


def verify(stored: str, password: str) -> bool:
    """Whether `password` is the one behind `stored`; compared in constant time.

    The password is tried as given and in Unicode's composed form (NFC). False for what no mail program can
    send (NUL, lone surrogates, more than 1 KiB) and for more than 72 bytes under bcrypt, which ignores the
    rest. DES-CRYPT looks at 8 characters only: see truncates(). Raises UnsupportedScheme, MalformedHash or
    TooCostly.
    """
    check = _read(stored)
    try:
        typed, composed = password.encode(), unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return False
    if b"\0" in typed or max(len(typed), len(composed)) > MAX_PASSWORD_BYTES:
        return False
    return check(typed) or (composed != typed and check(composed))


def check_cost(stored: str) -> None:
    """Refuse at import what verify() would refuse later, without computing anything.

    Raises UnsupportedScheme, MalformedHash or TooCostly.
    """
    _read(stored)


def truncates(stored: str) -> bool:
    """Whether the scheme looks at a part of the password only, so that a match proves little."""
    return identify(stored) in ("DES-CRYPT", "PLAIN-TRUNC")


def is_clear_text(stored: str) -> bool:
    """Whether `stored` is, or may be, the password itself: a clear-text scheme or no hash at all."""
    label, _, payload = _split(stored)
    if label is not None:
        return label in _CLEAR_TEXT
    return bool(payload) and identify(stored) is None and not _UNKNOWN_METHOD.match(payload)


def make_hash(password: str, *, memory_kib: int = 19456, time_cost: int = 2, parallelism: int = 1) -> str:
    """A fresh `{ARGON2ID}$argon2id$v=19$…` of the password in composed form (NFC), some 110 characters long.

    The defaults are OWASP's minimum, for mailcow verifies the hash again and again at mail logins.
    Raises ValueError for a text that cannot be UTF-8.
    """
    hasher = argon2.PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
    return "{ARGON2ID}" + hasher.hash(unicodedata.normalize("NFC", password).encode())


def accepted_by_mailcow(stored: str) -> bool:
    """Whether mailcow takes this very text as a strong hash and lets its owner in, by web and by IMAP.

    Observed: the label must stand at the very beginning, without .HEX or .B64; 255 characters at most; argon2
    and yescrypt under `{CRYPT}` fail on one of the two ways in, and a bare crypt string is taken for a
    password.
    """
    label, encoding, _ = _split(stored)
    scheme = identify(stored)
    if encoding or len(stored) > 255 or scheme not in _STRONG:
        return False
    if label != scheme and (label != "CRYPT" or scheme in _ARGON2_LABELS):
        return False
    try:
        check_cost(stored)
    except SchemeError:
        return False
    return True


def _split(stored: str) -> tuple[str | None, str, str]:
    """Label (None when there is none), encoding ("", "HEX" or "B64") and payload."""
    match = _LABEL.match(stored)
    if not match:
        return None, "", stored
    label = match[1].upper()
    return _SAME_AS.get(label, label), (match[2] or "").upper(), stored[match.end() :]


def _decoded(text: str, encoding: str) -> bytes:
    try:
        data = text.encode("ascii")
        return binascii.unhexlify(data) if encoding == "HEX" else base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedHash("The hash is not valid hex or base64.") from None


def _read(stored: str) -> Check:
    """Take a stored hash apart, refuse it or return the function that checks a password against it."""
    if len(stored) > MAX_STORED:
        raise MalformedHash("The hash is too long.")
    _, encoding, payload = _split(stored)
    reader = _READERS.get(identify(stored) or "")
    if reader is None:
        raise UnsupportedScheme("Passwords of this scheme cannot be checked.")
    raw = _decoded(payload, encoding) if encoding else None
    return reader(payload if raw is None else raw.decode("latin-1"), raw)


def _of_text(read: Callable[[str], Check]) -> Reader:
    """A reader that wants the payload as text only, even when it came as .HEX or .B64."""
    return lambda text, _raw: read(text)


def _digest(name: str, *, salted: bool = False) -> Reader:
    size = _digest_of(name).digest_size

    def read(text: str, raw: bytes | None) -> Check:
        if raw is None:
            raw = _decoded(text, "HEX" if not salted and len(text) == 2 * size else "B64")
        if len(raw) <= size if salted else len(raw) != size:
            raise MalformedHash("The hash has the wrong length.")
        wanted, salt = raw[:size], raw[size:]
        return lambda typed: hmac.compare_digest(_digest_of(name, typed + salt).digest(), wanted)

    return read


def _plain(text: str, raw: bytes | None) -> Check:
    wanted = text.encode("utf-8", "surrogatepass") if raw is None else raw
    return lambda password: hmac.compare_digest(password, wanted)


def _pbkdf2(text: str) -> Check:
    """Dovecot's own layout, `$1$salt$rounds$hex`, with SHA-1 (src/auth/password-scheme-pbkdf2.c)."""
    match = _PBKDF2.fullmatch(text)
    if not match or not text.isascii():
        raise MalformedHash("This is no PBKDF2 hash.")
    salt, rounds, wanted = match[1].encode(), int(match[2]), bytes.fromhex(match[3])
    if rounds > MAX_PBKDF2_ROUNDS:
        raise TooCostly("The hash has too many rounds.")
    return lambda password: hmac.compare_digest(hashlib.pbkdf2_hmac("sha1", password, salt, rounds), wanted)


def _scram(name: str) -> Reader:
    """`rounds,salt,stored key,server key` of RFC 5802, the last three in base64."""

    def read(text: str) -> Check:
        parts = text.split(",")
        if len(parts) != 4 or not re.fullmatch("[1-9][0-9]{0,17}", parts[0]):
            raise MalformedHash("This is no SCRAM hash.")
        rounds, (salt, wanted, _) = int(parts[0]), [_decoded(part, "B64") for part in parts[1:]]
        if len(wanted) != hashlib.new(name).digest_size:
            raise MalformedHash("The hash has the wrong length.")
        if rounds > MAX_PBKDF2_ROUNDS:
            raise TooCostly("The hash has too many rounds.")

        def check(password: bytes) -> bool:
            client_key = hmac.digest(hashlib.pbkdf2_hmac(name, password, salt, rounds), b"Client Key", name)
            return hmac.compare_digest(hashlib.new(name, client_key).digest(), wanted)

        return check

    return _of_text(read)


_READERS: dict[str, Reader] = {
    **dict.fromkeys(_CRYPT_LABELS - {"MD5"}, _of_text(read_crypt)),
    **dict.fromkeys(_ARGON2_LABELS, _of_text(read_argon2)),
    # {MD5} with $1$ behind it is MD5-CRYPT to identify(); the rest is a plain digest, as in Dovecot.
    **dict.fromkeys(["MD5", "PLAIN-MD5", "LDAP-MD5"], _digest("md5")),
    "PLAIN": _plain,
    "PBKDF2": _of_text(_pbkdf2),
    "SHA1": _digest("sha1"),
    "SHA256": _digest("sha256"),
    "SHA512": _digest("sha512"),
    "SMD5": _digest("md5", salted=True),
    "SSHA": _digest("sha1", salted=True),
    "SSHA256": _digest("sha256", salted=True),
    "SSHA512": _digest("sha512", salted=True),
    "SCRAM-SHA-1": _scram("sha1"),
    "SCRAM-SHA-256": _scram("sha256"),
}
