"""An older password may be stored late: the newest wins, and its hash is kept no longer than that needs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from migration import delivery, pushes, schemes
from migration.mailcow.errors import Reason
from migration.models import Event, Mailbox, Push, Target
from migration.target import client
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_push
from tests.pushing import NEWER, PASSWORD, Interrupted, deliver, push, save_newer, time_passes

from .door import owner_client

pytestmark = pytest.mark.django_db
STATES = Push.State
ANNA = "anna@demo.example"

__all__ = ["push"]


def count(action: Event.Action) -> int:
    return Event.objects.filter(action=action).count()


@pytest.fixture
def newest(push: Push, mailcow: MailcowStandIn) -> Push:
    """A second password, delivered after the first one's write had broken off."""
    mailcow.faults.drop_before_write()
    deliver(push)
    newest = save_newer(push)
    deliver(newest)
    time_passes(mailcow, seconds=10)
    newest.refresh_from_db()
    return newest


def test_the_newest_password_wins_against_a_late_write(push: Push, mailcow: MailcowStandIn, settings: Any) -> None:
    held = mailcow.faults.hold_write()
    settings.MAILCOW_CALL_SECONDS = 0.3
    deliver(push)
    assert push.reason == Reason.TIMEOUT
    newest = save_newer(push)
    deliver(newest)
    assert newest.mailbox.state == Mailbox.State.ACTIVE
    time_passes(mailcow, seconds=10)
    held.set()
    assert mailcow.wait_for_passwords(2)
    assert mailcow.verify(ANNA, PASSWORD)

    time_passes(mailcow, minutes=5)
    assert pushes.work() == 1

    newest.refresh_from_db()
    assert mailcow.verify(ANNA, NEWER)
    assert newest.state == STATES.SETTLING
    assert count(Event.Action.SETTLE_REPUSH) == 1
    time_passes(mailcow, minutes=65)
    pushes.work()
    newest.refresh_from_db()
    assert (newest.state, newest.payload) == (STATES.DELIVERED, None)
    assert count(Event.Action.ACTIVE) == 1


def test_what_nobody_overwrites_is_written_twice_more_and_then_blanked(newest: Push, mailcow: MailcowStandIn) -> None:
    written = len(mailcow.journal)
    assert (newest.state, newest.is_delivered, newest.payload is None) == (STATES.SETTLING, True, False)
    assert pushes.work() == 0

    time_passes(mailcow, minutes=5)
    assert pushes.work() == 1
    newest.refresh_from_db()
    assert newest.state == STATES.SETTLING
    time_passes(mailcow, minutes=59)
    assert pushes.work() == 0
    time_passes(mailcow, minutes=2)
    assert pushes.work() == 1

    newest.refresh_from_db()
    assert (newest.state, newest.payload, newest.confirmed_update) == (STATES.DELIVERED, None, "")
    assert len(mailcow.journal) == written + 2
    assert count(Event.Action.PUSH_DELIVERED) == 1
    assert count(Event.Action.SETTLE_REPUSH) == 0


def test_a_late_write_in_the_same_second_as_ours_is_overwritten_too(
    newest: Push, push: Push, mailcow: MailcowStandIn
) -> None:
    mailcow.mailboxes[ANNA].password = schemes.make_hash(PASSWORD)

    time_passes(mailcow, minutes=5)
    pushes.work()

    assert mailcow.verify(ANNA, NEWER)
    assert count(Event.Action.SETTLE_REPUSH) == 0, "nobody can tell that it happened"


def test_a_write_of_the_watch_that_fails_leaves_the_push_delivered(newest: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.drop_before_write()
    deliver(newest)

    assert (newest.state, newest.is_delivered) == (STATES.SETTLING, True)
    assert newest.delivered_at is not None


MAY_BE_UNDER_WAY: dict[str, Callable[[MailcowStandIn], None]] = {
    "connection lost": lambda m: m.faults.drop_after_write(),
    "500": lambda m: m.faults.answer_500(calls="write"),
    "PHP down": lambda m: m.faults.html_error_page(calls="write"),
}
OVER: dict[str, Callable[[MailcowStandIn], None]] = {
    "refused": lambda m: m.faults.reject("password_complexity"),
    "unknown mailbox": lambda m: m.faults.reject("access_denied"),
    "empty": lambda m: m.faults.empty_200(calls="write"),
    "deadlock": lambda m: m.faults.deadlock(),
    "no effect": lambda m: m.faults.false_success(),
    "only the look failed": lambda m: m.faults.answer_500(calls="read"),
}


@pytest.mark.parametrize("accident", MAY_BE_UNDER_WAY.values(), ids=MAY_BE_UNDER_WAY)
def test_a_write_without_an_answer_of_mailcow_may_be_under_way(
    push: Push, mailcow: MailcowStandIn, accident: Callable[[MailcowStandIn], None]
) -> None:
    accident(mailcow)
    deliver(push)
    time_passes(mailcow, seconds=2)

    assert deliver(save_newer(push)).state == STATES.SETTLING


@pytest.mark.parametrize("accident", OVER.values(), ids=OVER)
def test_a_write_that_mailcow_answered_is_over(
    push: Push, mailcow: MailcowStandIn, accident: Callable[[MailcowStandIn], None]
) -> None:
    accident(mailcow)
    deliver(push)
    time_passes(mailcow, seconds=2)

    assert deliver(save_newer(push)).state == STATES.DELIVERED


def test_a_failed_read_back_leaves_no_write_under_way(push: Push, mailcow: MailcowStandIn) -> None:
    claimed = pushes.claim(push.pk)
    assert claimed is not None
    mailcow_goes = Interrupted.client(3, lambda: mailcow.faults.answer_500(calls="read"))
    delivery.deliver(claimed, mailcow_goes)
    time_passes(mailcow, seconds=2)
    push.refresh_from_db()
    assert push.state == STATES.WAITING

    assert deliver(save_newer(push)).state == STATES.DELIVERED


def test_a_worker_killed_while_it_wrote_may_have_written(push: Push, mailcow: MailcowStandIn) -> None:
    def killed() -> None:
        raise KeyboardInterrupt

    claimed = pushes.claim(push.pk)
    assert claimed is not None
    with pytest.raises(KeyboardInterrupt):
        delivery.deliver(claimed, Interrupted.client(2, killed))
    newest = save_newer(push)
    time_passes(mailcow, seconds=200)
    pushes.reap_leases()

    assert deliver(newest).state == STATES.SETTLING
    push.refresh_from_db()
    assert (push.state, push.payload) == (STATES.SUPERSEDED, None)


def test_a_passwords_own_unclear_tries_need_no_watch(push: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.drop_before_write()
    deliver(push)

    deliver(push)

    assert (push.state, push.payload) == (STATES.DELIVERED, None)
    time_passes(mailcow, seconds=2)
    assert deliver(save_newer(push)).state == STATES.SETTLING, "but the next password is in danger from them"


def test_a_write_that_began_more_than_an_hour_ago_is_over(push: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.drop_before_write()
    deliver(push)
    time_passes(mailcow, minutes=66)

    assert deliver(save_newer(push)).state == STATES.DELIVERED


def test_a_newer_password_takes_the_watch_over(newest: Push, mailcow: MailcowStandIn) -> None:
    third = save_newer(newest, "Marillen-Knoedel-33")

    newest.refresh_from_db()
    assert (newest.state, newest.payload) == (STATES.DELIVERED, None)
    assert deliver(third).state == STATES.SETTLING


def test_a_password_saved_while_the_watched_one_is_looked_at_ends_the_watch(
    newest: Push, mailcow: MailcowStandIn
) -> None:
    time_passes(mailcow, minutes=5)
    claimed = pushes.claim(newest.pk)
    assert claimed is not None
    assert claimed.is_delivered

    third = save_newer(newest)
    mailcow.mailboxes[ANNA].attributes["passwd_update"] = "2020-02-02 00:00:00"
    delivery.deliver(claimed, client())

    newest.refresh_from_db()
    assert (newest.state, newest.payload) == (STATES.DELIVERED, None)
    assert Push.objects.get(pk=third.pk).state == STATES.QUEUED


def test_a_look_that_fails_is_made_later(newest: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.answer_500()
    deliver(newest)

    assert (newest.state, newest.reason, newest.is_delivered) == (STATES.SETTLING, Reason.SERVER_ERROR, True)
    assert newest.payload is not None
    assert pushes.work() == 0


def test_a_mailcow_that_stores_nothing_is_not_asked_for_ever(newest: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.false_success(times=None)
    deliver(newest)
    assert newest.state == STATES.SETTLING

    deliver(newest)

    assert (newest.state, newest.payload) == (STATES.DELIVERED, None)


def test_a_look_that_is_turned_away_opens_the_breaker(newest: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.wrong_key()
    deliver(newest)

    assert newest.state == STATES.SETTLING
    assert Target.objects.get().breaker_reason == Reason.KEY


def test_a_worker_killed_while_it_looked_leaves_a_watched_push(newest: Push, mailcow: MailcowStandIn) -> None:
    time_passes(mailcow, minutes=5)
    assert pushes.claim(newest.pk) is not None
    time_passes(mailcow, seconds=200)

    assert pushes.reap_leases() == 1

    newest.refresh_from_db()
    assert newest.state == STATES.SETTLING


@pytest.mark.parametrize("gone", ["ldap", "deleted"])
def test_the_watch_ends_when_the_password_is_no_longer_mailcows(
    newest: Push, mailcow: MailcowStandIn, gone: str
) -> None:
    if gone == "ldap":
        mailcow.mailboxes[ANNA].authsource = "ldap"
    else:
        del mailcow.mailboxes[ANNA]

    deliver(newest)

    assert (newest.state, newest.payload) == (STATES.DELIVERED, None)


def test_a_repeated_push_is_as_stubborn_as_any(newest: Push, mailcow: MailcowStandIn) -> None:
    mailcow.mailboxes[ANNA].attributes["passwd_update"] = "2020-02-02 00:00:00"
    mailcow.faults.answer_500(calls="write")
    deliver(newest)
    assert (newest.state, newest.is_delivered, newest.delivered_at) == (STATES.WAITING, False, None)

    deliver(newest)

    assert newest.state == STATES.SETTLING
    assert mailcow.verify(ANNA, NEWER)


def test_the_owner_reads_active_while_the_push_is_watched(newest: Push, mailcow: MailcowStandIn) -> None:
    owner = owner_client(newest.mailbox)

    assert 'data-stage="active"' in owner.get("/done/state").content.decode()
    time_passes(mailcow, minutes=5)
    assert pushes.claim(newest.pk) is not None
    assert 'data-stage="active"' in owner.get("/done/state").content.decode()


def test_a_watched_push_cannot_be_without_its_payload(mailbox: Mailbox, db: None) -> None:
    push = make_push(mailbox)

    with pytest.raises(IntegrityError), transaction.atomic():
        Push.objects.filter(pk=push.pk).update(state=STATES.SETTLING, payload=None, confirmed_update="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        Push.objects.filter(pk=push.pk).update(state=STATES.SETTLING)
