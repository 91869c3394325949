"""Workers frozen for longer than their lease, and killed, at each step of a push."""

from datetime import timedelta

import pytest
from django.conf import settings

from migration import delivery, pushes
from migration.models import Event, Mailbox, Push
from sandbox.mailcow import MailcowStandIn
from tests.pushing import NEWER, PASSWORD, Interrupted, deliver, push, save_newer, time_passes

pytestmark = pytest.mark.django_db
STATES = Push.State
ANNA = "anna@demo.example"

__all__ = ["push"]


def writes(mailcow: MailcowStandIn) -> int:
    return sum(call.is_write for call in mailcow.calls)


def claimed(push: Push) -> Push:
    found = pushes.claim(push.pk)
    assert found is not None
    return found


def test_a_lease_outlives_any_call() -> None:
    assert timedelta(seconds=settings.MAILCOW_CALL_SECONDS) < settings.PUSH_LEASE


@pytest.mark.parametrize("at", [1, 2, 3], ids=["before the look", "while it writes", "before the read-back"])
def test_a_worker_thawed_after_another_delivered_the_push_changes_no_row(
    push: Push, mailcow: MailcowStandIn, at: int
) -> None:
    def another_delivers() -> None:
        time_passes(mailcow, seconds=200)
        assert pushes.reap_leases() == 1
        assert deliver(push).state == STATES.DELIVERED
        time_passes(mailcow, seconds=2)

    frozen = claimed(push)
    delivery.deliver(frozen, Interrupted.client(at, another_delivers))

    push.refresh_from_db()
    assert (push.state, push.payload, push.attempts) == (STATES.DELIVERED, None, 2)
    assert Event.objects.filter(action=Event.Action.PUSH_DELIVERED).count() == 1
    assert mailcow.verify(ANNA, PASSWORD)
    assert writes(mailcow) == (1 if at == 1 else 2)


@pytest.mark.parametrize("freeze_after", [False, True], ids=["before the look", "between look and write"])
def test_a_worker_thawed_before_its_write_never_writes_over_a_newer_password(
    push: Push, mailcow: MailcowStandIn, freeze_after: bool
) -> None:
    def a_newer_one_arrives() -> None:
        time_passes(mailcow, seconds=200)
        newest = save_newer(push)
        assert pushes.claim(newest.pk) is None, "the frozen one still holds the mailbox"
        assert pushes.reap_leases() == 1
        assert deliver(newest).state == STATES.DELIVERED

    frozen = claimed(push)
    delivery.deliver(frozen, Interrupted.client(1, a_newer_one_arrives, after=freeze_after))

    assert writes(mailcow) == 1
    assert mailcow.verify(ANNA, NEWER)
    push.refresh_from_db()
    assert (push.state, push.payload) == (STATES.SUPERSEDED, None)


def test_a_worker_frozen_in_the_midst_of_writing_is_written_over_again(push: Push, mailcow: MailcowStandIn) -> None:
    newest: list[Push] = []

    def a_newer_one_arrives() -> None:
        time_passes(mailcow, seconds=200)
        newest.append(save_newer(push))
        pushes.reap_leases()
        assert deliver(newest[0]).state == STATES.SETTLING
        time_passes(mailcow, seconds=2)

    frozen = claimed(push)
    delivery.deliver(frozen, Interrupted.client(2, a_newer_one_arrives))
    assert mailcow.verify(ANNA, PASSWORD), "nobody can take back what is on the wire"
    push.refresh_from_db()
    assert (push.state, push.payload) == (STATES.SUPERSEDED, None)

    time_passes(mailcow, minutes=5)
    pushes.work()

    assert mailcow.verify(ANNA, NEWER)
    assert Event.objects.filter(action=Event.Action.SETTLE_REPUSH).count() == 1


def test_a_worker_whose_lease_ran_out_unnoticed_goes_on(push: Push, mailcow: MailcowStandIn) -> None:
    frozen = claimed(push)
    delivery.deliver(frozen, Interrupted.client(2, lambda: time_passes(mailcow, seconds=200)))

    assert pushes.reap_leases() == 0
    assert Push.objects.get(pk=push.pk).state == STATES.DELIVERED


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_killed_at_any_step_loses_nothing(push: Push, mailcow: MailcowStandIn, at: int, after: bool) -> None:
    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delivery.deliver(claimed(push), Interrupted.client(at, killed, after=after))
    push.refresh_from_db()
    assert (push.state, push.mailbox.state) == (STATES.IN_FLIGHT, Mailbox.State.PASSWORD_SET)

    time_passes(mailcow, seconds=200)
    pushes.reap_leases()
    assert pushes.work() == 1

    push.refresh_from_db()
    assert (push.state, push.payload) == (STATES.DELIVERED, None)
    assert mailcow.verify(ANNA, PASSWORD)
