"""How mailcow stores and checks passwords (`data/web/inc/functions.inc.php`, and Dovecot at the login)."""

from __future__ import annotations

import re
from typing import Any

import argon2
import bcrypt

_SCHEMES = (
    "ARGON2I ARGON2ID BLF-CRYPT CLEAR CLEARTEXT CRYPT DES-CRYPT LDAP-MD5 MD5 MD5-CRYPT PBKDF2 PLAIN"
    " PLAIN-MD4 PLAIN-MD5 PLAIN-TRUNC SHA SHA1 SHA256 SHA256-CRYPT SHA512 SHA512-CRYPT SMD5 SSHA SSHA256"
    " SSHA512"
)
_PREHASHED = re.compile(r"\{(" + "|".join(map(re.escape, _SCHEMES.split())) + r")\}", re.IGNORECASE)


class Crash(Exception):
    """An exception inside mailcow: the caller sees 200 and an empty body."""


def scheme_of(stored: str) -> str:
    """`{SCHEME}` at the beginning, or an empty text."""
    found = re.match(r"\{[^}]*\}", stored)
    return found.group() if found else ""


def store(sent: str) -> str:
    """What the column then holds: a known hash as it is, other text hashed with bcrypt. Raises Crash."""
    if _PREHASHED.match(sent):
        stored = sent
    else:
        if "\0" in sent:
            raise Crash
        digest = bcrypt.hashpw(sent.encode()[:72], bcrypt.gensalt(4, prefix=b"2b")).decode()
        stored = "{BLF-CRYPT}" + digest.replace("$2b$", "$2y$", 1)
    if len(stored) > 255:
        raise Crash
    return stored


def objection(password: Any, repeated: Any, policy: dict[str, str]) -> str | None:
    """The key of the objection to a new password and its repetition, None if there is none. Raises Crash."""
    if isinstance(password, list | dict) or isinstance(repeated, list | dict):
        raise Crash
    if empty(password) or empty(repeated):
        return "password_complexity"
    if not _loosely_equal(text(password), text(repeated)):
        return "password_mismatch"
    return None if _fits(text(password), policy) else "password_complexity"


def empty(value: Any) -> bool:
    """PHP's `empty`: also true of "0"."""
    return value in (None, "", "0", 0, False, [], {})


def text(value: Any) -> str:
    """PHP's conversion to text of what JSON can hold."""
    return "1" if value is True else "" if value is None or value is False else str(value)


def verify(stored: str, password: str) -> bool:
    """Whether Dovecot or mailcow's own login takes the password."""
    scheme = scheme_of(stored).upper()
    digest = stored[len(scheme) :]
    if scheme.startswith("{ARGON2"):
        try:
            return argon2.PasswordHasher().verify(digest, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHash):
            return False
    if scheme == "{BLF-CRYPT}":
        try:
            return bcrypt.checkpw(password.encode()[:72], digest.encode())
        except ValueError:
            return False
    from migration import schemes  # noqa: PLC0415  (only the other schemes need it)

    try:
        return schemes.verify(stored, password)
    except schemes.SchemeError:
        return False


def _loosely_equal(left: str, right: str) -> bool:
    """PHP 8's `==` of two texts: numbers are compared as numbers."""
    if left == right:
        return True
    try:
        return float(left) == float(right)
    except ValueError:
        return False


def _fits(password: str, policy: dict[str, str]) -> bool:
    lower, upper = re.search("[a-z]", password), re.search("[A-Z]", password)
    rules = {
        "chars": lower or upper,
        "special_chars": re.search("[^a-zA-Z0-9]", password),
        "lowerupper": lower and upper,
        "numbers": re.search("[0-9]", password),
    }
    if len(password.encode()) < int(policy["length"]):
        return False
    return all(met for rule, met in rules.items() if policy[rule] == "1")
