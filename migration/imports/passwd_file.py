"""Mailboxes from Dovecot's passwd-file.

    user:password:uid:gid:gecos:home:shell:extra fields

Only user and password must be there. The format and its reading of passwords without a {SCHEME} follow
https://doc.dovecot.org/2.3/configuration_manual/authentication/passwd_file/, the quota among the extra fields
https://doc.dovecot.org/2.3/configuration_manual/quota/. The name is taken from gecos up to its first comma. A
file of this kind has no aliases and says nothing about kind, language and last login.
"""

import math
import re

from migration.crypt_strings import is_des

from .csv_file import MAX_LINE, decode, finish, split_lines
from .rows import MAX_QUOTA_MIB, ParsedFile, Rows

_SIZE = r"(?P<number>[0-9]{1,15})(?P<unit>[bkmgt]?)"
# As password and user database at once, or as the latter alone, where the fields have no prefix.
_QUOTA_RULE = re.compile(
    rf"(?:userdb_)?quota_rule=\*:(?:(?:messages|ignore)[^:]*+:)?(?P<what>storage|bytes)={_SIZE}(?::.*)?", re.IGNORECASE
)
_QUOTA_SIZE = re.compile(rf"(?:userdb_)?(?P<what>quota_storage_size)={_SIZE}", re.IGNORECASE)
_BYTES = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def parse(data: bytes, *, encoding: str | None = None, domain: str = "") -> ParsedFile:
    """Read a whole file. What is wrong is among the errors of the result, with its line; nothing is raised.

    `encoding` is "utf-8" (also when None) or "cp1252". `domain` completes users written without one, as in
    servers with a file for each domain.
    """
    rows = Rows()
    text = decode(data, encoding, rows)
    lines = split_lines(text, rows) if text is not None else None
    if lines is None:
        return rows.parsed
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if len(line) > MAX_LINE:
            rows.refuse(number, "", "line_too_long")
            break
        if "\0" in line:
            rows.refuse(number, "", "nul")
            continue
        rows.add(number, _fields(line, domain))
    finish(rows)
    return rows.parsed


def _fields(line: str, domain: str) -> dict[str, str]:
    user, password, _uid, _gid, gecos, _home, _shell, extra = (line.split(":", 7) + [""] * 7)[:8]
    if domain and user.strip() and "@" not in user:
        user = f"{user.strip()}@{domain}"
    # 13 characters may be a word anywhere else; in this file they are what Dovecot takes them for.
    stored = "{CRYPT}" + password if is_des(password) else password
    return {
        "address": user,
        "password_hash": stored,
        "name": gecos.partition(",")[0],
        "quota_mib": _quota_mib(extra),
    }


def _quota_mib(extra: str) -> str:
    """The storage limit in MiB, rounded up; empty for none and for 0, which is Dovecot's "no limit".

    A number without unit is KiB in a rule's storage (Dovecot 2.3), else bytes.
    """
    for word in extra.split():
        for pattern in (_QUOTA_RULE, _QUOTA_SIZE):
            if match := pattern.fullmatch(word):
                unit = match["unit"] or ("k" if match["what"].lower() == "storage" else "b")
                mib = math.ceil(int(match["number"]) * _BYTES[unit.lower()] / 1024**2)
                return str(min(mib, MAX_QUOTA_MIB)) if mib else ""
    return ""
