"""The push outbox: enqueue, supersede, retry, claim, reap; `delivery` carries a claimed push out.

The row is the job. A claim is a conditional UPDATE in a short transaction, the call to mailcow runs outside any
transaction, and a second short transaction settles. Every settling UPDATE asks for the lease of the claim, so a worker
that was away too long changes nothing. Leases and due times use the database's clock: it is the only one all workers
share.
"""

import time
import uuid
from typing import Any, cast

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from . import breaker, campaign, delivery, doorbell, restore_guard
from .inserts import insert
from .joined import Part
from .models import Domain, Event, Mailbox, Push, Target
from .secrets import Purpose, seal
from .target import client

log = structlog.get_logger(__name__)

# A task that works on and on meets Celery's time limit in the middle of a push.
TIRED_SECONDS = 45

# What is due: the states of `Push.DUE`, spelled out for the index of these rows alone.
_DUE = """
    FROM migration_push p
    JOIN migration_mailbox m ON m.id = p.mailbox_id
    JOIN migration_domain d ON d.id = m.domain_id
    WHERE p.state IN ('queued', 'waiting', 'settling') AND p.due_at <= {now} AND d.paused_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM migration_push f WHERE f.mailbox_id = p.mailbox_id AND f.state = 'in_flight')
    AND {open} AND {runs}
"""
_NOW = {"sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", "postgresql": "STATEMENT_TIMESTAMP()"}
# What a delivery looks at; anything else is loaded when it is looked at.
_PARTS = {
    "p": Part(
        Push,
        "id mailbox_id version payload state reason attempts created_at write_open_at confirmed_update from_backup",
    ),
    "m": Part(Mailbox, "id domain_id local_part language kind state version"),
    "d": Part(Domain, "id customer_id name"),
}
_COLUMNS = ", ".join(f"{table}.{name}" for table, part in _PARTS.items() for name in part.names)


def enqueue(mailbox: Mailbox, *, password_hash: str, kept_old: bool, submission: uuid.UUID) -> Push:
    """Queue the mailbox's newest version, superseding what was open; part of the transaction that saves it."""
    if mailbox.version > 1:
        supersede_open(mailbox)
    push = Push(mailbox=mailbox, version=mailbox.version, submission=submission, kept_old=kept_old)
    push.payload = seal(Purpose.PENDING_HASH, push.sealed_for, password_hash.encode())
    insert(push)
    doorbell.ring("deliver_push", push.pk)
    return push


def supersede_open(mailbox: Mailbox) -> int:
    """Blank and close the mailbox's open push; one in flight is left to its worker. Returns how many.

    A delivered one that is watched needs no watch any more: what comes after it is watched instead.
    """
    open_or_watched = Push.objects.filter(mailbox=mailbox, state__in=(*Push.OPEN, Push.State.SETTLING))
    ends_as = Case(When(state=Push.State.SETTLING, then=Value("delivered")), default=Value("superseded"))
    return open_or_watched.update(state=ends_as, payload=None, confirmed_update="")


def retry_all(*, actor: str) -> int:
    """Make everything that waits or is blocked due now, once what was wrong is mended. Returns how many."""
    with transaction.atomic():
        breaker.recover(actor=actor)
        count = Push.objects.filter(state__in=Push.OPEN).update(state=Push.State.QUEUED, due_at=Now())
        Event.record(Event.Action.PUSH_RETRIED, actor=actor, count=count)
    _ring_for_first()
    return count


def retry(mailbox: Mailbox) -> Push | None:
    """Make the mailbox's open push due now. Returns it, or None if nothing waits."""
    if Push.objects.filter(mailbox=mailbox, state__in=Push.OPEN).update(state=Push.State.QUEUED, due_at=Now()) == 0:
        return None
    push = Push.objects.get(mailbox=mailbox, state=Push.State.QUEUED)
    doorbell.ring("deliver_push", push.pk)
    return push


def due() -> QuerySet[Push]:
    """The pushes a worker may take now, to deliver or to look after, the longest waiting first."""
    due, parameters = _due()
    pks = RawSQL(f"SELECT p.id {due}", parameters)  # noqa: S611 - our own text, values beside it
    return Push.objects.filter(pk__in=pks).order_by("due_at", "pk")


def claim(pk: int | None = None) -> Push | None:
    """Take a due push, the named one or the longest waiting; None if there is none, or no call is allowed now.

    The target's row is locked meanwhile, so the number of writes in flight is exact.
    """
    with transaction.atomic():
        target = breaker.locked_target()
        push = _next(pk, breaker.most_in_flight(target))
        if push is None:
            return None
        lease = uuid.uuid4().hex
        claimed = Push.objects.filter(pk=push.pk, state=push.state).update(
            state=Push.State.IN_FLIGHT,
            lease=lease,
            lease_until=Now() + settings.PUSH_LEASE,
            attempts=F("attempts") + 1,
        )
        if not claimed:  # a newer password was saved this very moment; it rings for itself
            return None
        breaker.note_claim(target)
    push.state, push.lease, push.attempts = Push.State.IN_FLIGHT, lease, push.attempts + 1
    push.is_probe = target.probe_after is not None
    return push


def _next(pk: int | None, most_in_flight: int) -> Push | None:
    """The due push that comes next, with its mailbox and domain, while fewer than so many writes are in flight."""
    due, parameters = _due()
    this = ("AND p.id = %s", (pk,)) if pk else ("", ())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} {due} AND {breaker.IN_FLIGHT} < %s {this[0]} ORDER BY p.due_at, p.id LIMIT 1",
            (*parameters, most_in_flight, *this[1]),
        )
        row = cursor.fetchone()
    if row is None:
        return None
    rest = iter(row)
    push, mailbox, domain = (part.made(connection.alias, rest) for part in _PARTS.values())
    mailbox.domain, push.mailbox = domain, mailbox
    return cast(Push, push)


def _due() -> tuple[str, tuple[int, ...]]:
    open_, parameters = restore_guard.condition()
    return _DUE.format(now=_NOW[connection.vendor], open=open_, runs=campaign.RUNS), parameters


def work(pk: int | None = None, *, at_most: int = 50) -> int:
    """Deliver the named push if it is due, then what else is due. Returns how many were taken.

    Nothing is claimed without a usable key and address of mailcow: what is due then grows old, which /readyz tells.
    Nor is anything from a database that is older than what was seen here.
    """
    if not restore_guard.watch():
        return 0
    try:
        mailcow = client()
    except ValueError as error:
        log.error("mailcow_not_configured", problem=str(error))  # noqa: TRY400 - the sentence says it all
        return 0
    taken, tired_at = 0, time.monotonic() + TIRED_SECONDS
    push = claim(pk) or claim()
    while push:
        delivery.deliver(push, mailcow)
        taken += 1
        if taken == at_most or time.monotonic() > tired_at:
            _ring_for_first()
            break
        push = claim()
    return taken


def reap_leases() -> int:
    """Give pushes back whose worker died: due again, or superseded if the owner saved a newer one. Returns how many.

    A note of a write that had begun stays: nobody knows how it ended.
    """
    dead = Push.objects.filter(state=Push.State.IN_FLIGHT, lease_until__lt=Now())
    newer = Push.objects.filter(mailbox=OuterRef("mailbox"), version__gt=OuterRef("version"))
    with transaction.atomic():
        # Locked, so that nobody saves a newer one between the question and its answer.
        owners = Mailbox.objects.filter(pk__in=list(dead.values_list("mailbox", flat=True))).order_by("pk")
        held = list(owners.select_for_update(no_key=True).values_list("pk", flat=True))
        if not held:
            return 0
        dead = dead.filter(mailbox__in=held)
        watched = Case(When(~Q(confirmed_update=""), then=Value("settling")), default=Value("waiting"))
        done_with = Case(When(~Q(confirmed_update=""), then=Value("delivered")), default=Value("superseded"))
        over: dict[str, Any] = {"payload": None, "confirmed_update": "", "lease": ""}
        superseded = dead.filter(Exists(newer)).update(state=done_with, **over)
        again = dead.filter(~Exists(newer)).update(state=watched, due_at=Now(), lease="")
    if superseded or again:
        log.warning("push_leases_reaped", again=again, superseded=superseded)
    return superseded + again


def close_breaker(target: Target, *, actor: str) -> None:
    """Let transfers go on after a person has mended what opened the breaker."""
    breaker.close(target, actor=actor)
    _ring_for_first()


def _ring_for_first() -> None:
    if first := due().values_list("pk", flat=True).first():
        doorbell.ring("deliver_push", first)
