"""What the API shows of the state, and how it looks things up."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from .state import Alias, Domain, Mailbox, State

_FULL_ONLY = (
    "max_new_quota",
    "spam_aliases",
    "pushover_active",
    "rl",
    "rl_scope",
    "is_relayed",
    "sender_acl",
)
_SERVICES = ("imap", "smtp", "pop3", "sso")


def mailbox(state: State, address: str) -> dict[str, Any]:
    """Reply to `get/mailbox/ADDRESS`; empty when there is none."""
    row = state.mailboxes.get(address.lower())
    return details(state, row) if row else {}


def mailboxes(state: State, domains: str, *, tags: list[str], reduced: bool) -> Any:
    """Reply to `get/mailbox/all/…`; an unknown domain brings every mailbox of every domain."""
    names = [name.lower() for name in domains.split(",") if name]
    known = [name for name in names if name in state.domains or name in state.alias_domains]
    rows = sorted(state.mailboxes.values(), key=lambda row: (row.domain, row.address))
    if names and len(known) == len(names):
        rows = [row for row in rows if row.domain in known]
    if tags:
        rows = [row for row in rows if set(tags) & set(row.tags)]
    shown = [details(state, row) for row in rows]
    if reduced:
        shown = [{key: value for key, value in row.items() if key not in _FULL_ONLY} for row in shown]
    return shown or {}


def search(state: State, query: dict[str, Any]) -> dict[str, Any]:
    """Reply to `search/mailbox`: real paging."""
    wanted = str((query.get("search") or {}).get("value") or "").lower()
    rows = sorted(state.mailboxes.values(), key=lambda row: row.address)
    found = [row for row in rows if wanted in row.address or wanted in row.name.lower()]
    start, length = int(query.get("start") or 0), int(query.get("length") or -1)
    page = found[start : start + length] if length >= 0 else found[start:]
    return {
        "draw": int(query.get("draw") or 0),
        "recordsTotal": len(found),
        "recordsFiltered": len(found),
        "data": [details(state, row) for row in page],
    }


def details(state: State, row: Mailbox) -> dict[str, Any]:
    """Everything the API tells of one mailbox; the hash is never in it."""
    whole = row.has_quota_row
    shown: dict[str, Any] = {
        "username": row.address,
        "active": row.active,
        "active_int": row.active,
        "domain": row.domain,
        "name": row.name,
        "local_part": row.local_part,
        "quota": row.quota,
        "messages": row.messages,
        "attributes": row.attributes,
        "custom_attributes": row.custom_attributes or [],
        "quota_used": row.quota_used,
        "created": row.created,
        "modified": row.modified,
    }
    if not whole:
        shown = {key: None if key != "quota_used" else 0 for key in shown}
    shown.update(_use(row) if whole else {"percent_in_use": "- ", "percent_class": "info"})
    shown["authsource"] = row.authsource
    logins = {f"last_{service}_login": row.logins.get(service, 0) for service in _SERVICES}
    domain = state.domains.get(row.domain)
    inherited = domain.rate_limit if domain and whole else None
    shown |= logins | {
        "max_new_quota": state.quota_left(row) if whole else 0,
        "spam_aliases": 0,
        "pushover_active": 0,
        "rl": row.rate_limit or inherited or False,
        "rl_scope": "mailbox" if row.rate_limit else "domain",
        "is_relayed": 0 if whole else None,
        "sender_acl": row.sender_acl if whole else [],
    }
    if row.tags and whole:
        shown["tags"] = row.tags
    return shown


def _use(row: Mailbox) -> dict[str, Any]:
    if row.quota == 0:
        return {"percent_in_use": "- ", "percent_class": "info"}
    percent = round(100 * row.quota_used / row.quota)
    return {
        "percent_in_use": percent,
        "percent_class": "danger" if percent >= 90 else "warning" if percent >= 75 else "success",
    }


def domain(state: State, name: str) -> dict[str, Any]:
    """Reply to `get/domain/NAME`; an alias domain brings its target, an unknown name nothing."""
    try:
        ascii_name = name.lower().encode("idna").decode()
    except UnicodeError:
        return {}
    row = state.domains.get(state.alias_domains.get(ascii_name, ascii_name))
    return domain_details(state, row) if row else {}


def dkim(state: State, name: str) -> dict[str, Any]:
    """Reply to `get/dkim/NAME`: every domain here has a key, the same one each time; nothing for an unknown name."""
    if name not in state.domains:
        return {}
    key = base64.b64encode(b"\x30\x82\x01\x22" + hashlib.sha512(name.encode()).digest() * 4).decode()
    txt = f"v=DKIM1;k=rsa;t=s;s=email;p={key}"
    return {"pubkey": key, "length": "1024", "dkim_txt": txt, "dkim_selector": "dkim", "privkey": ""}


def domain_details(state: State, row: Domain) -> dict[str, Any]:
    """Everything the API tells of one domain; some sums are text as soon as there is anything to sum."""
    boxes, aliases = state.mailboxes_of(row.name), state.aliases_of(row.name)
    used = sum(box.quota for box in boxes)
    size, count = sum(box.quota_used for box in boxes), sum(box.messages for box in boxes)
    largest = max(0, min(row.max_quota, row.quota - used))
    flags = ("backupmx", "gal", "active", "relay_all_recipients", "relay_unknown_only")
    shown: dict[str, Any] = {
        "max_new_mailbox_quota": largest,
        "def_new_mailbox_quota": min(row.default_quota, largest),
        "quota_used_in_domain": str(used),
        "bytes_total": str(size) if boxes else 0,
        "msgs_total": str(count) if boxes else 0,
        "mboxes_in_domain": len(boxes),
        "mboxes_left": row.mailboxes - len(boxes),
        "domain_name": row.name,
        "domain_h_name": row.name.encode().decode("idna"),
        "description": row.description or row.name,
        "max_num_aliases_for_domain": row.aliases,
        "max_num_mboxes_for_domain": row.mailboxes,
        "def_quota_for_mbox": row.default_quota,
        "max_quota_for_mbox": row.max_quota,
        "max_quota_for_domain": row.quota,
        "relayhost": "0",
        "rl": row.rate_limit or False,
        "created": row.created,
        "modified": row.modified,
        "aliases_in_domain": len(aliases),
        "aliases_left": row.aliases - len(aliases),
        "domain_admins": "-",
    }
    for flag in flags:
        shown[flag] = shown[f"{flag}_int"] = getattr(row, flag)
    if row.tags:
        shown["tags"] = row.tags
    return shown


def domains(state: State, tags: list[str]) -> Any:
    """Reply to `get/domain/all`."""
    rows = [row for _, row in sorted(state.domains.items()) if not tags or set(tags) & set(row.tags)]
    return [domain_details(state, row) for row in rows] or {}


def aliases(state: State, domain_name: str) -> Any:
    """Reply to `get/alias/all[/DOMAIN]`."""
    rows = state.aliases_of(domain_name.lower()) if domain_name else list(state.aliases.values())
    return [alias_details(row) for row in rows] or {}


def alias(state: State, wanted: str) -> dict[str, Any]:
    """Reply to `get/alias/ID` and `/ADDRESS`; digits an unknown address begins with are taken for an id."""
    row = state.alias_at(wanted)
    number = re.match("[0-9]+", wanted)
    if row is None and number:
        row = state.aliases.get(int(number.group()))
    return alias_details(row) if row else {}


def alias_details(row: Alias) -> dict[str, Any]:
    """Everything the API tells of one alias."""
    return {
        "in_primary_domain": "",
        "id": row.id,
        "domain": row.domain,
        "public_comment": row.public_comment,
        "private_comment": row.private_comment,
        "goto": row.goto,
        "address": row.address,
        "is_catch_all": int(row.address.startswith("@")),
        "internal": row.internal,
        "active": row.active,
        "active_int": row.active,
        "sogo_visible": row.sogo_visible,
        "sogo_visible_int": row.sogo_visible,
        "sender_allowed": 0,
        "created": row.created,
        "modified": row.modified,
    }
