"""Seal events one after another, in an order of our own: an event waits for nobody when it is written.

Events are inserted as they come. Whoever seals holds the one row of the chain's end, takes what is not sealed yet in
the order of the ids, and adds seal after seal. An event may commit after one with a higher id was sealed; it is sealed
later and has a higher number. So that this stays cheap with millions of events, only those above `settled` are looked
at: events older than an hour, all sealed. Once a day all are.

Nothing is sealed over an end that was not made with a key of the ring: a forged end must not be vouched for.
"""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from migration.models import AuditHead, Event, Seal
from migration.secrets import Purpose, mac, mac_matches

from .canonical import SALT_BYTES, SALTS, digests, link, signed

log = structlog.get_logger(__name__)

BATCH = 1000
A_SWEEP = 5000
# How many ids are looked at in one go; a batch comes from within.
WALK = 10_000
# How late an event may commit and still be found by the next sweep, not by the daily run.
LATE = timedelta(hours=1)


def hold() -> AuditHead:
    """The end of the chain, for the transaction's own: nobody seals or erases meanwhile."""
    AuditHead.objects.get_or_create(pk=AuditHead.ONLY)
    return AuditHead.objects.select_for_update().get(pk=AuditHead.ONLY)


def seal(at_most: int = A_SWEEP) -> int:
    """Seal what is new, at most so many events. Returns how many."""
    return _seal(at_most, everything=False)


def seal_all(*, over_any_end: bool = False) -> int:
    """Seal whatever is not sealed, however late it came. Returns how many.

    `over_any_end` goes on where no key of the ring vouches for the end: after a key was lost, or after forgery, when
    all there is has been put aside as evidence.
    """
    return _seal(None, everything=True, over_any_end=over_any_end)


def unsealed(above: int = 0) -> QuerySet[Event]:
    """The events without a seal whose id is above this, the oldest first."""
    return Event.objects.filter(~Exists(Seal.objects.filter(event=OuterRef("pk"))), pk__gt=above).order_by("pk")


def _next(above: int, size: int) -> list[Event]:
    """The next events to seal, at most so many. Two walks along an index, however many are sealed already."""
    while True:
        pks = list(Event.objects.filter(pk__gt=above).order_by("pk").values_list("pk", flat=True)[:WALK])
        if not pks:
            return []
        seals = Seal.objects.filter(event__gte=pks[0], event__lte=pks[-1]).order_by()
        sealed = set(seals.values_list("event", flat=True))
        if found := [pk for pk in pks if pk not in sealed][:size]:
            return list(Event.objects.filter(pk__in=found).order_by("pk"))
        above = pks[-1]


def _seal(at_most: int | None, *, everything: bool, over_any_end: bool = False) -> int:
    done, above = 0, 0 if everything else None
    while at_most is None or done < at_most:
        size = BATCH if at_most is None else min(BATCH, at_most - done)
        with transaction.atomic():
            end = hold()
            if not (over_any_end or _is_ours(end)):
                log.error("audit_end_not_ours", number=end.number)
                break
            events = _next(end.settled if above is None else above, size)
            _add(end, events)
            _settle(end, events, caught_up=not events)
            end.save(update_fields=["number", "link", "sealed_at", "settled"])
        if not events:
            break
        done += len(events)
        above = events[-1].pk
    return done


def _is_ours(end: AuditHead) -> bool:
    if end.number == 0:
        return not Seal.objects.exists()
    newest = Seal.objects.filter(number=end.number, link=end.link).first()
    return newest is not None and mac_matches(Purpose.AUDIT, signed(newest.number, bytes(newest.link)), newest.mac)


def _add(end: AuditHead, events: Sequence[Event]) -> None:
    """One seal after the other behind the end."""
    now = max(timezone.now(), end.sealed_at or datetime.min.replace(tzinfo=timezone.get_default_timezone()))
    seals = []
    for event in events:
        salts = {name: os.urandom(SALT_BYTES) for name in dict.fromkeys(SALTS.values())}
        row = Seal(
            number=end.number + 1,
            event=event.pk,
            sealed_at=now,
            domain=event.domain_id,
            mailbox=event.mailbox_id,
            digests=digests(event, salts),
            **salts,
        )
        row.link = link(bytes(end.link), row, event)
        row.mac = mac(Purpose.AUDIT, signed(row.number, row.link))
        end.number, end.link, end.sealed_at = row.number, row.link, now
        seals.append(row)
    Seal.objects.bulk_create(seals)


def _settle(end: AuditHead, events: Sequence[Event], *, caught_up: bool) -> None:
    """Raise the number below which the sweep need not look any more."""
    before = timezone.now() - LATE
    old = [event.pk for event in events if event.at < before and event.pk > end.settled]
    if caught_up:
        old += Event.objects.filter(pk__gt=end.settled, at__lt=before).order_by("-pk").values_list("pk", flat=True)[:1]
    end.settled = max([end.settled, *old])


def forget_address(events: Sequence[int]) -> None:
    """The whole address of these events goes; its network stays."""
    Seal.objects.filter(event__in=events).update(address_salt=None)


def forget_network(events: Sequence[int]) -> None:
    """The address of these events goes."""
    Seal.objects.filter(event__in=events).update(address_salt=None, network_salt=None)


def forget_person(events: Sequence[int]) -> None:
    """Mailbox, actor and detail of these events go, and the address."""
    Seal.objects.filter(event__in=events).update(address_salt=None, network_salt=None, salt=None, mailbox=None)
