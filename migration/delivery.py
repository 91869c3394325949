"""One delivery: look, write, read back, and settle how it ended.

The call to mailcow runs outside any transaction. Every settling UPDATE asks for the lease of the claim, so a worker
that was away too long changes nothing.
"""

import secrets as random
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from . import breaker, doorbell
from .mailcow.client import Client
from .mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused
from .mailcow.replies import confirm
from .mailings import outbox
from .models import Event, Mailbox, Push
from .secrets import Purpose, SecretsError, unseal
from .states import move

log = structlog.get_logger(__name__)

FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(minutes=15)
JITTER = 0.2
# A mailbox that is not there yet is usually made within the hour, else within the day.
MISSING_RETRIES = (timedelta(minutes=15), timedelta(hours=6))
# passwd_update counts whole seconds, so two pushes within one look alike: "unchanged" is believed the second time.
UNCHANGED_RETRY = timedelta(seconds=3)


def deliver(push: Push, mailcow: Client) -> None:
    """Carry out a claimed push and settle it. Raises nothing that mailcow or the network can cause."""
    try:
        _transfer(push, mailcow)
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


class _LeaseLost(Exception):
    """Another worker has the push now, or a newer password has superseded it."""


def _transfer(push: Push, mailcow: Client) -> None:
    """Look, write, read back. Returns only when it is stored. Raises MailcowError, SecretsError, _LeaseLost."""
    address = push.mailbox.address
    password_hash = unseal(Purpose.PENDING_HASH, push.sealed_for, push.payload or b"").decode()
    before = mailcow.mailbox(address)
    before.require_own_passwords()
    _renew_lease(push)
    mailcow.set_password(address, password_hash, attribute_hash=before.attribute_hash)
    _renew_lease(push)
    confirm(before, mailcow.mailbox(address))


def _renew_lease(push: Push) -> None:
    """Before each further call: still ours, and long enough for the call. Raises _LeaseLost."""
    if _mine(push).update(lease_until=Now() + settings.PUSH_LEASE) != 1:
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
            outbox.notify_active(mailbox)
    _ring_for_next(push)
    log.info("push_delivered", push=push.pk, mailbox=push.mailbox_id, attempts=push.attempts)


def _wait(push: Push, reason: Reason, delay: timedelta) -> None:
    _give_back(push, Event.Action.PUSH_WAITING, state=Push.State.WAITING, reason=reason.value, due_at=Now() + delay)


def _block(push: Push, reason: Push.Reason) -> None:
    _give_back(push, Event.Action.PUSH_BLOCKED, state=Push.State.BLOCKED, reason=reason.value)


def _open_breaker(push: Push, reason: Reason) -> None:
    """Stop every transfer until a person closes the breaker; this push waits for that, due at once."""
    with transaction.atomic():
        breaker.trip(reason)
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
    newer = Push.objects.filter(mailbox=push.mailbox_id, state=Push.State.QUEUED).values_list("pk", flat=True).first()
    if newer:
        doorbell.ring("deliver_push", newer)


def _mine(push: Push) -> QuerySet[Push]:
    return Push.objects.filter(pk=push.pk, lease=push.lease, state=Push.State.IN_FLIGHT)


def _back_off(attempts: int) -> timedelta:
    """30 s, doubled with every try up to 15 minutes, give or take a fifth so that not all come back at once."""
    delay = min(FIRST_RETRY * (1 << min(attempts - 1, 10)), LAST_RETRY)
    return delay * (1 + JITTER * (2 * random.randbelow(1001) / 1000 - 1))
