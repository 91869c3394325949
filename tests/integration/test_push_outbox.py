"""The push outbox: who may claim what, whose worker died, what is tried again."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from migration import delivery, mailboxes, pushes
from migration.models import Domain, Event, Push
from migration.target import client
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_mailbox, make_push
from tests.pushing import deliver, push

pytestmark = pytest.mark.django_db
STATES = Push.State

__all__ = ["push"]


def test_no_more_than_the_allowed_number_is_in_flight(mailcow: MailcowStandIn) -> None:
    for _ in range(3):
        make_push(make_mailbox())

    claimed = [pushes.claim() for _ in range(3)]

    assert [push is not None for push in claimed] == [True, True, False]


def test_a_claimed_push_is_claimed_once(push: Push) -> None:
    assert pushes.claim(push.pk) is not None
    assert pushes.claim(push.pk) is None


def test_a_push_whose_worker_died_is_delivered_by_the_next(push: Push, mailcow: MailcowStandIn) -> None:
    dead = pushes.claim(push.pk)
    assert pushes.reap_leases() == 0
    Push.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert pushes.reap_leases() == 1
    assert pushes.work() == 1

    push.refresh_from_db()
    assert push.state == STATES.DELIVERED
    assert dead is not None
    delivery.deliver(dead, client())  # the dead worker was only frozen, and goes on
    assert Push.objects.get(pk=push.pk).attempts == 2
    assert len(mailcow.journal) <= 2


def test_a_worker_that_lost_its_lease_does_not_write(push: Push, mailcow: MailcowStandIn) -> None:
    frozen = pushes.claim(push.pk)
    Push.objects.update(lease="somebody else's")
    assert frozen is not None

    delivery.deliver(frozen, client())

    assert mailcow.journal == []
    assert Push.objects.get(pk=push.pk).lease == "somebody else's"


def test_without_a_key_nothing_is_claimed(push: Push, settings: Any) -> None:
    settings.MAILCOW_API_KEY = ""

    assert pushes.work(push.pk) == 0

    push.refresh_from_db()
    assert (push.state, push.attempts) == (STATES.QUEUED, 0)


def test_retrying_everything_is_recorded_once(push: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.reject("password_complexity")
    deliver(push)

    assert pushes.retry_all(actor="command:retry_pushes") == 1
    pushes.work()

    push.refresh_from_db()
    assert push.state == STATES.DELIVERED
    assert Event.objects.get(action=Event.Action.PUSH_RETRIED).detail == {"count": 1}


def test_a_paused_domain_keeps_its_pushes(push: Push) -> None:
    Domain.objects.update(paused_at=timezone.now())

    assert pushes.work() == 0


def test_support_can_start_a_blocked_push_again(push: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.reject("password_complexity")
    deliver(push)

    mailboxes.retry_push(push.mailbox, actor="staff:eva@provider.example")
    pushes.work()

    push.refresh_from_db()
    assert push.state == STATES.DELIVERED


def test_a_delivered_push_cannot_keep_its_payload(push: Push) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Push.objects.filter(pk=push.pk).update(state=STATES.DELIVERED)


def test_waiting_doubles_up_to_a_quarter_of_an_hour() -> None:
    delays = [delivery._back_off(attempts).total_seconds() for attempts in (1, 2, 3, 6, 60)]

    for delay, wanted in zip(delays, (30, 60, 120, 900, 900), strict=True):
        assert wanted * 0.8 <= delay <= wanted * 1.2
