"""Provisioning keeps to the breaker and to two writes in flight, and finds what no message told of."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migration import breaker, provisioning, pushes
from migration.mailcow.errors import Reason
from migration.models import ProvisionedObject, Provisioning, Push, Target
from migration.tasks import check_target, provision, sweep
from sandbox.mailcow import MailcowStandIn
from tests import factories
from tests.provisioning import (
    STAFF,
    added,
    checked,
    make_domain,
    started,
    time_passes,
    work_until_done,
)

pytestmark = pytest.mark.django_db
State = ProvisionedObject.State


def test_being_turned_away_opens_the_breaker_and_ends_every_call(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(mailboxes=5))
    mailcow.calls.clear()
    mailcow.faults.read_only()

    provision(row.pk)
    sweep()
    provision(row.pk)

    assert len(mailcow.calls) == 2  # one look, one refused write
    assert Target.objects.get().breaker_reason == Reason.READ_ONLY
    mailcow.faults.clear()
    breaker.close(Target.objects.get(), actor=STAFF)
    provision(row.pk)
    assert provisioning.counts(row.domain) == {State.MADE: 7}


def test_a_check_that_is_turned_away_opens_the_breaker(mailcow: MailcowStandIn) -> None:
    mailcow.faults.wrong_key()

    row = checked(make_domain())

    assert (row.problem, row.check_due_at, row.checked_at) == ("key", None, None)
    assert Target.objects.get().breaker_opened_at
    checked(row.domain)
    assert len(mailcow.calls) == 1


def test_half_open_one_object_is_tried_a_minute(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(mailboxes=3))
    with transaction.atomic():
        breaker.locked_target()
    Target.objects.update(probe_after=timezone.now() + timedelta(seconds=30))

    assert provisioning.work(row.pk) == 0
    Target.objects.update(probe_after=timezone.now() - timedelta(seconds=1))
    provisioning.work(row.pk)

    assert Target.objects.get().probe_after is None, "the first one arrived"
    assert provisioning.counts(row.domain) == {State.MADE: 5}


def test_pushes_and_this_together_keep_to_two_writes(mailcow: MailcowStandIn) -> None:
    row = started(make_domain())
    for _ in range(2):
        factories.make_push(factories.make_mailbox(), state=Push.State.IN_FLIGHT)

    assert provisioning.work(row.pk) == 0

    Push.objects.filter(pk=Push.objects.first().pk).update(state=Push.State.QUEUED)  # type: ignore[union-attr]
    assert provisioning.claim(row.pk)
    assert provisioning.claim(row.pk) is None
    assert pushes.claim() is None


def test_the_sweep_finds_what_no_message_told_of(mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    domain = make_domain()
    row = started(domain)
    other = make_domain(name="other.example")
    provisioning.ask_for_check(other)
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr("migration.doorbell.ring", lambda task, pk: rung.append((task, pk)))

    sweep()

    assert ("provision", row.pk) in rung
    assert ("check_target", Provisioning.objects.get(domain=other).pk) in rung


def test_a_second_message_for_a_check_asks_nothing(mailcow: MailcowStandIn) -> None:
    row = checked(make_domain())
    calls = len(mailcow.calls)

    check_target(row.pk)
    check_target(0)

    assert len(mailcow.calls) == calls


def test_a_dead_workers_row_is_given_back(mailcow: MailcowStandIn) -> None:
    row = started(make_domain())
    assert provisioning.claim(row.pk)

    assert provisioning.reap_leases() == 0
    time_passes(minutes=3)

    assert provisioning.reap_leases() == 1
    assert work_until_done(row) == 1


def test_twice_as_many_objects_cost_no_more_questions_to_begin(mailcow: MailcowStandIn) -> None:
    numbers = []
    for size, name in ((10, "small.example"), (20, "large.example")):
        domain = make_domain(mailboxes=size, aliases=size, name=name)
        checked(domain)
        with CaptureQueriesContext(connection) as queries:
            provisioning.start(domain, actor=STAFF)
        numbers.append(len(queries))

    assert numbers[0] == numbers[1]


def test_an_object_costs_the_same_however_many_there_are(mailcow: MailcowStandIn) -> None:
    numbers = []
    for size, name in ((10, "small.example"), (20, "large.example")):
        row = started(make_domain(mailboxes=size, aliases=0, name=name))
        with CaptureQueriesContext(connection) as queries:
            assert provisioning.work(row.pk) == size + 1
        numbers.append(len(queries))

    each = (numbers[1] - numbers[0]) / 10
    assert numbers[0] - each * 10 < 3 * each
    assert added(mailcow).total() == 30
