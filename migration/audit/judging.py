"""One event against its seal: is it still what was sealed, or erased in time?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest

from django.utils import timezone

from migration.models import Domain, Event, Mailbox, Seal

from .canonical import SALTS, anonymous, digest, digest_of, fields, network_of

# What goes when: the rules of `migration.retention`, with a day for clocks that differ.
_GRACE = timedelta(days=1)
CUT_AFTER = timedelta(days=7)
DELETED_AFTER = timedelta(days=30)
ANONYMISED_AFTER = timedelta(days=365)


class What(StrEnum):
    """What is wrong with a link of the chain."""

    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"
    REORDERED = "reordered"
    TRUNCATED = "truncated end"


@dataclass(frozen=True)
class Broken:
    """The first link that does not hold: its place, the event it is about if one is known, and what is wrong."""

    what: What
    number: int
    event: int | None
    why: str

    def __str__(self) -> str:
        about = "" if self.event is None else f", event {self.event}"
        return f"seal {self.number}{about}: {self.what} ({self.why})"


@dataclass(frozen=True)
class Gone:
    """The mailboxes and domains that some seals name and that are not there any more."""

    mailboxes: frozenset[int]
    domains: frozenset[int]


def gone(seals: Sequence[Seal], events: Mapping[int, Event]) -> Gone:
    """What these seals name, their events do not, and does not exist. Two queries at most."""
    lost = [(seal, events[seal.event]) for seal in seals if seal.event in events]
    mailboxes = {seal.mailbox for seal, event in lost if event.mailbox_id is None and seal.mailbox is not None}
    domains = {seal.domain for seal, event in lost if event.domain_id is None and seal.domain is not None}
    return Gone(
        frozenset(mailboxes - _there(Mailbox.objects.filter(pk__in=mailboxes).values_list("pk", flat=True), mailboxes)),
        frozenset(domains - _there(Domain.objects.filter(pk__in=domains).values_list("pk", flat=True), domains)),
    )


def _there(found: Iterable[int], asked: set[int]) -> set[int]:
    return set(found) if asked else set()


def changed(seal: Seal, event: Event, gone: Gone) -> str:
    """Which field of the event differs from what was sealed and why that is not retention; empty when all is well."""
    now, values = timezone.now(), fields(event)
    if event.domain_id != seal.domain and not (event.domain_id is None and seal.domain in gone.domains):
        return "domain"
    if wrong := _address_changed(seal, event, values, now):
        return wrong
    if seal.salt is None:
        if event.at > now - ANONYMISED_AFTER + _GRACE:
            return "anonymised too early"
        is_anonymous = (event.mailbox_id, event.detail, event.actor) == (None, {}, anonymous(event.actor))
        return "" if is_anonymous and seal.mailbox is None else "mailbox, actor or detail, after it was anonymised"
    if event.mailbox_id is None and seal.mailbox in gone.mailboxes:
        values["mailbox"] = seal.mailbox
    differing = [name for name in ("mailbox", "actor", "detail") if not _holds(seal, name, values[name])]
    return ", ".join(differing) or ("" if values["mailbox"] == seal.mailbox else "mailbox")


def _address_changed(seal: Seal, event: Event, values: Mapping[str, object], now: datetime) -> str:
    if seal.network_salt is None:
        if event.at > now - DELETED_AFTER + _GRACE:
            return "address deleted too early"
        return "address, after it was deleted" if event.ip is not None else ""
    if seal.address_salt is None:
        if event.at > now - CUT_AFTER + _GRACE:
            return "address cut too early"
        cut = event.ip is not None and event.ip == network_of(event.ip)
        return "" if cut and _holds(seal, "network", values["network"]) else "address"
    return (
        "" if _holds(seal, "address", values["address"]) and _holds(seal, "network", values["network"]) else "address"
    )


def _holds(seal: Seal, name: str, value: object) -> bool:
    salt = getattr(seal, SALTS[name])
    return compare_digest(digest(bytes(salt), name, value), digest_of(seal, name))
