"""Writes to domains and aliases (`data/web/inc/functions.mailbox.inc.php`)."""

from __future__ import annotations

import re
from typing import Any

from . import passwords
from .state import MIB, Alias, Domain, State, now
from .writes import Entry, entry

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_NUMBERS = ("mailboxes", "aliases", "active", "backupmx", "gal", "relay_all_recipients", "relay_unknown_only")
_QUOTAS = {"defquota": "default_quota", "maxquota": "max_quota", "quota": "quota"}


def add_domain(state: State, attr: dict[str, Any]) -> list[Entry]:
    """Answer to `add/domain`."""
    log = ["mailbox", "add", "domain", attr, None]
    try:
        name = passwords.text(attr.get("domain")).strip().lower().encode("idna").decode()
    except UnicodeError:
        name = ""
    objection = _objection_to_domain(state, name, attr)
    if objection:
        return [entry("danger", log, objection)]
    row = Domain(name, description=passwords.text(attr.get("description")), tags=list(attr.get("tags") or []))
    _set_domain(row, attr)
    state.domains[name] = row
    entries = []
    if attr.get("rl_value"):
        row.rate_limit = {"value": str(attr["rl_value"]), "frame": str(attr.get("rl_frame") or "s")}
        limit = {"object": name, "rl_frame": row.rate_limit["frame"], "rl_value": attr["rl_value"]}
        entries.append(entry("success", ["ratelimit", "edit", "domain", limit], ["rl_saved", name]))
    size = int(attr.get("key_size", 2048) or 0)
    if size:
        key = {"key_size": size, "dkim_selector": attr.get("dkim_selector", "dkim"), "domains": name}
        entries.append(entry("success", ["dkim", "add", key], ["dkim_added", name]))
    return [*entries, entry("success", log, ["domain_added", name])]


def _objection_to_domain(state: State, name: str, attr: dict[str, Any]) -> Any:
    default, largest, whole = (int(attr.get(key, standard)) for key, standard in _STANDARD.items())
    objections = {
        "domain_invalid": not _DOMAIN.fullmatch(name),
        "domain_cannot_match_hostname": name == state.hostname,
        "mailbox_defquota_exceeds_mailbox_maxquota": default > largest,
        "mailbox_quota_exceeds_domain_quota": largest > whole,
        "defquota_empty": not default,
        "maxquota_empty": not largest,
    }
    if name in state.domains or name in state.alias_domains:
        return ["domain_exists", name]
    return next((key for key, met in objections.items() if met), None)


_STANDARD = {"defquota": 3072, "maxquota": 10240, "quota": 10240}


def _set_domain(row: Domain, attr: dict[str, Any]) -> None:
    for key in _NUMBERS:
        if attr.get(key) not in (None, ""):
            setattr(row, key, int(attr[key]))
    row.relay_all_recipients |= row.relay_unknown_only
    row.backupmx |= row.relay_all_recipients
    for key, column in _QUOTAS.items():
        if attr.get(key) not in (None, ""):
            setattr(row, column, int(attr[key]) * MIB)


def edit_domains(state: State, items: Any, attr: dict[str, Any]) -> list[Entry]:
    """Answer to `edit/domain`."""
    listed = items if isinstance(items, list) else [items]
    log = ["mailbox", "edit", "domain", {"domain": listed, **attr}, None]
    entries = []
    for name in listed:
        row = state.domains.get(str(name).lower())
        if row is None:
            entries.append(entry("danger", log, "access_denied"))
            continue
        _set_domain(row, attr)
        row.description = attr.get("description", row.description)
        row.modified = now()
        entries.append(entry("success", log, ["domain_modified", name]))
    return entries


def delete_domains(state: State, body: Any) -> list[Entry]:
    """Answer to `delete/domain`; an unknown domain counts as removed."""
    listed = body if isinstance(body, list) else [body]
    log = ["mailbox", "delete", "domain", {"domain": listed}, None]
    entries = []
    for name in listed:
        if state.mailboxes_of(name):
            entries.append(entry("danger", log, ["domain_not_empty", name]))
            continue
        state.domains.pop(name, None)
        entries.append(entry("success", log, ["domain_removed", name]))
    return entries


def add_alias_domain(state: State, attr: dict[str, Any]) -> list[Entry]:
    """Answer to `add/alias-domain`."""
    log = ["mailbox", "add", "alias_domain", attr, None]
    name, target = str(attr.get("alias_domain")).lower(), str(attr.get("target_domain")).lower()
    if target not in state.domains or name in state.domains:
        return [entry("danger", log, ["aliasd_targetd_identical", name])]
    state.alias_domains[name] = target
    return [entry("success", log, ["aliasd_added", name])]


def delete_alias_domains(state: State, body: Any) -> list[Entry]:
    """Answer to `delete/alias-domain`; the aliases of the name go along."""
    listed = body if isinstance(body, list) else [body]
    log = ["mailbox", "delete", "alias_domain", {"alias_domain": listed}, None]
    entries = []
    for name in listed:
        if state.alias_domains.pop(str(name), None) is None:
            entries.append(entry("danger", log, "access_denied"))
            continue
        for alias in state.aliases_of(name):
            del state.aliases[alias.id]
        entries.append(entry("success", log, ["alias_domain_removed", name]))
    return entries


def add_aliases(state: State, attr: dict[str, Any]) -> list[Entry] | None:
    """Answer to `add/alias`; None when there was nothing to do."""
    log = ["mailbox", "add", "alias", attr, None]
    goto = str(attr.get("goto", "")).lower()
    targets = [target.strip() for target in goto.split(",") if target.strip()]
    if not targets or any("@" not in target for target in targets):
        return [entry("danger", log, ["goto_invalid", "@"])]
    entries = []
    for sent in str(attr.get("address", "")).split(","):
        local_part, _, domain_name = sent.strip().rpartition("@")
        address = f"{local_part}@{domain_name.lower()}"
        if targets == [address]:
            continue
        objection = _objection_to_alias(state, address)
        if objection:
            entries.append(entry("danger", log, objection))
            if objection == "max_alias_exceeded":
                break
            continue
        row = _new_alias(state, address, ",".join(targets), attr)
        entries.append(entry("success", log, ["alias_added", address, str(row.id)]))
    return entries or None


def _objection_to_alias(state: State, address: str) -> Any:
    domain_name = address.rpartition("@")[2]
    if domain_name not in state.domains and domain_name not in state.alias_domains:
        return ["domain_not_found", domain_name]
    if address.lower() in state.mailboxes or state.alias_at(address):
        return ["is_alias_or_mailbox", address]
    row = state.domains.get(domain_name)
    return "max_alias_exceeded" if row and len(state.aliases_of(domain_name)) >= row.aliases else None


def _new_alias(state: State, address: str, goto: str, attr: dict[str, Any]) -> Alias:
    row = Alias(
        state.next_alias_id,
        address,
        goto,
        active=int(attr.get("active") or 0),
        sogo_visible=int(attr.get("sogo_visible") or 0),
        public_comment=attr.get("public_comment"),
        private_comment=attr.get("private_comment"),
    )
    state.aliases[row.id] = row
    state.next_alias_id += 1
    return row


def edit_aliases(state: State, items: Any, attr: dict[str, Any]) -> list[Entry]:
    """Answer to `edit/alias`; items are ids."""
    listed = items if isinstance(items, list) else [items]
    log = ["mailbox", "edit", "alias", {"id": listed, **attr}, None]
    entries = []
    for number in listed:
        row = state.aliases.get(int(number))
        if row is None:
            entries.append(entry("danger", log, "access_denied"))
            continue
        row.goto = attr.get("goto", row.goto)
        row.active = int(attr.get("active", row.active))
        row.modified = now()
        entries.append(entry("success", log, ["alias_modified", row.address]))
    return entries


def delete_aliases(state: State, body: Any) -> list[Entry]:
    """Answer to `delete/alias`; the body is the list of ids."""
    listed = body if isinstance(body, list) else [body]
    log = ["mailbox", "delete", "alias", {"id": listed}, None]
    entries = []
    for number in listed:
        row = state.aliases.pop(int(number), None)
        answer = ["alias_removed", row.address] if row else "access_denied"
        entries.append(entry("success" if row else "danger", log, answer))
    return entries
