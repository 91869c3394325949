"""What a recorded request needs, made on a running mailcow by its API alone, below a name of our own.

Where the recordings say `demo.example`, the running mailcow has `demo.TAG.example`. Only what a request names is made,
and everything is taken away in the end. Nothing without the tag is ever changed or deleted.
"""

from __future__ import annotations

import http.client
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sandbox.mailcow.state import MIB, Alias, Domain, Mailbox, State

from .recorded import Recording

PASSWORD = "Corr3ct-Horse"
_NAME = re.compile(r"(?i)\.example\b")
_ADDRESS = re.compile(r"[^\s\",:/\\\[\]{}()<>=]+@[^\s\",:/\\\[\]{}()<>=&]+")
_DOMAIN = re.compile(r"[\w-]+\.example", re.IGNORECASE)


@dataclass
class Mirror:
    """A running mailcow: `url`, a read-write `key`, and the `tag` that marks what is ours."""

    url: str
    key: str
    tag: str
    read_only_key: str = ""
    _mine: set[str] = field(default_factory=set)

    def own(self, text: str) -> str:
        """The text with our names for the recording's domains."""
        return _NAME.sub(lambda found: f".{self.tag}{found[0]}", text)

    def call(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, str, bytes, str]:
        """(status, content type, body, cookie) of one plain request."""
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(parts.netloc, timeout=120)
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        cookie = (reply.headers["Set-Cookie"] or "").partition(";")[0]
        return reply.status, reply.headers["Content-Type"], content, cookie

    def prepare(self, recording: Recording, wanted: State) -> None:
        """Make what the request names as it was when it was recorded."""
        text = unquote(f"{recording.request['path']} {_spoken(recording)}")
        named = {_ascii(name) for name in _DOMAIN.findall(text)}
        addresses = {_ascii(address) for address in _ADDRESS.findall(text)} | set(_added(recording))
        for target in [goto for name, goto in wanted.alias_domains.items() if name in named]:
            named.add(target)
        for name in sorted(named, key=lambda name: name in wanted.alias_domains):
            self._domain(name, wanted)
        for name in named & {"tiny.example"}:  # small enough for its limits to matter
            addresses |= {row.address for row in wanted.mailboxes_of(name)} | set(self._there(name, "mailbox"))
            addresses |= {row.address for row in wanted.aliases_of(name)} | set(self._there(name, "alias"))
        for address in sorted(addresses):
            self._address(address, wanted)

    def add_mailbox(self, address: str, **fields: Any) -> str:
        """A mailbox below our name, as `add/mailbox` makes it; its domain comes along. Returns its address."""
        self._domain(address.rpartition("@")[2], State())
        self._add_mailbox(Mailbox(address, "", **fields))
        return self.own(address)

    def name_for(self, name: str) -> str:
        """The name below ours of a domain that a test makes by itself; it is taken away in the end."""
        self._mine.add(name)
        return self.own(name)

    def remove_all(self) -> None:
        """Take away what was made."""
        for name in sorted(self._mine):
            self._do("delete/alias-domain", [name])
        for name in sorted(self._mine):
            self._empty(name)

    def left(self) -> list[str]:
        """Domains of ours that are still there."""
        return [row["domain_name"] for row in self._get("domain/all") or [] if f".{self.tag}." in row["domain_name"]]

    def _domain(self, name: str, wanted: State) -> None:
        self._mine.add(name)
        there = self._get(f"domain/{self.own(name)}")
        is_alias = bool(there) and there["domain_name"] != self.own(name)
        target = wanted.alias_domains.get(name)
        row = wanted.domains.get(name) or (None if wanted.domains else Domain(name, quota=10**6 * MIB))
        if is_alias and not target:
            self._do("delete/alias-domain", [self.own(name)])
        if target and not is_alias:
            self._empty(name)
            self._do("add/alias-domain", {"alias_domain": name, "target_domain": target, "active": 1})
        elif row is None and there and not is_alias:
            self._empty(name)
        elif row and (not there or is_alias):
            self._do("add/domain", {"domain": name, "key_size": 0, **_limits(row)})
        elif row and not is_alias:
            self._do("edit/domain", {"items": [name], "attr": _limits(row)})

    def _empty(self, name: str) -> None:
        for alias in self._get(f"alias/all/{self.own(name)}") or []:
            self._do("delete/alias", [alias["id"]])
        for address in self._there(name, "mailbox"):
            self._do("delete/mailbox", [address])
        self._do("delete/domain", [name])

    def _address(self, address: str, wanted: State) -> None:
        name = address.rpartition("@")[2]
        if name not in wanted.domains:
            return
        mailbox, alias = wanted.mailboxes.get(address), wanted.alias_at(address)
        has_mailbox = bool(self._get(f"mailbox/{_segment(self.own(address))}"))
        at = self._get(f"alias/{_segment(self.own(address))}")
        if has_mailbox and mailbox is None:
            self._do("delete/mailbox", [address])
        if at and at.get("address") == self.own(address) and alias is None:
            self._do("delete/alias", [at["id"]])
        if mailbox and not has_mailbox:
            self._add_mailbox(mailbox, min(mailbox.quota, wanted.domains[name].max_quota) // MIB)
        elif mailbox:
            attr = {"active": mailbox.active, "quota": mailbox.quota // MIB, "authsource": "mailcow"}
            self._do("edit/mailbox", {"items": [address], "attr": attr})
        if alias and not at:
            self._add_alias(alias)

    def _add_mailbox(self, row: Mailbox, quota: int = 1) -> None:
        local_part, _, name = row.address.rpartition("@")
        attr = {"local_part": local_part, "domain": name, "name": row.name, "quota": quota, "active": row.active}
        said = self._do("add/mailbox", {**attr, "password": PASSWORD, "password2": PASSWORD})
        assert b'"danger"' not in said, said

    def _add_alias(self, row: Alias) -> None:
        self._do("add/alias", {"address": row.address, "goto": row.goto, "active": row.active})

    def _there(self, name: str, what: str) -> list[str]:
        """The addresses below a name of ours, in the recording's spelling."""
        rows = self._get(f"{what}/all/{self.own(name)}") or []
        found = [row["username" if what == "mailbox" else "address"] for row in rows]
        # For a domain it does not know mailcow lists everybody's.
        return [
            address.replace(f".{self.tag}.", ".") for address in found if address.endswith(f"@{_ascii(self.own(name))}")
        ]

    def _get(self, path: str) -> Any:
        status, _type, body, _cookie = self.call("GET", f"/api/v1/get/{quote(path, safe='/%@')}", self._headers())
        assert status == 200, f"{path}: {status}"
        return json.loads(body)

    def _do(self, route: str, document: Any) -> bytes:
        body = self.own(json.dumps(document)).encode()
        status, _type, answer, _cookie = self.call("POST", f"/api/v1/{route}", self._headers(), body)
        assert status == 200, f"{route}: {status} {answer[:200]!r}"
        return answer

    def _headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key, "Content-Type": "application/json"}


def _spoken(recording: Recording) -> str:
    body = recording.request.get("body")
    return json.dumps(body, ensure_ascii=False) if body is not None else str(recording.request.get("body_raw", ""))


def _added(recording: Recording) -> list[str]:
    body = recording.request.get("body")
    if not isinstance(body, dict) or "local_part" not in body:
        return []
    return [_ascii(f"{str(body['local_part']).strip()}@{str(body.get('domain', '')).strip()}")]


def _ascii(name: str) -> str:
    local_part, at, domain = name.lower().rpartition("@")
    try:
        return f"{local_part}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return name.lower()


def _segment(address: str) -> str:
    return quote(quote(address, safe="@'"), safe="@'")


def _limits(row: Domain) -> dict[str, Any]:
    sizes = {"defquota": row.default_quota, "maxquota": row.max_quota, "quota": row.quota}
    flags = ("mailboxes", "aliases", "active", "backupmx", "relay_all_recipients", "relay_unknown_only")
    return {
        "description": row.description,
        **{key: size // MIB for key, size in sizes.items()},
        **{flag: getattr(row, flag) for flag in flags},
    }
