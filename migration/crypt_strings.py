"""Crypt strings: `$6$rounds=5000$salt$digest` and its relatives (crypt(5)), bcrypt and Argon2 among them.

bcrypt and Argon2 are verified by their packages, everything else by the system's libcrypt. All costs are
capped before anything is computed. `migration.schemes` is the front door.
"""

import ctypes
import functools
import hmac
import re
from collections.abc import Callable
from typing import Any

import argon2
import bcrypt

MAX_ROUNDS = 500_000
MAX_BCRYPT_COST = 13
MAX_MEMORY_KIB = 256 * 1024
MAX_MEMORY_PASSES_KIB = 1024 * 1024
MAX_LANES = 16

Check = Callable[[bytes], bool]

_A64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ROUNDS = r"(?:rounds=(?P<rounds>[1-9][0-9]{0,17})\$)?"
_H = "[./0-9A-Za-z]"
# Prefix of the crypt string, scheme, full form. libcrypt's own methods have no Dovecot name besides CRYPT:
# crypt(5).
_METHODS = [
    (r"\$1\$", "MD5-CRYPT", rf"\$1\$[^$]{{0,8}}\${_H}{{22}}"),
    (r"\$2[aby]\$", "BLF-CRYPT", rf"\$2[aby]\$(?P<cost>[0-9]{{2}})\${_H}{{53}}"),
    (r"\$5\$", "SHA256-CRYPT", rf"\$5\${_ROUNDS}[^$]{{0,16}}\${_H}{{43}}"),
    (r"\$6\$", "SHA512-CRYPT", rf"\$6\${_ROUNDS}[^$]{{0,16}}\${_H}{{86}}"),
    (r"\$argon2id\$", "ARGON2ID", ""),
    (r"\$argon2i\$", "ARGON2I", ""),
    (r"\$g?y\$", "CRYPT", rf"\$g?y\$(?P<yescrypt>{_H}+)\${_H}{{0,86}}\${_H}{{43}}"),
    (r"\$7\$", "CRYPT", rf"\$7\$(?P<scrypt>{_H}{{11}})[^$]{{0,86}}\${_H}{{43}}"),
    (
        r"\$md5[,$]",
        "CRYPT",
        rf"\$md5(?:,rounds=(?P<rounds>[1-9][0-9]{{0,17}}))?\$[^$]{{0,16}}\$\$?{_H}{{22}}",
    ),
    (r"\$sha1\$", "CRYPT", rf"\$sha1\$(?P<rounds>[1-9][0-9]{{0,17}})\${_H}{{1,64}}\${_H}{{28}}"),
]
_DES = re.compile(rf"{_H}{{13}}")
_ARGON2 = re.compile(
    r"\$argon2(?:id|i)\$(?:v=[0-9]{1,3}\$)?m=(?P<m>[0-9]{1,10}),t=(?P<t>[0-9]{1,10}),p=(?P<p>[0-9]{1,10})"
    r"\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"
)
# yescrypt's flavour j, then log2(N) up to 2^16 and r up to 32: 256 MiB. Anything longer sets rarer, costlier
# knobs.
_YESCRYPT_CHEAP = re.compile(r"j[./0-9A-D][./0-9A-T]")


class SchemeError(Exception):
    """A stored hash cannot be checked."""


class UnsupportedScheme(SchemeError):
    """Its scheme is unknown here, or this machine's libcrypt does not have it."""


class MalformedHash(SchemeError):
    """It is not what its scheme prescribes: cut, wrongly encoded, or with something before or after it."""


class TooCostly(SchemeError):
    """Verifying it would take more time or memory than one sign-in may cost."""


def method_of(text: str) -> str | None:
    """Dovecot's name of the scheme a crypt string is of, told by its first characters, or None."""
    return next((scheme for prefix, scheme, _ in _METHODS if re.match(prefix, text)), None)


def is_des(text: str) -> bool:
    """Whether the text has the form of traditional DES-crypt: 13 characters, like many a word."""
    return bool(_DES.fullmatch(text))


def read_argon2(text: str) -> Check:
    """Any Argon2i or Argon2id string. Raises MalformedHash or TooCostly."""
    match = _ARGON2.fullmatch(text)
    if not match:
        raise MalformedHash("This is no Argon2 hash.")
    memory, passes, lanes = int(match["m"]), int(match["t"]), int(match["p"])
    if memory > MAX_MEMORY_KIB or memory * passes > MAX_MEMORY_PASSES_KIB or lanes > MAX_LANES:
        raise TooCostly("The hash asks for too much memory or time.")
    kind = argon2.Type.ID if text.startswith("$argon2id") else argon2.Type.I

    def check(password: bytes) -> bool:
        try:
            return argon2.low_level.verify_secret(text.encode("ascii"), password, kind)
        except argon2.exceptions.VerifyMismatchError:
            return False
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            raise MalformedHash("This is no Argon2 hash.") from None

    return check


def read_crypt(text: str) -> Check:
    """Any other crypt string. Raises UnsupportedScheme, MalformedHash or TooCostly."""
    patterns = [full for prefix, _, full in _METHODS if re.match(prefix, text)] or [_DES.pattern]
    match = re.fullmatch(patterns[0], text)
    if not match or not text.isascii() or re.search(r"[\0\n:]", text):
        raise MalformedHash("This is no crypt string.")
    _refuse_costly_crypt(match.groupdict())
    if text.startswith("$2"):
        return functools.partial(_bcrypt_matches, text.encode("ascii"))
    crypt_r = _libcrypt()
    if crypt_r is None:
        raise UnsupportedScheme("This machine has no libcrypt.")
    return functools.partial(_crypt_matches, crypt_r, text.encode("ascii"))


def _refuse_costly_crypt(found: dict[str, str | None]) -> None:
    if int(found.get("rounds") or 0) > MAX_ROUNDS or int(found.get("cost") or 0) > MAX_BCRYPT_COST:
        raise TooCostly("The hash has too many rounds.")
    yescrypt, scrypt = found.get("yescrypt"), found.get("scrypt")
    if yescrypt and not _YESCRYPT_CHEAP.fullmatch(yescrypt):
        raise TooCostly("The hash asks for too much memory or time.")
    if scrypt:
        n, r, p = 1 << _A64.index(scrypt[0]), _a64_number(scrypt[1:6]), _a64_number(scrypt[6:11])
        if n * r * p * 128 > MAX_MEMORY_KIB * 1024:
            raise TooCostly("The hash asks for too much memory or time.")


def _a64_number(text: str) -> int:
    return sum(_A64.index(character) << (6 * place) for place, character in enumerate(text))


def _bcrypt_matches(stored: bytes, password: bytes) -> bool:
    if len(password) > 72:
        return False
    try:
        return bcrypt.checkpw(password, stored)
    except ValueError:
        raise MalformedHash("This is no bcrypt hash.") from None


def _crypt_matches(crypt_r: Any, stored: bytes, password: bytes) -> bool:
    if len(password) > 511:  # CRYPT_MAX_PASSPHRASE_SIZE
        return False
    # struct crypt_data: 32 KiB in libxcrypt, 128 KiB in old glibc. One for each call, so threads do not meet.
    result: bytes | None = crypt_r(password, stored, ctypes.create_string_buffer(256 * 1024))
    if result is None or result.startswith(b"*"):
        raise UnsupportedScheme("This machine's libcrypt does not know this kind of hash.")
    return hmac.compare_digest(result, stored)


@functools.cache
def _libcrypt() -> Any:
    """The system's thread-safe crypt_r(3), or None where there is none."""
    for name in ("libcrypt.so.1", "libcrypt.so.2", "libcrypt.so"):
        try:
            crypt_r = ctypes.CDLL(name).crypt_r
        except (OSError, AttributeError):
            continue
        crypt_r.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p]
        crypt_r.restype = ctypes.c_char_p
        return crypt_r
    return None
