"""Who may call, which route it is, what an accident looks like (`data/web/json_api.php`)."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, unquote_plus

from . import bans, provisioning, reads, writes
from .passwords import Crash
from .state import State

JSON = "application/json"
HTML = "text/html; charset=utf-8"
NOT_FOUND = (
    b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n"
    b"<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass
class Call:
    """One HTTP request as it came; `path` is not decoded, header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def is_write(self) -> bool:
        """Whether something is to be changed."""
        return bool(re.match(r"/api/v1/(add|edit|delete)/", self.path))


@dataclass
class Answer:
    """One HTTP reply; `changed` means that something was written."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def of(cls, document: Any, status: int = 200, content_type: str = JSON) -> Answer:
        """A reply holding a document as JSON."""
        return cls(status, json.dumps(document).encode("ascii"), content_type)


def _error(status: int, msg: str, content_type: str = JSON) -> Answer:
    return Answer.of({"type": "error", "msg": msg}, status, content_type)


def _done(entries: list[writes.Entry] | None) -> Answer:
    answer = Answer.of(entries if entries is not None else {"type": "success", "msg": "Task completed"})
    answer.changed = any(entry["type"] == "success" for entry in entries or ())
    return answer


class Api:
    """The API over a state. `stored(address, hash)` is called for every password that was stored."""

    def __init__(self, state: State, api_key: str, read_only_key: str, stored: writes.Stored) -> None:
        self.state = state
        self.keys = {api_key.lower(): "rw", read_only_key.lower(): "ro"}
        self._stored = stored
        self._sessions: dict[str, str] = {}
        self._leftovers: dict[str, writes.Entry] = {}

    def answer(self, call: Call) -> Answer:
        """The whole way of a call, from cookie to body."""
        if not call.path.startswith("/api/v1/"):
            return Answer(404, NOT_FOUND, HTML)
        session = self._session(call)
        try:
            answer = self._admitted(call, session)
        except Crash:
            answer = Answer(200, b"")
            text = "An unknown error occured: ValueError Object"
            self._leftovers[session] = writes.entry("danger", ["exception_handler"], text)
        if f"MCSESSID={session}" not in call.headers.get("cookie", ""):
            answer.headers["Set-Cookie"] = f"MCSESSID={session}; path=/; HttpOnly; SameSite=Lax"
        answer.headers["Cache-Control"] = "no-store, no-cache, must-revalidate"
        return answer

    def _session(self, call: Call) -> str:
        sent = re.search(r"MCSESSID=([0-9a-f]+)", call.headers.get("cookie", ""))
        return sent.group(1) if sent else secrets.token_hex(16)

    def _admitted(self, call: Call, session: str) -> Answer:
        sent = re.sub("[^a-z0-9-]", "", call.headers.get("x-api-key", "").lower())
        if sent:
            role = self.keys.get(sent)
            if role is None:
                return _error(401, "authentication failed", HTML)
            self._sessions[session] = role
        role = self._sessions.get(session)
        if call.headers.get("sec-fetch-dest", "empty") != "empty":
            return Answer(403, b"")
        action, _, rest = _query(call).lstrip("/").partition("/")
        if role is None:
            denied = action in ("edit", "delete")
            return _error(403, "API read/write access denied") if denied else Answer(200, b"")
        return self._routed(call, action, rest, role == "rw", session)

    def _routed(self, call: Call, action: str, rest: str, may_write: bool, session: str) -> Answer:
        if action == "get" and call.method == "GET":
            return self._get(call, rest)
        if action not in ("get", "add", "edit", "delete", "search"):
            return _error(404, "route not found")
        if action == "get" or call.method not in ("GET", "POST"):
            return _error(405, f"only {'GET' if action == 'get' else 'POST'} method is allowed")
        return self._post(call, f"{action}/{rest.strip('/')}", may_write, session)

    def _get(self, call: Call, rest: str) -> Answer:
        category, *segments = (segment for segment in rest.split("/") if segment)
        first, second = [*segments, "", ""][:2]
        tags = parse_qs(call.path.partition("?")[2]).get("tags", [])
        state = self.state
        routes: dict[str, Callable[[], Any]] = {
            "status": lambda: {"version": state.version} if first == "version" else None,
            "mailbox": lambda: (
                reads.mailboxes(state, second, tags=tags, reduced=first == "reduced")
                if first in ("all", "reduced")
                else reads.mailbox(state, first)
            ),
            "domain": lambda: reads.domains(state, tags) if first == "all" else reads.domain(state, first),
            "dkim": lambda: reads.dkim(state, first),
            "alias": lambda: reads.aliases(state, second) if first == "all" else reads.alias(state, first),
            "passwordpolicy": lambda: state.policy,
            "fail2ban": lambda: bans.shown(state),
        }
        document = routes[category]() if category in routes else None
        return _error(404, "route not found") if document is None else Answer.of(document)

    def _post(self, call: Call, route: str, may_write: bool, session: str) -> Answer:
        fields = _fields(call)
        if isinstance(fields, Answer):
            return fields
        items, document = fields
        action = route.partition("/")[0]
        if not may_write and action != "search":
            return _error(403, "API read/write access denied")
        perform = self._routes().get(route)
        if perform is None:
            return _error(404, "route not found")
        if action == "search":
            return Answer.of(perform(items, document))
        if action == "edit" and isinstance(document, str):
            raise Crash
        idle = action == "edit" and (not isinstance(document, dict) or items in (None, []))
        entries = None if idle else perform(items, document)
        leftover = self._leftovers.pop(session, None)
        return _done([leftover, *entries] if leftover and entries else entries)

    def _routes(self) -> dict[str, Callable[[Any, Any], Any]]:
        state = self.state
        return {
            "edit/mailbox": lambda items, attr: writes.edit_mailboxes(state, items, attr, self._stored),
            "edit/mailbox/custom-attribute": lambda items, attr: writes.set_custom_attributes(state, items, attr),
            "edit/domain": lambda items, attr: provisioning.edit_domains(state, items, attr),
            "edit/fail2ban": lambda items, attr: bans.edit(state, items, attr),
            "edit/alias": lambda items, attr: provisioning.edit_aliases(state, items, attr),
            "add/mailbox": lambda _, attr: writes.add_mailbox(state, attr, self._stored),
            "add/domain": lambda _, attr: provisioning.add_domain(state, attr),
            "add/alias": lambda _, attr: provisioning.add_aliases(state, attr),
            "add/alias-domain": lambda _, attr: provisioning.add_alias_domain(state, attr),
            "delete/mailbox": lambda _, body: writes.delete_mailboxes(state, body) if body else None,
            "delete/domain": lambda _, body: provisioning.delete_domains(state, body) if body else None,
            "delete/alias-domain": lambda _, body: provisioning.delete_alias_domains(state, body) if body else None,
            "delete/alias": lambda _, body: provisioning.delete_aliases(state, body) if body else None,
            "search/mailbox": lambda _, query: reads.search(state, query if isinstance(query, dict) else {}),
        }


def _query(call: Call) -> str:
    """The route as PHP gets it: nginx decodes the path, puts it into a query, and PHP decodes that again."""
    return unquote_plus(re.sub("/+", "/", unquote(call.path.partition("?")[0]))[len("/api/v1/") :].partition("&")[0])


def _fields(call: Call) -> tuple[Any, Any] | Answer:
    """(items, attributes or bare document) of a POST, or the objection to its form."""
    content_type, edits = call.headers.get("content-type", ""), call.path.startswith("/api/v1/edit/")
    if call.method == "POST" and content_type.startswith(JSON):
        try:
            document = _decoded(call.body)
        except ValueError:
            return _error(400, "Request body doesn't contain valid json!")
        if edits and isinstance(document, dict):
            return document.get("items"), document.get("attr") or {}
        return None, document
    if call.method == "POST" and content_type.startswith("application/x-www-form-urlencoded"):
        form = {key: values[-1] for key, values in parse_qs(call.body.decode("latin-1")).items()}
        if "attr" not in form:
            return Answer(200, b"")
        return json.loads(form.get("items", "null")), json.loads(form["attr"])
    return _error(200, "Cannot find attributes in post data")


def _decoded(body: bytes) -> Any:
    """PHP's json_decode: no byte order mark, no half surrogate pairs; null counts as no document."""
    document = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    json.dumps(document, ensure_ascii=False).encode("utf-8")
    if document is None:
        raise ValueError("null")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(name)
