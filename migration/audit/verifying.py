"""Go along the chain from its first seal and stop at the first one that does not hold.

Needs the memory of one batch, however long the chain is. What retention erased is fine if it was old enough; what names
a mailbox or domain that is gone is fine; anything else that differs from what was sealed is not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from migration.models import AuditHead, Event, Seal
from migration.secrets import Purpose, SecretsError, key_id_of, knows_key, mac_matches

from . import head, judging, sealing
from .canonical import link, signed
from .judging import Broken, What

BATCH = 1000
# How far from its place a seal is looked for that stands elsewhere.
NEARBY = 1000


@dataclass(frozen=True)
class Report:
    """What a check found. `broken` is the first seal that does not hold; None: the chain is whole.

    `backdated` counts events written more than an hour after the time they carry: a clock was set, or somebody added
    them later. `old_keys` counts seals whose key is not on the ring; a later seal under a known key vouches for them.
    """

    checked: int = 0
    last: int = 0
    erased: int = 0
    backdated: int = 0
    old_keys: int = 0
    unsealed: int = 0
    given_up: int = 0
    broken: Broken | None = None


@dataclass
class _Walk:
    """Where a check is."""

    number: int = 0
    link: bytes = b""
    newest_id: int = 0
    newest_at: datetime | None = None
    vouched: bool = True
    report: Report = Report()


def verify(
    *,
    since: datetime | None = None,
    known: head.Head | None = None,
    told: Callable[[int], None] = lambda _done: None,
) -> Report:
    """Check the chain, or what was sealed since that time, and keep the result for the audit page.

    `known` is a head somebody kept elsewhere, besides the one of this machine's file. `told` is called with how many
    seals are checked so far.
    """
    walk = _start(since)
    while batch := list(Seal.objects.filter(number__gt=walk.number).order_by("number")[:BATCH]):
        if _check(walk, batch):
            break
        told(walk.report.checked)
    with transaction.atomic():
        end = sealing.hold()
        while walk.report.broken is None and (
            batch := list(Seal.objects.filter(number__gt=walk.number).order_by("number")[:BATCH])
        ):
            _check(walk, batch)
        report = replace(walk.report, last=walk.number, unsealed=sealing.unsealed(end.settled).count())
        if report.broken is None:
            report = _with_end(report, walk, end, [found for found in (head.kept(), known) if found])
        end.verified_at, end.verified = timezone.now(), walk.number
        end.broken = str(report.broken or "")[:200]
        end.save(update_fields=["verified_at", "verified", "broken"])
    return report


def _start(since: datetime | None) -> _Walk:
    first = Seal.objects.filter(sealed_at__gte=since).order_by("number").first() if since else None
    before = Seal.objects.filter(number=first.number - 1).first() if first else None
    if since and first is None:
        before = Seal.objects.order_by("-number").first()
    return _Walk(before.number, bytes(before.link)) if before else _Walk()


def _check(walk: _Walk, batch: list[Seal]) -> bool:
    """Go along these seals; whether one of them is broken."""
    events = Event.objects.in_bulk([seal.event for seal in batch])
    gone = judging.gone(batch, events)
    for seal in batch:
        event = events.get(seal.event)
        broken = _broken(walk, seal, event, gone)
        report = replace(walk.report, checked=walk.report.checked + 1, broken=broken)
        if broken or event is None:
            walk.report = report
            return True
        walk.number, walk.link = seal.number, bytes(seal.link)
        backdated = walk.newest_at is not None and event.at < walk.newest_at - sealing.LATE
        walk.newest_id, walk.newest_at = max(walk.newest_id, event.pk), max(walk.newest_at or event.at, event.at)
        walk.report = replace(
            report,
            erased=report.erased + (seal.address_salt is None),
            backdated=report.backdated + backdated,
            old_keys=report.old_keys + (not walk.vouched),
        )
    return False


def _broken(walk: _Walk, seal: Seal, event: Event | None, gone: judging.Gone) -> Broken | None:
    """What is wrong with this seal at this place, if anything."""
    if seal.number != walk.number + 1:
        return Broken(What.MISSING, walk.number + 1, None, "the seal is not there")
    if event is None:
        return Broken(What.MISSING, seal.number, seal.event, "the event is not there")
    if found := judging.changed(seal, event, gone):
        return Broken(What.CHANGED, seal.number, seal.event, found)
    return _unlinked(walk, seal, event)


def _unlinked(walk: _Walk, seal: Seal, event: Event) -> Broken | None:
    """What is wrong between this seal and those before it, if anything."""
    why, what = "", What.CHANGED
    walk.vouched = _has_key(seal)
    if link(walk.link, seal, event) != bytes(seal.link):
        place = _place_of(seal)
        what = What.REORDERED if place else What.CHANGED
        why = f"the seal belongs to place {place}" if place else "time, kind of event, or the seal itself"
    elif walk.vouched and not mac_matches(Purpose.AUDIT, signed(seal.number, bytes(seal.link)), seal.mac):
        why = "the seal was not made with our key"
    elif event.pk < walk.newest_id and walk.newest_at and event.at < walk.newest_at - sealing.LATE:
        what, why = What.EXTRA, "written long after the events around it"
    return Broken(what, seal.number, seal.event, why) if why else None


def _has_key(seal: Seal) -> bool:
    try:
        return knows_key(key_id_of(seal.mac))
    except SecretsError:
        return True


def _place_of(seal: Seal) -> int | None:
    """The place this seal was made for, if that is near and another one."""
    if not _has_key(seal):
        return None
    places = range(max(1, seal.number - NEARBY), seal.number + NEARBY)
    made_for = (place for place in places if mac_matches(Purpose.AUDIT, signed(place, bytes(seal.link)), seal.mac))
    place = next(made_for, None)
    return place if place != seal.number else None


def _with_end(report: Report, walk: _Walk, end: AuditHead, known: list[head.Head]) -> Report:
    """Whether the chain ends where it did: by the row of its end, and by what is known outside the database."""
    if (walk.number, walk.link) != (end.number, bytes(end.link)):
        what = What.TRUNCATED if walk.number < end.number else What.EXTRA
        return replace(report, broken=Broken(what, walk.number, None, f"the end was noted as {end.number}"))
    if walk.number and not walk.vouched:
        return replace(report, broken=Broken(What.CHANGED, walk.number, None, "no key of the ring vouches for the end"))
    for found in known:
        if found.is_known():
            continue
        if found.was_given_up():
            report = replace(report, given_up=max(report.given_up, found.number - walk.number))
            continue
        what = What.TRUNCATED if found.number > walk.number else What.CHANGED
        why = "a head kept outside the database is not in this chain"
        return replace(report, broken=Broken(what, found.number, None, why))
    return report
