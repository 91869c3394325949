"""The breaker: open, half-open or closed.

Open: mailcow turned us away. No call is made until a person says so, for every 401 counts towards a ban of our address.
Half-open: mailcow often gave no clear answer. It is not flooded then: one push a minute is tried until one arrives.
Nothing of being turned away ever counts towards half-open, so nothing ever probes a closed door.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from .mailcow.errors import UNCLEAR, Reason
from .models import Event, Target

log = structlog.get_logger(__name__)

# Half-open: more than a fifth of the tries of the last minutes unclear, and enough of them to tell a share at all.
RECENT = timedelta(minutes=5)
ENOUGH_TRIES = 5
UNCLEAR_SHARE = 0.2
PROBE_EVERY = timedelta(minutes=1)

# The states are spelled out, so that the databases use the indexes of these rows alone.
IN_FLIGHT = """
    (SELECT count(*) FROM migration_push WHERE state = 'in_flight')
    + (SELECT count(*) FROM migration_provisionedobject WHERE state = 'in_flight')
"""
"""How many writes are in flight, of whatever kind, as part of a plain statement."""

_TRIES = (Event.Action.PUSH_DELIVERED, Event.Action.PUSH_WAITING, Event.Action.PUSH_BLOCKED)


def locked_target() -> Target:
    """The row of the one mailcow we push to, locked until the caller's transaction ends."""
    locked = Target.objects.select_for_update()
    return locked.filter(name=_name()).first() or locked.get_or_create(name=_name())[0]


def allows(target: Target, *, in_flight: int) -> bool:
    """Whether one more write may be claimed now, with so many in flight."""
    return in_flight < most_in_flight(target)


def most_in_flight(target: Target) -> int:
    """How many writes may be in flight now: none, one that is tried, or as many as the settings say."""
    if target.breaker_opened_at:
        return 0
    if target.probe_after is None:
        return int(settings.MAILCOW_WRITES_IN_FLIGHT)
    return int(Target.objects.filter(pk=target.pk, probe_after__lte=Now()).exists())


def in_flight() -> int:
    """How many writes are in flight, of whatever kind; exact while the target's row is locked."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {IN_FLIGHT}")
        return int(cursor.fetchone()[0])


def note_claim(target: Target) -> None:
    """A push was claimed: if half-open, the next one is a minute away; part of the claim's transaction."""
    if target.probe_after:
        Target.objects.filter(pk=target.pk).update(probe_after=Now() + PROBE_EVERY)


def slow_down_if_unclear(reason: str) -> None:
    """Become half-open when the recent tries were too often unclear; part of the transaction that records one."""
    if reason not in UNCLEAR:
        return
    tries = Event.objects.filter(at__gt=Now() - RECENT, actor="worker", action__in=_TRIES).order_by()
    unclear = tries.filter(action=Event.Action.PUSH_WAITING, detail__reason__in=list(UNCLEAR)).count()
    total = tries.count()
    if total < ENOUGH_TRIES or unclear <= total * UNCLEAR_SHARE:
        return
    if Target.objects.filter(name=_name(), probe_after=None).update(probe_after=Now() + PROBE_EVERY):
        Event.record(Event.Action.BREAKER_HALF_OPENED, actor="worker", target=_name(), unclear=unclear, tries=total)
        log.warning("breaker_half_opened", unclear=unclear, tries=total)


def recover(*, actor: str) -> None:
    """A push arrived, or a person knows better: no longer half-open. Part of the caller's transaction."""
    slowed = Target.objects.filter(name=_name(), breaker_opened_at=None, probe_after__isnull=False)
    if slowed.update(probe_after=None):
        Event.record(Event.Action.BREAKER_CLOSED, actor=actor, target=_name())
        log.info("breaker_recovered")


def trip(reason: Reason) -> None:
    """Open the breaker, unless it is open; part of the transaction that gives the push back."""
    closed = Target.objects.filter(name=_name(), breaker_opened_at=None)
    if closed.update(breaker_opened_at=Now(), breaker_reason=reason.value):
        Event.record(Event.Action.BREAKER_OPENED, actor="worker", target=_name(), reason=reason.value)
        log.error("breaker_opened", reason=reason.value)


def close(target: Target, *, actor: str) -> None:
    """Let transfers go on: what was wrong has been mended."""
    with transaction.atomic():
        Target.objects.filter(pk=target.pk).update(breaker_opened_at=None, breaker_reason="", probe_after=None)
        Event.record(Event.Action.BREAKER_CLOSED, actor=actor, target=target.name)
    target.refresh_from_db()


def _name() -> str:
    return settings.MAILCOW_URL.partition("://")[2][:40]
