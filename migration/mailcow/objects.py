"""Domains and aliases as mailcow tells of them, and what became of adding an object. Pure: no call is made here.

A success counts only when mailcow tells of exactly the object that was sent, once, and of nothing it refused
(`data/web/inc/functions.mailbox.inc.php`; recordings `add-domain*`, `add-mailbox*`, `add-alias*`, `get-domain*`,
`get-alias*`).
"""

import html
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from . import logins
from .errors import Blocked, Missing, Reason, Unknown
from .replies import Reply, entries_of, integer, json_of, text


class Refusal(StrEnum):
    """Why mailcow did not make the object. Stored with it, so codes are never renamed."""

    EXISTS = "exists"  # somebody was faster, or an earlier call of ours was carried out after all
    IS_ALIAS = "is_alias"  # a mailbox is wanted where an alias is
    IS_TAKEN = "is_taken"  # an alias is wanted where a mailbox or an alias is
    NO_DOMAIN = "no_domain"
    COUNT = "count"  # as many mailboxes or aliases as the domain may have
    QUOTA = "quota"  # more than the domain allows, for one mailbox or altogether
    GOTO = "goto"
    NAME = "name"  # mailcow takes the address or the domain for none
    OTHER = "other"


_REFUSALS = {
    "domain_exists": Refusal.EXISTS,
    "object_exists": Refusal.EXISTS,
    "is_alias": Refusal.IS_ALIAS,
    "is_alias_or_mailbox": Refusal.IS_TAKEN,
    "domain_not_found": Refusal.NO_DOMAIN,
    "access_denied": Refusal.NO_DOMAIN,
    "max_mailbox_exceeded": Refusal.COUNT,
    "max_alias_exceeded": Refusal.COUNT,
    "mailbox_quota_exceeded": Refusal.QUOTA,
    "mailbox_quota_left_exceeded": Refusal.QUOTA,
    "mailbox_defquota_exceeds_mailbox_maxquota": Refusal.QUOTA,
    "mailbox_quota_exceeds_domain_quota": Refusal.QUOTA,
    "goto_invalid": Refusal.GOTO,
    "domain_invalid": Refusal.NAME,
    "domain_cannot_match_hostname": Refusal.NAME,
    "mailbox_invalid": Refusal.NAME,
}


class NotMade(Blocked):
    """mailcow said no to the object; `refusal` says why. Nothing was made."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(Reason.REJECTED)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """What mailcow says about one domain. Quotas in bytes; `mailboxes` and `aliases` are there, `max_…` allowed.

    `name` is another than was asked for when that is an alias domain: it is its target's.
    """

    name: str
    active: bool
    backup_mx: bool
    relays: bool
    mailboxes: int
    max_mailboxes: int
    aliases: int
    max_aliases: int
    quota_given: int
    max_quota: int
    max_quota_of_mailbox: int


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """What mailcow says about one alias. A catch-all's address is `@domain`."""

    address: str
    goto: tuple[str, ...]
    active: bool


def made(reply: Reply, key: str, name: str) -> None:
    """Return only when the reply to an `add/…` tells of success for `name` alone. Raises MailcowError."""
    messages = [(kind, _message(msg)) for kind, msg in entries_of(json_of(reply))]
    dangers = [message[0] for kind, message in messages if kind == "danger"]
    successes = [message for kind, message in messages if kind == "success" and message[0] == key]
    if any("SQLSTATE[" in message[0] for _, message in messages):
        raise Unknown(Reason.DATABASE)
    if any(danger.startswith("An unknown error occured") for danger in dangers):
        raise Unknown(Reason.CRASH)
    if dangers and successes:
        raise Unknown(Reason.UNEXPECTED)  # one object was sent: one of the two entries is not about this call
    if dangers:
        raise NotMade(_REFUSALS.get(dangers[0], Refusal.OTHER))
    # mailcow escapes the address of a mailbox for HTML, and keeps an alias as it was sent.
    if len(successes) != 1 or any(kind != "success" for kind, _ in messages):
        raise Unknown(Reason.UNEXPECTED)
    if len(successes[0]) < 2 or html.unescape(successes[0][1]) != name:
        raise Unknown(Reason.UNEXPECTED)


def read_domain(reply: Reply) -> DomainFacts:
    """The facts in a reply to `get/domain/NAME`. Raises MailcowError: Missing when there is none."""
    row = json_of(reply)
    if row == {}:
        raise Missing(Reason.MISSING)
    if not isinstance(row, dict):
        raise Unknown(Reason.UNEXPECTED)
    return DomainFacts(
        name=text(row.get("domain_name")),
        active=integer(row.get("active")) == 1,
        backup_mx=integer(row.get("backupmx")) == 1,
        relays=integer(row.get("relay_all_recipients")) == 1 or integer(row.get("relay_unknown_only")) == 1,
        mailboxes=integer(row.get("mboxes_in_domain")),
        max_mailboxes=integer(row.get("max_num_mboxes_for_domain")),
        aliases=integer(row.get("aliases_in_domain")),
        max_aliases=integer(row.get("max_num_aliases_for_domain")),
        quota_given=integer(row.get("quota_used_in_domain")),
        max_quota=integer(row.get("max_quota_for_domain")),
        max_quota_of_mailbox=integer(row.get("max_quota_for_mbox")),
    )


def read_aliases(reply: Reply, domain: str) -> list[AliasFacts]:
    """The aliases of the domain in a reply to `get/alias/all/DOMAIN`; an empty object stands for none."""
    document = json_of(reply, limit=logins.MAX_BODY)
    if document == {}:
        return []
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise Unknown(Reason.UNEXPECTED)
    return [_alias(row) for row in document if row.get("domain") == domain]


def read_alias(reply: Reply, address: str) -> AliasFacts:
    """The facts in a reply to `get/alias/ADDRESS`. Raises MailcowError: Missing when there is none."""
    row = json_of(reply)
    if row == {}:
        raise Missing(Reason.MISSING)
    if not isinstance(row, dict):
        raise Unknown(Reason.UNEXPECTED)
    found = _alias(row)
    if found.address.lower() != address:
        raise Unknown(Reason.UNEXPECTED)
    return found


def _alias(row: dict[str, Any]) -> AliasFacts:
    goto = tuple(sorted(target.strip().lower() for target in text(row.get("goto")).split(",") if target.strip()))
    return AliasFacts(text(row.get("address")), goto, integer(row.get("active")) == 1)


def _message(msg: Any) -> tuple[str, ...]:
    """The key of a message and its arguments that are text."""
    words = [msg] if isinstance(msg, str) else msg
    if not isinstance(words, list) or not words or not isinstance(words[0], str):
        raise Unknown(Reason.UNEXPECTED)
    return tuple(str(word) for word in words)
