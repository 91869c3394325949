"""Writes to mailboxes, with their order of checks (`data/web/inc/functions.mailbox.inc.php`)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from . import passwords
from .passwords import Crash
from .state import MIB, PROTOCOLS, Mailbox, State, new_attributes, now

Entry = dict[str, Any]
Stored = Callable[[str, str], None]
"""Called with address and hash after a password was stored."""

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SOURCES = ("mailcow", "ldap", "keycloak", "generic-oidc")
_FLAGS = ("force_pw_update", "force_tfa", "sogo_access", "tls_enforce_in", "tls_enforce_out", "relayhost")


def entry(kind: str, log: list[Any], msg: Any) -> Entry:
    """One line of mailcow's answer to a write."""
    return {"type": kind, "log": log, "msg": msg}


def starred(attr: dict[str, Any]) -> dict[str, Any]:
    """The attributes as the answer repeats them."""
    return {key: "*" if key in ("password", "password2") else value for key, value in attr.items()}


def edit_mailboxes(state: State, items: Any, attr: dict[str, Any], stored: Stored) -> list[Entry]:
    """Answer to `edit/mailbox`. Raises Crash."""
    listed = items if isinstance(items, list | dict) else [items]
    log = ["mailbox", "edit", "mailbox", {"username": listed, **starred(attr)}, None]
    addresses = listed.values() if isinstance(listed, dict) else listed
    return [_edit(state, passwords.text(address), attr, log, stored) for address in addresses]


def _edit(state: State, sent: str, attr: dict[str, Any], log: list[Any], stored: Stored) -> Entry:
    if not _ADDRESS.fullmatch(sent):
        return entry("danger", log, ["username_invalid", sent])
    row = state.mailboxes.get(sent.lower())
    if row is None or not row.has_quota_row:
        return entry("danger", log, "access_denied")
    quota, largest = _new_quota(row, attr), state.quota_left(row)
    if quota > largest:
        return entry("danger", log, ["mailbox_quota_left_exceeded", largest // MIB])
    before = _content(row)
    if not passwords.empty(attr.get("password")):
        objection = passwords.objection(attr.get("password"), attr.get("password2"), state.policy)
        if objection:
            return entry("danger", ["password_check", None, None], objection)
        if row.authsource == "mailcow":
            row.password = passwords.store(passwords.text(attr["password"]))
            row.attributes["passwd_update"] = now()
            stored(row.address, row.password)
    row.quota = quota
    _set_attributes(row, attr)
    if _content(row) != before:
        row.modified = now()
    return entry("success", log, ["mailbox_modified", sent])


def _new_quota(row: Mailbox, attr: dict[str, Any]) -> int:
    wanted = attr.get("quota", "")
    return row.quota if wanted in ("", None) else int(wanted) * MIB


def _content(row: Mailbox) -> tuple[Any, ...]:
    attributes = {key: value for key, value in row.attributes.items() if value is not None}
    return (row.name, row.quota, row.active, row.authsource, row.password, attributes, tuple(row.tags))


def _set_attributes(row: Mailbox, attr: dict[str, Any]) -> None:
    """Every edit writes all of them back; `attribute_hash` is emptied unless it was sent."""
    name = passwords.text(attr.get("name"))
    if len(name) > 255:
        raise Crash
    if name:
        row.name = name.removeprefix("<").removesuffix(">")
    if attr.get("active") is not None:
        row.active = int(attr["active"])
    if attr.get("authsource") in _SOURCES:
        row.authsource = attr["authsource"]
    for flag in (*_FLAGS, *(f"{protocol}_access" for protocol in PROTOCOLS)):
        if attr.get(flag) is not None:
            row.attributes[flag] = passwords.text(attr[flag])
    _set_protocols(row, attr)
    row.attributes["attribute_hash"] = passwords.text(attr.get("attribute_hash"))
    row.attributes["recovery_email"] = attr.get("pw_recovery_email", row.attributes.get("recovery_email"))
    row.tags += [tag for tag in attr.get("tags") or [] if tag not in row.tags]


def _set_protocols(row: Mailbox, attr: dict[str, Any]) -> None:
    if "protocol_access" in attr:
        for protocol in PROTOCOLS:
            row.attributes[f"{protocol}_access"] = str(int(protocol in attr["protocol_access"]))


def set_custom_attributes(state: State, items: Any, attr: dict[str, Any]) -> list[Entry]:
    """Answer to `edit/mailbox/custom-attribute`: replaces the whole set."""
    listed = items if isinstance(items, list) else [items]
    log = ["mailbox", "edit", "mailbox_custom_attribute", {"mailboxes": listed, **attr}, None]
    entries = []
    for address in listed:
        row = state.mailboxes.get(str(address).lower())
        if row is None:
            entries.append(entry("danger", log, "access_denied"))
            continue
        row.custom_attributes = dict(zip(attr.get("attribute", []), attr.get("value", []), strict=False))
        entries.append(entry("success", log, ["mailbox_modified", address]))
    return entries


def add_mailbox(state: State, attr: dict[str, Any], stored: Stored) -> list[Entry]:
    """Answer to `add/mailbox`. Raises Crash."""
    log = ["mailbox", "add", "mailbox", starred(attr), None]
    local_part = passwords.text(attr.get("local_part")).strip().lower()
    try:
        domain_name = passwords.text(attr.get("domain")).strip().lower().encode("idna").decode()
    except UnicodeError:
        domain_name = ""
    address = f"{local_part}@{domain_name}"
    if passwords.empty(local_part) or not _ADDRESS.fullmatch(address):
        return [entry("danger", log, "mailbox_invalid")]
    objection = _objection_to_place(state, address)
    if objection:
        return [entry("danger", log, objection)]
    weak = passwords.objection(attr.get("password"), attr.get("password2"), state.policy)
    if weak:
        return [entry("danger", ["password_check", None, None], weak)]
    quota = _added_quota(attr)
    objection = _objection_to_size(state, domain_name, quota)
    if objection:
        return [entry("danger", log, objection)]
    row = _created(address, quota, attr)
    state.mailboxes[address] = row
    stored(address, row.password)
    limit = {"object": address, "rl_frame": attr.get("rl_frame") or "s", "rl_value": attr.get("rl_value", "")}
    return [
        entry("success", ["ratelimit", "edit", "mailbox", limit], ["rl_saved", address]),
        entry("success", log, ["mailbox_added", html.escape(address).replace("&#x27;", "&#039;")]),
    ]


def _objection_to_place(state: State, address: str) -> Any:
    domain_name = address.rpartition("@")[2]
    if address in state.mailboxes:
        return ["object_exists", address]
    if state.alias_at(address):
        return ["is_alias", address]
    if domain_name in state.alias_domains:
        return ["domain_not_found", domain_name]
    return None if domain_name in state.domains else "access_denied"


def _objection_to_size(state: State, domain_name: str, quota: int) -> Any:
    domain, boxes = state.domains[domain_name], state.mailboxes_of(domain_name)
    left = domain.quota - sum(box.quota for box in boxes)
    if len(boxes) >= domain.mailboxes:
        return ["max_mailbox_exceeded", len(boxes), domain.mailboxes]
    if quota > domain.max_quota:
        return ["mailbox_quota_exceeded", domain.max_quota // MIB]
    return ["mailbox_quota_left_exceeded", left // MIB] if quota > left else None


def _added_quota(attr: dict[str, Any]) -> int:
    try:
        return int(attr.get("quota") or 0) * MIB
    except ValueError:
        return 0


def _created(address: str, quota: int, attr: dict[str, Any]) -> Mailbox:
    password = passwords.store(passwords.text(attr["password"]))
    name = passwords.text(attr.get("name"))
    if len(name) > 255:
        raise Crash
    row = Mailbox(
        address,
        password,
        name=name.removeprefix("<").removesuffix(">"),
        quota=quota,
        active=int(attr.get("active", 1)),
        # no other provider is configured here: mailcow then silently takes itself
        attributes=new_attributes(),
        tags=list(attr.get("tags") or []),
    )
    for flag in (*_FLAGS, "quarantine_notification", "quarantine_category"):
        if attr.get(flag) is not None:
            row.attributes[flag] = passwords.text(attr[flag])
    _set_protocols(row, attr)
    if attr.get("rl_value"):
        row.rate_limit = {"value": str(attr["rl_value"]), "frame": str(attr.get("rl_frame") or "s")}
    return row


def delete_mailboxes(state: State, body: Any) -> list[Entry]:
    """Answer to `delete/mailbox`; the body is the bare list of addresses, or one of them."""
    listed = body if isinstance(body, list | dict) else [body]
    log = ["mailbox", "delete", "mailbox", {"username": listed}, None]
    entries = []
    for address in listed.values() if isinstance(listed, dict) else listed:
        row = state.mailboxes.pop(address.lower(), None) if isinstance(address, str) else None
        if row is None:
            entries.append(entry("danger", log, "access_denied"))
            continue
        _forget_in_aliases(state, row.address)
        entries.append(entry("success", log, ["mailbox_removed", address]))
    return entries


def _forget_in_aliases(state: State, address: str) -> None:
    for alias in list(state.aliases.values()):
        targets = alias.goto.split(",")
        if address in targets:
            alias.goto = ",".join(target for target in targets if target != address)
            if not alias.goto:
                del state.aliases[alias.id]
