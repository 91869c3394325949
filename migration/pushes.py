"""The push outbox: enqueue, claim, deliver, settle, back off, reap.

The row is the job. A claim is a conditional UPDATE in a short transaction, the call to mailcow runs outside any
transaction, and a second short transaction settles. Every settling UPDATE asks for the lease of the claim, so a worker
that was away too long changes nothing. Leases and due times use the database's clock: it is the only one all workers
share.
"""

import secrets as random
import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from . import doorbell
from .mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused
from .mailcow.replies import confirm
from .models import Event, Mailbox, Push, Target
from .secrets import Purpose, SecretsError, seal, unseal
from .states import move
from .target import Client, client

log = structlog.get_logger(__name__)

FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(minutes=15)
JITTER = 0.2
# A mailbox that is not there yet is usually made within the hour, else within the day.
MISSING_RETRIES = (timedelta(minutes=15), timedelta(hours=6))
# passwd_update counts whole seconds, so two pushes within one look alike: "unchanged" is believed the second time.
UNCHANGED_RETRY = timedelta(seconds=3)


def enqueue(mailbox: Mailbox, *, password_hash: str, kept_old: bool, submission: uuid.UUID) -> Push:
    """Queue the mailbox's newest version, superseding what was open; part of the transaction that saves it."""
    supersede_open(mailbox)
    push = Push.objects.create(
        mailbox=mailbox,
        version=mailbox.version,
        submission=submission,
        kept_old=kept_old,
        payload=seal(Purpose.PENDING_HASH, _row(mailbox.pk, mailbox.version), password_hash.encode()),
    )
    doorbell.ring("deliver_push", push.pk)
    return push


def supersede_open(mailbox: Mailbox) -> int:
    """Blank and close the mailbox's open push; one in flight is left to its worker. Returns how many."""
    return Push.objects.filter(mailbox=mailbox, state__in=Push.OPEN).update(state=Push.State.SUPERSEDED, payload=None)


def retry_all() -> int:
    """Make everything that waits or is blocked due now, once what was wrong is mended. Returns how many."""
    count = Push.objects.filter(state__in=Push.OPEN).update(state=Push.State.QUEUED, due_at=Now())
    if first := due().values_list("pk", flat=True).first():
        doorbell.ring("deliver_push", first)
    return count


def retry(mailbox: Mailbox) -> Push | None:
    """Make the mailbox's open push due now. Returns it, or None if nothing waits."""
    if Push.objects.filter(mailbox=mailbox, state__in=Push.OPEN).update(state=Push.State.QUEUED, due_at=Now()) == 0:
        return None
    push = Push.objects.get(mailbox=mailbox, state=Push.State.QUEUED)
    doorbell.ring("deliver_push", push.pk)
    return push


def due() -> QuerySet[Push]:
    """The pushes a worker may take now, the longest waiting first."""
    in_flight = Push.objects.filter(mailbox=OuterRef("mailbox"), state=Push.State.IN_FLIGHT)
    return Push.objects.filter(
        ~Exists(in_flight),
        state__in=(Push.State.QUEUED, Push.State.WAITING),
        due_at__lte=Now(),
        mailbox__domain__paused_at=None,
    ).order_by("due_at", "pk")


def claim(pk: int | None = None) -> Push | None:
    """Take a due push, the named one or the longest waiting; None if there is none, or no call is allowed now.

    The target's row is locked meanwhile, so the number of pushes in flight is exact.
    """
    Target.objects.get_or_create(name=target_name())
    with transaction.atomic():
        target = Target.objects.select_for_update().get(name=target_name())
        in_flight = Push.objects.filter(state=Push.State.IN_FLIGHT).count()
        if target.breaker_opened_at or in_flight >= settings.MAILCOW_WRITES_IN_FLIGHT:
            return None
        wanted = due().filter(pk=pk) if pk else due()
        chosen = wanted.values_list("pk", flat=True).first()
        if chosen is None:
            return None
        lease = uuid.uuid4().hex
        Push.objects.filter(pk=chosen).update(
            state=Push.State.IN_FLIGHT,
            lease=lease,
            lease_until=_in(settings.PUSH_LEASE),
            attempts=F("attempts") + 1,
        )
        return Push.objects.select_related("mailbox__domain").get(pk=chosen)


def deliver(push: Push, mailcow: Client | None = None) -> None:
    """Carry out a claimed push and settle it. Raises nothing that mailcow or the network can cause."""
    try:
        _transfer(push, mailcow or client())
    except SecretsError:
        _block(push, Push.Reason.UNREADABLE)
    except _LeaseLost:
        log.warning("push_lease_lost", push=push.pk)
    except Refused as error:
        _open_breaker(push, error.reason)
    except Blocked as error:
        if error.reason == Reason.NOT_STORED and push.reason != Push.Reason.NOT_STORED:
            _wait(push, error.reason, UNCHANGED_RETRY)
        else:
            _block(push, Push.Reason(error.reason.value))
    except Missing as error:
        _wait(push, error.reason, MISSING_RETRIES[min(push.attempts, len(MISSING_RETRIES)) - 1])
    except MailcowError as error:
        _wait(push, error.reason, _back_off(push.attempts))
    else:
        _settle(push)


def work(pk: int | None = None, *, at_most: int = 50) -> int:
    """Deliver the named push if it is due, then what else is due. Returns how many were taken."""
    taken = 0
    push = claim(pk) or claim()
    while push:
        deliver(push)
        taken += 1
        push = claim() if taken < at_most else None
    if taken == at_most and (waiting := due().values_list("pk", flat=True).first()):
        doorbell.ring("deliver_push", waiting)
    return taken


def reap_leases() -> int:
    """Give pushes back whose worker died: due again, or superseded if the owner saved a newer one. Returns how many."""
    dead = Push.objects.filter(state=Push.State.IN_FLIGHT, lease_until__lt=Now())
    newer = Push.objects.filter(mailbox=OuterRef("mailbox"), version__gt=OuterRef("version"))
    with transaction.atomic():
        superseded = dead.filter(Exists(newer)).update(state=Push.State.SUPERSEDED, payload=None, lease="")
        again = dead.filter(~Exists(newer)).update(state=Push.State.WAITING, due_at=Now(), lease="")
    if superseded or again:
        log.warning("push_leases_reaped", again=again, superseded=superseded)
    return superseded + again


def close_breaker(target: Target, *, actor: str) -> None:
    """Let transfers go on after a person has mended what opened the breaker."""
    with transaction.atomic():
        Target.objects.filter(pk=target.pk).update(breaker_opened_at=None, breaker_reason="")
        Event.record(Event.Action.BREAKER_CLOSED, actor=actor, target=target.name)
        waiting = due().values_list("pk", flat=True).first()
        if waiting:
            doorbell.ring("deliver_push", waiting)
    target.refresh_from_db()


def target_name() -> str:
    """The name of the one mailcow we push to; its host."""
    return settings.MAILCOW_URL.partition("://")[2][:40]


class _LeaseLost(Exception):  # noqa: N818 - an outcome
    """Another worker has the push now, or a newer password has superseded it."""


def _transfer(push: Push, mailcow: Client) -> None:
    """Look, write, read back. Returns only when it is stored. Raises MailcowError, SecretsError, _LeaseLost."""
    address = push.mailbox.address
    password_hash = unseal(Purpose.PENDING_HASH, _row(push.mailbox_id, push.version), push.payload or b"").decode()
    before = mailcow.mailbox(address)
    before.require_own_passwords()
    _renew_lease(push)
    mailcow.set_password(address, password_hash, attribute_hash=before.attribute_hash)
    _renew_lease(push)
    confirm(before, mailcow.mailbox(address))


def _renew_lease(push: Push) -> None:
    """Before each further call: still ours, and long enough for the call. Raises _LeaseLost."""
    if _mine(push).update(lease_until=_in(settings.PUSH_LEASE)) != 1:
        raise _LeaseLost


def _settle(push: Push) -> None:
    with transaction.atomic():
        delivered = _mine(push).update(
            state=Push.State.DELIVERED,
            payload=None,
            reason="",
            lease="",
            lease_until=None,
            delivered_at=Now(),
        )
        if delivered != 1:
            return
        mailbox = push.mailbox
        Event.record(Event.Action.PUSH_DELIVERED, actor="worker", mailbox=mailbox, version=push.version)
        # A newer one may have been saved while this one was on its way: then the mailbox is not there yet.
        newest = Mailbox.objects.filter(pk=mailbox.pk, version=push.version).exists()
        if newest and move(mailbox, "advance", legacy_hash=None):
            Event.record(Event.Action.ACTIVE, actor="worker", mailbox=mailbox)
    _ring_for_next(push)
    log.info("push_delivered", push=push.pk, mailbox=push.mailbox_id, attempts=push.attempts)


def _wait(push: Push, reason: Reason, delay: timedelta) -> None:
    _give_back(push, Event.Action.PUSH_WAITING, state=Push.State.WAITING, reason=reason.value, due_at=_in(delay))


def _block(push: Push, reason: Push.Reason) -> None:
    _give_back(push, Event.Action.PUSH_BLOCKED, state=Push.State.BLOCKED, reason=reason.value)


def _open_breaker(push: Push, reason: Reason) -> None:
    """Stop every transfer until a person closes the breaker; this push waits for that, due at once."""
    with transaction.atomic():
        closed = Target.objects.filter(name=target_name(), breaker_opened_at=None)
        if closed.update(breaker_opened_at=Now(), breaker_reason=reason.value):
            Event.record(Event.Action.BREAKER_OPENED, actor="worker", target=target_name(), reason=reason.value)
            log.error("breaker_opened", reason=reason.value)
        _give_back(push, Event.Action.PUSH_WAITING, state=Push.State.WAITING, reason=reason.value, due_at=Now())


def _give_back(push: Push, action: Event.Action, *, state: Push.State, **changes: object) -> None:
    """End the claim without delivery; if the owner saved a newer password meanwhile, this one is done with."""
    with transaction.atomic():
        newer = Push.objects.filter(mailbox=push.mailbox_id, version__gt=push.version).exists()
        if newer:
            _mine(push).update(state=Push.State.SUPERSEDED, payload=None, lease="", lease_until=None)
        elif _mine(push).update(state=state, lease="", lease_until=None, **changes):
            detail: dict[str, Any] = {"version": push.version, "reason": changes.get("reason", "")}
            Event.record(action, actor="worker", mailbox=push.mailbox, **detail)
    _ring_for_next(push)
    log.info(
        "push_given_back",
        push=push.pk,
        mailbox=push.mailbox_id,
        state=state.value,
        reason=changes.get("reason"),
    )


def _ring_for_next(push: Push) -> None:
    """A newer password saved while this push was in flight could not be claimed; it can now."""
    newer = due().filter(mailbox=push.mailbox_id).values_list("pk", flat=True).first()
    if newer:
        doorbell.ring("deliver_push", newer)


def _mine(push: Push) -> QuerySet[Push]:
    return Push.objects.filter(pk=push.pk, lease=push.lease, state=Push.State.IN_FLIGHT)


def _back_off(attempts: int) -> timedelta:
    """30 s, doubled with every try up to 15 minutes, give or take a fifth so that not all come back at once."""
    delay = min(FIRST_RETRY * (1 << min(attempts - 1, 10)), LAST_RETRY)
    return delay * (1 + JITTER * (2 * random.randbelow(1001) / 1000 - 1))


def _in(delay: timedelta) -> object:
    return Now() + delay


def _row(mailbox_id: int, version: int) -> str:
    return f"{mailbox_id}:{version}"
