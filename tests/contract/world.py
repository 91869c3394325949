"""The database the recordings were made on, rebuilt for the stand-in, and what each recording needs of it."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.state import MIB, Alias, Domain, Mailbox

from .recorded import Recording, recordings

STRICT_POLICY = {"length": "12", "chars": "1", "special_chars": "1", "lowerupper": "1", "numbers": "1"}


def build(mailcow: MailcowStandIn, recording: Recording) -> None:
    """Fill the stand-in as mailcow was filled when the recording was made."""
    state = mailcow.state
    state.hostname = "mail.rig.test"
    for row in recordings()["get-domain-all"].document:
        state.domains[row["domain_name"]] = domain(row)
    state.domains["sogo.example"].mailboxes = 100  # raised in the course of the recording
    state.alias_domains["aliasdom.example"] = "demo.example"
    for row in recordings()["get-mailbox-all"].document:
        state.mailboxes[row["username"]] = mailbox(row)
    for row in recordings()["get-alias-all"].document:
        state.aliases[row["id"]] = alias(row)
    for address in ("del1@demo.example", "del2@demo.example", "qe@demo.example"):
        mailcow.add_mailbox(address)
    state.mailboxes["edit@demo.example"].authsource = "mailcow"
    for pattern, prepare in PREPARATIONS:
        if fnmatchcase(recording.name, pattern):
            prepare(mailcow, recording)


def mailbox(row: dict[str, Any]) -> Mailbox:
    """A row of the stand-in from what the API told."""
    own_limit = row.get("rl_scope") == "mailbox" and row["rl"]
    return Mailbox(
        row["username"],
        "{SSHA512}unusable",
        name=row["name"],
        quota=row["quota"],
        active=row["active"],
        authsource=row["authsource"],
        attributes=dict(row["attributes"]),
        custom_attributes=dict(row["custom_attributes"] or {}),
        tags=list(row.get("tags", [])),
        sender_acl=list(row.get("sender_acl") or []),
        rate_limit=own_limit or None,
        logins={service: row[f"last_{service}_login"] for service in ("imap", "smtp", "pop3", "sso")},
        quota_used=row["quota_used"],
        messages=row["messages"],
        created=row["created"],
        modified=row["modified"],
    )


def alias(row: dict[str, Any]) -> Alias:
    """A row of the stand-in from what the API told."""
    kept = ("id", "address", "goto", "active", "sogo_visible", "internal", "created", "modified")
    comments = {key: row[key] for key in ("public_comment", "private_comment")}
    return Alias(**{key: row[key] for key in kept}, **comments)


def domain(row: dict[str, Any]) -> Domain:
    """A row of the stand-in from what the API told."""
    flags = ("active", "backupmx", "gal", "relay_all_recipients", "relay_unknown_only", "created", "modified")
    return Domain(
        row["domain_name"],
        description=row["description"],
        mailboxes=row["max_num_mboxes_for_domain"],
        aliases=row["max_num_aliases_for_domain"],
        default_quota=row["def_quota_for_mbox"],
        max_quota=row["max_quota_for_mbox"],
        quota=row["max_quota_for_domain"],
        rate_limit=row["rl"] or None,
        tags=list(row.get("tags", [])),
        **{flag: row[flag] for flag in flags},
    )


def _forget_added_mailbox(mailcow: MailcowStandIn, recording: Recording) -> None:
    entries = recording.document if isinstance(recording.document, list) else []
    for entry in entries:
        if entry["type"] == "success":
            mailcow.mailboxes.pop(entry["msg"][1].replace("&#039;", "'"), None)


def _forget_added_domain(mailcow: MailcowStandIn, recording: Recording) -> None:
    for entry in recording.document:
        if entry["type"] == "success":
            mailcow.state.domains.pop(entry["msg"][1], None)


def _forget_added_alias(mailcow: MailcowStandIn, recording: Recording) -> None:
    added = [entry["msg"] for entry in recording.document if entry["msg"][0] == "alias_added"]
    for _, address, number in added:
        existing = mailcow.state.alias_at(address)
        if existing:
            del mailcow.state.aliases[existing.id]
        mailcow.state.next_alias_id = min(int(number), int(added[0][2]))


def _shown_mailboxes(mailcow: MailcowStandIn, recording: Recording) -> None:
    shown = recording.document if isinstance(recording.document, list) else [recording.document]
    for row in shown:
        if row and row.get("username"):
            mailcow.state.mailboxes[row["username"]] = mailbox({"sender_acl": [], "rl": False, **row})
    if isinstance(recording.document, list):
        names = {row["username"] for row in shown}
        domains = {row["domain"] for row in shown}
        for row in list(mailcow.mailboxes.values()):
            if row.domain in domains and row.address not in names:
                del mailcow.mailboxes[row.address]


def _only(*addresses: str) -> Callable[[MailcowStandIn, Recording], None]:
    def prepare(mailcow: MailcowStandIn, recording: Recording) -> None:
        domain = addresses[0].rpartition("@")[2]
        for row in mailcow.state.mailboxes_of(domain):
            if row.address not in addresses:
                del mailcow.mailboxes[row.address]

    return prepare


def _empty(table: str) -> Callable[[MailcowStandIn, Recording], None]:
    def prepare(mailcow: MailcowStandIn, recording: Recording) -> None:
        getattr(mailcow.state, table).clear()

    return prepare


def _half_a_mailbox(mailcow: MailcowStandIn, recording: Recording) -> None:
    row = mailcow.add_mailbox("qs@demo.example", has_quota_row=False)
    row.logins["imap"] = 1795491691


def _set(path: str, value: Any) -> Callable[[MailcowStandIn, Recording], None]:
    """Set one attribute: `table key column`, or `policy`."""

    def prepare(mailcow: MailcowStandIn, recording: Recording) -> None:
        if path == "policy":
            mailcow.state.policy = value
            return
        table, key, column = path.split()
        setattr(getattr(mailcow.state, table)[key], column, value)

    return prepare


def _after_edit(mailcow: MailcowStandIn, recording: Recording) -> None:
    demo = mailcow.state.domains["demo.example"]
    demo.description, demo.mailboxes, demo.modified = "changed", 60, "2026-11-24 04:41:47"


PREPARATIONS: list[tuple[str, Callable[[MailcowStandIn, Recording], None]]] = [
    ("add-mailbox*", _forget_added_mailbox),
    ("add-mailbox-domain-quota-left-exceeded", _only("anna@tiny.example")),
    ("add-mailbox-tiny-1", _only("nobody@tiny.example")),
    ("add-mailbox-tiny-2", _only("anna@tiny.example")),
    ("add-domain-*", _forget_added_domain),
    ("add-alias-domain", _empty("alias_domains")),
    ("add-alias*", _forget_added_alias),
    ("get-mailbox-*", _shown_mailboxes),
    ("route-trailing-slash", _shown_mailboxes),
    ("session-cookie-without-key-get", _shown_mailboxes),
    ("auth-readonly-key-get", _shown_mailboxes),
    ("get-mailbox-no-quota2-row", _half_a_mailbox),
    ("edit-mailbox-no-quota2-row", _half_a_mailbox),
    ("delete-mailbox-again", _empty("mailboxes")),
    ("get-domain-all", _empty("mailboxes")),
    ("get-domain-all", _set("domains sogo.example mailboxes", 10)),
    ("get-domain-all-empty", _empty("domains")),
    ("get-domain-alias-domain", _after_edit),
    ("edit-mailbox-authsource-ldap*", _set("mailboxes edit@demo.example authsource", "ldap")),
    ("edit-mailbox-quota-over-domain-total*", _set("domains tiny.example quota", 120 * MIB)),
    ("edit-mailbox-policy-*", _set("policy", STRICT_POLICY)),
    ("get-passwordpolicy-after-edit", _set("policy", STRICT_POLICY)),
    ("get-passwordpolicy-after-too-short", _set("policy", {**STRICT_POLICY, "length": "8"})),
]
