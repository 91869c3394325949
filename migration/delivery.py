"""One delivery: look, write, read back, and settle how it ended.

The call to mailcow runs outside any transaction. Every settling UPDATE asks for the lease of the claim, so a worker
that was away too long changes nothing.
"""

import secrets as random
import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from . import breaker, doorbell, restore_guard, settling
from .mailcow.client import Client
from .mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused
from .mailcow.replies import MailboxFacts, confirm
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
        passwd_update = _transfer(push, mailcow)
    except SecretsError:
        _block(push, Push.Reason.UNREADABLE)
    except _Overtaken:
        _block(push, Push.Reason.OVERTAKEN)
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
        _settle(push, passwd_update)


class _LeaseLost(Exception):
    """Another worker has the push now, or a newer password has superseded it."""


class _Overtaken(Exception):
    """It comes from a backup, and mailcow was given a password after it was saved."""


def _transfer(push: Push, mailcow: Client) -> str:
    """Look, write, read back; a watched push with a newer one beside it is only looked at.

    Returns the `passwd_update` that proves it is stored. Raises MailcowError, SecretsError, _Overtaken,
    _LeaseLost.
    """
    address = push.mailbox.address
    password_hash = unseal(Purpose.PENDING_HASH, push.sealed_for, push.payload or b"").decode()
    before = mailcow.mailbox(address)
    before.require_own_passwords()
    if push.from_backup and restore_guard.is_overtaken(push, before):
        raise _Overtaken
    if push.confirmed_update and not _is_still_wanted(push, before):
        return push.confirmed_update
    _renew_lease(push, write_open_at=Now(), from_backup=False)
    renewed_at = time.monotonic()
    try:
        mailcow.set_password(address, password_hash, attribute_hash=before.attribute_hash)
    except MailcowError as error:
        if settling.may_be_under_way(error):
            push.refresh_from_db(fields=["write_open_at"])
        raise
    if time.monotonic() - renewed_at > _young_seconds():
        _renew_lease(push)
    after = mailcow.mailbox(address)
    confirm(before, after)
    return after.passwd_update or ""


def _young_seconds() -> float:
    """How old a lease may be and still outlive a further call with certainty."""
    return float(settings.PUSH_LEASE.total_seconds() - settings.MAILCOW_CALL_SECONDS) / 2


def _is_still_wanted(push: Push, found: MailboxFacts) -> bool:
    """Whether a watched push is to be written once more; one that was overwritten is an ordinary one from then on.

    Raises _LeaseLost.
    """
    with transaction.atomic():
        if not _is_newest(push):
            return False
        if found.passwd_update != push.confirmed_update:
            _renew_lease(push, confirmed_update="", delivered_at=None)
            settling.disturbed(push)
    return True


def _renew_lease(push: Push, **changes: object) -> None:
    """Before a write, and before the read-back if the write took long: still ours, and long enough for the call.

    Raises _LeaseLost. Reading back under a lost lease would do no harm, for nothing is settled under it.

    Before a write the row is told that one may be under way. The object keeps the time of an earlier one: that is what
    the row gets back when this write is known to be over.
    """
    if _mine(push).update(lease_until=Now() + settings.PUSH_LEASE, **changes) != 1:
        raise _LeaseLost


def _settle(push: Push, passwd_update: str) -> None:
    mailbox = push.mailbox
    with transaction.atomic():
        # A newer one may have been saved while this one was on its way: then the mailbox is not there yet.
        newest = _is_newest(push)
        if push.confirmed_update:
            _looked_after(push, passwd_update, newest=newest)
            return
        how = settling.watched(passwd_update) if newest and settling.is_needed(push) else settling.ended()
        if not _release(push, reason="", delivered_at=Now(), **how):
            return
        if push.is_probe:
            breaker.recover(actor="worker")
        Event.record(Event.Action.PUSH_DELIVERED, actor="worker", mailbox=mailbox, version=push.version)
        if newest and move(mailbox, "advance", erasing=["legacy_hash"]):
            Event.record(Event.Action.ACTIVE, actor="worker", mailbox=mailbox)
            outbox.notify_active(mailbox)
        if not newest:
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


def _give_back(push: Push, action: Event.Action, *, state: Push.State, reason: str, **changes: object) -> None:
    """End the claim without delivery; if the owner saved a newer password meanwhile, this one is done with."""
    with transaction.atomic():
        newest = _is_newest(push)
        if push.confirmed_update:
            _put_off(push, newest=newest, state=state, reason=reason, **changes)
        elif not newest:
            _release(push, state=Push.State.SUPERSEDED, payload=None)
        elif _release(push, state=state, reason=reason, **changes):
            Event.record(action, actor="worker", mailbox=push.mailbox, version=push.version, reason=reason)
            breaker.slow_down_if_unclear(reason)
        if not newest:
            _ring_for_next(push)
    log.info("push_given_back", push=push.pk, mailbox=push.mailbox_id, state=state.value, reason=reason)


def _looked_after(push: Push, passwd_update: str, *, newest: bool) -> None:
    """A watched push was found as it had been left, and written once more unless a newer one is there."""
    _release(push, reason="", **(settling.undisturbed(push, passwd_update) if newest else settling.ended()))
    if not newest:
        _ring_for_next(push)


def _put_off(push: Push, *, newest: bool, state: Push.State, reason: str, **changes: object) -> None:
    """A watched push could not be looked after: later, unless the password is not mailcow's to change any more."""
    gone = state == Push.State.BLOCKED or reason == Push.Reason.MISSING
    if gone or not newest:
        _release(push, **settling.ended())
    else:
        _release(push, state=Push.State.SETTLING, reason=reason, **changes)


def _release(push: Push, **changes: object) -> bool:
    """End the claim, if it still is ours, with these changes. A write that is over leaves no note behind."""
    free = {"lease": "", "lease_until": None, "write_open_at": push.write_open_at}
    return _mine(push).update(**free, **changes) == 1


def _is_newest(push: Push) -> bool:
    """Whether the owner has saved nothing newer. Locks the mailbox: nothing is saved until the transaction ends."""
    version = Mailbox.objects.select_for_update(no_key=True).values_list("version", flat=True).get(pk=push.mailbox_id)
    return version == push.version


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
