"""The control side of the stand-in: `/sandbox/…` for programs (JSON) and for the page's buttons (forms).

GET  /sandbox/journal          every password stored: time, address, scheme, digest
GET  /sandbox/faults           what is switched on
POST /sandbox/faults           {"kind": "answer_500", "times": 2, …}
POST /sandbox/faults/clear
POST /sandbox/verify           {"address": …, "password": …} → {"success": …}
POST /sandbox/login            {"address": …, "service": "imap"}; with "password" only if it is right
POST /sandbox/reset
POST /sandbox/domain, /sandbox/mailbox   {"name": …} or {"address": …}: a row in the database
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from . import page
from .api import HTML, JSON, NOT_FOUND, Answer, Call

if TYPE_CHECKING:
    from .standin import MailcowStandIn

SWITCHES: dict[str, dict[str, type]] = {
    "answer_500": {"times": int},
    "html_error_page": {"times": int},
    "empty_200": {"times": int},
    "redirect": {"times": int},
    "wrong_key": {"times": int},
    "read_only": {"times": int},
    "down": {"times": int},
    "drop_before_write": {"times": int},
    "drop_after_write": {"times": int},
    "slow": {"seconds": float, "times": int},
    "deadlock": {"times": int},
    "reject": {"code": str, "times": int},
    "false_success": {"times": int},
}
"""The switches that can be turned from outside, with their arguments."""

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def answer(stand_in: MailcowStandIn, call: Call) -> Answer:
    """The reply of the page or of the control side."""
    path = call.path.partition("?")[0]
    if call.method == "GET":
        return _shown(stand_in, path)
    verb = _VERBS.get(path) if call.method == "POST" and _is_own(call) else None
    if verb is None:
        return Answer(404, NOT_FOUND, HTML)
    as_json = call.headers.get("content-type", "").startswith(JSON)
    try:
        outcome = verb(stand_in, _fields(call, as_json=as_json))
    except (ValueError, TypeError, KeyError):
        return Answer.of({"error": "not understood"}, 400)
    if as_json or not call.body:
        return Answer.of(outcome)
    return _page(stand_in, outcome) if "success" in outcome else Answer(303, b"", HTML, {"Location": "/"})


def _shown(stand_in: MailcowStandIn, path: str) -> Answer:
    if path == "/":
        return _page(stand_in)
    if path == page.STYLE_PATH:
        return Answer(200, page.STYLE.encode(), "text/css; charset=utf-8")
    if path == "/sandbox/journal":
        return Answer.of([asdict(entry) for entry in stand_in.journal])
    if path == "/sandbox/faults":
        return Answer.of(stand_in.faults.pending())
    return Answer(404, NOT_FOUND, HTML)


def _page(stand_in: MailcowStandIn, outcome: dict[str, Any] | None = None) -> Answer:
    with stand_in.lock:
        shown = page.render(stand_in.state, stand_in.faults.pending(), list(SWITCHES), outcome)
    return Answer(200, shown.encode(), HTML, dict(PAGE_HEADERS))


def _is_own(call: Call) -> bool:
    """A browser says where a form came from; another site's form is not taken."""
    origin = call.headers.get("origin")
    return origin in (None, "null") or origin.partition("://")[2] == call.headers.get("host")


def _fields(call: Call, *, as_json: bool) -> dict[str, Any]:
    if not call.body:
        return {}
    fields = json.loads(call.body) if as_json else dict(parse_qsl(call.body.decode("utf-8")))
    if not isinstance(fields, dict):
        raise TypeError
    return fields


def _verify(stand_in: MailcowStandIn, fields: dict[str, Any]) -> dict[str, Any]:
    address = str(fields["address"]).strip()
    return {"success": stand_in.verify(address, str(fields["password"])), "address": address}


def _login(stand_in: MailcowStandIn, fields: dict[str, Any]) -> dict[str, Any]:
    address = str(fields["address"]).strip()
    if "password" in fields and not stand_in.verify(address, str(fields["password"])):
        return {"success": False, "address": address}
    return {"success": stand_in.record_login(address, str(fields.get("service", "imap"))), "address": address}


def _switch(stand_in: MailcowStandIn, fields: dict[str, Any]) -> dict[str, Any]:
    kind = str(fields["kind"])
    known = {**SWITCHES[kind], "calls": str}
    given = {name: convert for name, convert in known.items() if fields.get(name) not in (None, "")}
    getattr(stand_in.faults, kind)(**{name: convert(fields[name]) for name, convert in given.items()})
    return {"pending": stand_in.faults.pending()}


def _clear(stand_in: MailcowStandIn, _fields: dict[str, Any]) -> dict[str, Any]:
    stand_in.faults.clear()
    return {"pending": []}


def _reset(stand_in: MailcowStandIn, _fields: dict[str, Any]) -> dict[str, Any]:
    stand_in.reset()
    return {"reset": True}


def _add_domain(stand_in: MailcowStandIn, fields: dict[str, Any]) -> dict[str, Any]:
    return {"domain": stand_in.add_domain(**fields).name}


def _add_mailbox(stand_in: MailcowStandIn, fields: dict[str, Any]) -> dict[str, Any]:
    return {"mailbox": stand_in.add_mailbox(**fields).address}


_VERBS: dict[str, Callable[[MailcowStandIn, dict[str, Any]], dict[str, Any]]] = {
    "/sandbox/verify": _verify,
    "/sandbox/login": _login,
    "/sandbox/faults": _switch,
    "/sandbox/faults/clear": _clear,
    "/sandbox/reset": _reset,
    "/sandbox/domain": _add_domain,
    "/sandbox/mailbox": _add_mailbox,
}
