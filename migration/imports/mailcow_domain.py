"""The mailboxes and aliases a mailcow has in one domain, as JSON: `{"mailboxes": […], "aliases": […]}`.

The two lists are the answers to `get/mailbox/reduced/DOMAIN` and `get/alias/all/DOMAIN`, each `{}` when there is none
(`data/web/inc/functions.mailbox.inc.php`). They tell no password, and of logins only those at mailcow itself, which are
not taken for logins on the old server. Whoever has the API key fetches; this module only reads.
"""

import json
from collections.abc import Mapping
from typing import Any

from .csv_file import decode, finish
from .folding import Box, Pointer, fold, mib, of_domain, targets_of
from .rows import ParsedFile, Rows

_MAILBOX = ("username", "name", "quota", "quota_used", "active")
_ALIAS = ("address", "goto", "active")
# Where mailcow sends what is discarded or learned as spam or ham.
_OWN_TARGETS = ("null@localhost", "spam@localhost", "ham@localhost")


def kept(documents: Mapping[str, Any], domain: str) -> bytes:
    """What is needed of the decoded answers, to be handed to `parse`. Rows of other domains are dropped.

    mailcow lists every mailbox of every domain for one it does not know.
    """
    wanted = {
        name: [
            {column: row.get(column) for column in columns}
            for row in documents.get(name) or []
            if isinstance(row, dict) and row.get("domain") == domain
        ]
        for name, columns in (("mailboxes", _MAILBOX), ("aliases", _ALIAS))
    }
    return json.dumps(wanted).encode()


def parse(data: bytes, *, domain: str) -> ParsedFile:
    """Read both lists. What is wrong is among the errors of the result; nothing is raised.

    The line is the number of the entry in its list.
    """
    rows = Rows()
    text = decode(data, None, rows)
    document = _document(text) if text is not None else None
    if document is None:
        if text is not None:
            rows.refuse(1, "", "mailcow_json")
        return rows.parsed
    boxes = [_box(number, row) for number, row in enumerate(document["mailboxes"], start=1)]
    pointers = [_pointer(number, row) for number, row in enumerate(document["aliases"], start=1)]
    mine = [box for box in boxes if of_domain(box.address, domain)]
    others = [pointer for pointer in pointers if of_domain(pointer.address, domain)]
    if foreign := len(boxes) + len(pointers) - len(mine) - len(others):
        rows.note(1, "", "other_domains", n=foreign)
    for pointer in others:
        if any(target in _OWN_TARGETS for target in pointer.goto):
            rows.note(pointer.line, f"{pointer.place}goto", "mailcow_target")
    fold(rows, mine, [pointer for pointer in others if not set(pointer.goto) & set(_OWN_TARGETS)])
    finish(rows)
    return rows.parsed


def _document(text: str) -> dict[str, list[dict[str, Any]]] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    lists = {name: document.get(name) or [] for name in ("mailboxes", "aliases")}
    good = all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in lists.values())
    return lists if good else None


def _box(number: int, row: Mapping[str, Any]) -> Box:
    fields = {"name": _text(row, "name"), "quota_mib": _mib(row, "quota"), "used_mib": _mib(row, "quota_used", least=0)}
    return Box(number, f"mailboxes[{number}].", _text(row, "username"), _is_on(row), fields)


def _pointer(number: int, row: Mapping[str, Any]) -> Pointer:
    goto = targets_of(_text(row, "goto"))
    return Pointer(number, f"aliases[{number}].", _text(row, "address"), _is_on(row), goto)


def _text(row: Mapping[str, Any], column: str) -> str:
    """Text as it is; anything else as something that is refused where it matters."""
    value = row.get(column)
    return value if isinstance(value, str) else "" if value is None else "\0"


def _mib(row: Mapping[str, Any], column: str, *, least: int = 1) -> str:
    """Bytes, which come as numbers or as text, as MiB."""
    value = row.get(column)
    if value is None or value == "":
        return ""
    return mib(str(value), least=least) if isinstance(value, int | str) and not isinstance(value, bool) else "-"


def _is_on(row: Mapping[str, Any]) -> bool:
    """1, or 2 for a mailbox that takes mail and lets nobody in."""
    return str(row.get("active")) in ("1", "2")
