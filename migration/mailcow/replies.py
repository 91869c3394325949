"""What a reply of mailcow means. Pure: bytes in, facts or an error out.

HTTP 200 says nothing: mailcow answers 200 to failures, to crashes (empty body) and to calls without a key. So
the body decides, read strictly; whatever is not certainly one of the known answers is `Unknown`. Checked
against recordings of mailcow 2026-07a (`tests/contract/`); the places in mailcow's source are
`data/web/json_api.php` and `data/web/inc/functions.mailbox.inc.php`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .document import Malformed, parse
from .errors import Blocked, MailcowError, Missing, Reason, Refused, Unknown

MAX_BODY = 1024 * 1024
"""Bytes of a reply that are read; one mailbox needs about two thousand."""

_PASSWORD_UPDATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply; `body` may end one byte beyond `MAX_BODY`, which then counts as too large."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """What mailcow says about one mailbox.

    `active`: 0 no login and no mail, 1 normal, 2 mail but no login. `quota` in bytes, 0 unlimited.
    `passwd_update`: local time of the mailcow host without zone, one second fine, the only sign in the API of
    a stored password; None when absent or unreadable. `attribute_hash` is reset by every edit that does not
    send it along. The last logins are Unix seconds, None for never.
    """

    address: str
    active: int
    authsource: str
    passwd_update: str | None
    attribute_hash: str
    quota: int
    last_imap_login: int | None
    last_pop3_login: int | None
    last_smtp_login: int | None

    def require_own_passwords(self) -> None:
        """Raise Blocked when the password lives elsewhere: mailcow would report success and store nothing."""
        if self.authsource != "mailcow":
            raise Blocked(Reason.AUTHSOURCE)


def confirm(before: MailboxFacts, after: MailboxFacts) -> None:
    """Raise Blocked unless what was read before and after a write proves that the password was stored.

    The proof is a changed `passwd_update`. Two writes within one second of mailcow's clock look like none:
    `Reason.NOT_STORED`.
    """
    after.require_own_passwords()
    if after.passwd_update is None:
        raise Blocked(Reason.READ_BACK)
    if after.passwd_update == before.passwd_update:
        raise Blocked(Reason.NOT_STORED)


def password_stored(reply: Reply, address: str) -> None:
    """Return only when `edit/mailbox` for `address`, as it was sent, reports success and nothing else.

    That report is necessary, not sufficient: see `confirm`. Raises MailcowError.
    """
    entries = entries_of(json_of(reply))
    keys = [(kind, _message(msg)) for kind, msg in entries]
    dangers = [key for kind, (key, _) in keys if kind == "danger"]
    modified = [argument for kind, (key, argument) in keys if kind == "success" and key == "mailbox_modified"]
    if any("SQLSTATE[" in key for _, (key, _) in keys):
        raise Unknown(Reason.DATABASE)
    if any(key.startswith("An unknown error occured") for key in dangers):
        raise Unknown(Reason.CRASH)
    if dangers and modified:
        raise Unknown(Reason.UNEXPECTED)  # one address was sent: one of the two entries is not about this call
    if dangers:
        raise _refusal(dangers[0])
    if any(argument != address for argument in modified):
        raise Blocked(Reason.OTHER_ADDRESS)
    if len(modified) != 1 or any(kind != "success" for kind, _ in keys):
        raise Unknown(Reason.UNEXPECTED)


def read_mailbox(reply: Reply, address: str) -> MailboxFacts:
    """The facts in a reply to `get/mailbox/ADDRESS`. Raises MailcowError: Missing when there is none."""
    document = json_of(reply)
    if not isinstance(document, dict):
        raise Unknown(Reason.UNEXPECTED)
    if not document or ("username" in document and document["username"] is None):
        raise Missing(Reason.MISSING)  # without a quota row mailcow shows a mailbox of nulls, and refuses to edit it
    if not isinstance(document.get("username"), str):
        raise Unknown(Reason.UNEXPECTED)
    if document["username"] != address:
        raise Blocked(Reason.OTHER_ADDRESS)
    return facts_of(document)


def facts_of(document: dict[str, Any]) -> MailboxFacts:
    """The facts in what mailcow tells of one mailbox, alone or in a list. Raises Unknown when one is missing."""
    attributes = document.get("attributes")
    if not isinstance(attributes, dict):
        raise Unknown(Reason.UNEXPECTED)
    active = integer(document.get("active"))
    if active not in (0, 1, 2):
        raise Unknown(Reason.UNEXPECTED)
    return MailboxFacts(
        address=text(document.get("username")),
        active=active,
        authsource=text(document.get("authsource")),
        passwd_update=_local_time(attributes.get("passwd_update")),
        attribute_hash=text(attributes.get("attribute_hash") or ""),
        quota=integer(document.get("quota")),
        last_imap_login=integer(document.get("last_imap_login")) or None,
        last_pop3_login=integer(document.get("last_pop3_login")) or None,
        last_smtp_login=integer(document.get("last_smtp_login")) or None,
    )


def version(reply: Reply) -> str:
    """The version in a reply to `get/status/version`, such as `2026-07a`. Raises MailcowError."""
    document = json_of(reply)
    found = document.get("version") if isinstance(document, dict) else None
    if not isinstance(found, str) or not _VERSION.fullmatch(found):
        raise Unknown(Reason.UNEXPECTED)
    return found


def json_of(reply: Reply, *, limit: int = MAX_BODY) -> Any:
    """The JSON of a 200; every other status has its class whatever the body says. Raises MailcowError."""
    if reply.status != 200:
        raise _by_status(reply)
    if len(reply.body) > limit:
        raise Unknown(Reason.TOO_LARGE)
    if not reply.body.strip():
        raise Unknown(Reason.EMPTY)
    if not _is_json(reply):
        raise Unknown(Reason.NOT_JSON)
    document, malformed = None, False
    try:
        document = parse(reply.body)
    except Malformed:
        malformed = True
    if malformed:  # raised here, so that the parser's error, which holds the text, is not chained to ours
        raise Unknown(Reason.NOT_JSON)
    return document


def _by_status(reply: Reply) -> MailcowError:
    """The class of a reply that is not a 200."""
    start = reply.body[:1000]
    known: dict[int, MailcowError] = {
        400: Refused(Reason.BAD_REQUEST),
        401: Refused(Reason.NETWORK if b"access denied for ip" in start else Reason.KEY),
        403: Refused(Reason.READ_ONLY if b"read/write access denied" in start else Reason.FORBIDDEN),
        404: Refused(Reason.NO_ROUTE),
        # nginx answers a POST with 405 and HTML while PHP is down
        405: Refused(Reason.NO_ROUTE) if _is_json(reply) else Unknown(Reason.SERVER_ERROR),
        408: Unknown(Reason.BUSY),
        425: Unknown(Reason.BUSY),
        429: Unknown(Reason.BUSY),
    }
    by_hundred = {3: Refused(Reason.REDIRECTED), 5: Unknown(Reason.SERVER_ERROR)}
    return known.get(reply.status) or by_hundred.get(reply.status // 100) or Unknown(Reason.UNEXPECTED)


def _is_json(reply: Reply) -> bool:
    return reply.content_type.partition(";")[0].strip().lower() == "application/json"


def entries_of(document: Any) -> list[tuple[str, Any]]:
    """(type, msg) of every entry of a reply to a write. Raises Unknown."""
    if not isinstance(document, list) or not document:
        raise Unknown(Reason.UNEXPECTED)
    entries = []
    for entry in document:
        if not isinstance(entry, dict) or not isinstance(entry.get("type"), str) or "msg" not in entry:
            raise Unknown(Reason.UNEXPECTED)
        entries.append((entry["type"], entry["msg"]))
    return entries


def _message(msg: Any) -> tuple[str, Any]:
    """(key, only argument) of a message, which is a bare key or a list of the key and its arguments."""
    if isinstance(msg, str):
        return msg, None
    if isinstance(msg, list) and msg and isinstance(msg[0], str):
        return msg[0], msg[1] if len(msg) == 2 else None
    raise Unknown(Reason.UNEXPECTED)


def _refusal(key: str) -> MailcowError:
    if key == "access_denied":
        return Missing(Reason.MISSING)
    if key.startswith("mailbox_quota_"):
        return Blocked(Reason.QUOTA)
    known = {
        "password_complexity": Reason.POLICY,
        "password_mismatch": Reason.MISMATCH,
        "username_invalid": Reason.ADDRESS,
    }
    return Blocked(known.get(key, Reason.REJECTED))


def integer(value: Any) -> int:
    """A whole number, which mailcow sometimes sends as text. Raises Unknown."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return value
    raise Unknown(Reason.UNEXPECTED)


def text(value: Any) -> str:
    """Text that our database can hold. Raises Unknown."""
    if not isinstance(value, str) or "\0" in value:  # PostgreSQL takes no NUL
        raise Unknown(Reason.UNEXPECTED)
    return value


def _local_time(value: Any) -> str | None:
    if not isinstance(value, str) or not _PASSWORD_UPDATE.fullmatch(value):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value
