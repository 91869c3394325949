"""Two clocks at once, and an owner who saves in the very moment reminders go out."""

import threading
import uuid
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from migration import clock, domains, mailboxes, reminders
from migration.mailings import outbox
from migration.models import Domain, Event, FirstLogin, Mailbox, Mailing, PlanStep
from migration.refusals import VerbRefused
from sandbox.mailhost import MailHost
from tests.factories import HASH, make_domain, make_mailbox
from tests.planning import ADMIN, invited, on, planned
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)

CLOCKS = 4


def test_several_clocks_announce_and_invite_and_remind_once() -> None:
    told = planned(announced=False, announce_on=date(2026, 12, 1))
    make_mailbox(domain=told)
    asked = planned(invite_on=date(2026, 12, 1))
    for _ in range(5):
        make_mailbox(domain=asked)
    reminded = planned(deadline=date(2026, 12, 15))
    for _ in range(5):
        invited(reminded)

    with on("2026-12-01"):
        at_once(*[clock.tick] * CLOCKS)

    queued = Mailing.objects.filter(state=Mailing.State.QUEUED)
    assert queued.filter(kind=Mailing.Kind.ANNOUNCEMENT).count() == 1
    assert queued.filter(kind=Mailing.Kind.INVITATION).count() == 5
    assert queued.filter(kind=Mailing.Kind.REMINDER).count() == 5
    assert queued.filter(kind=Mailing.Kind.SUMMARY).count() == 1
    assert Event.objects.filter(action=Event.Action.REMINDED).count() == 5
    assert sorted(PlanStep.objects.values_list("kind", "number")) == [("invite", 5), ("remind", 5)]


def save(mailbox: Mailbox) -> None:
    row = Mailbox.objects.select_related("domain__customer").get(pk=mailbox.pk)
    mailboxes.set_password(row, password_hash=HASH, kept_old=False, submission=uuid.uuid4(), ip=None)


@pytest.mark.parametrize("turn", range(5))
def test_who_saves_in_that_moment_gets_no_reminder(host: MailHost, turn: int) -> None:
    domain = make_domain()
    boxes = [invited(domain) for _ in range(6)]
    Mailbox.objects.update(state=Mailbox.State.SIGNED_IN)

    at_once(partial(reminders.remind_all, domain, actor=ADMIN), *(partial(save, box) for box in boxes[turn % 3 :]))
    reminders_left = Mailing.objects.filter(kind=Mailing.Kind.REMINDER)
    for pk in reminders_left.values_list("pk", flat=True):
        outbox.send(pk)

    saved = Mailbox.objects.filter(state=Mailbox.State.PASSWORD_SET)
    assert saved.count() == 6 - turn % 3
    assert not reminders_left.filter(mailbox__in=saved, state=Mailing.State.SENT).exists()
    assert not FirstLogin.objects.filter(mailbox__in=saved, consumed_at=None).exists()
    others = reminders_left.exclude(mailbox__in=saved)
    assert set(others.values_list("state", flat=True)) <= {Mailing.State.SENT}
    assert others.count() == turn % 3


def test_a_reminder_waits_for_the_owner_who_is_just_saving() -> None:
    """One second before: the run has read who is open, then he saves, then the run writes."""
    domain = make_domain()
    mailbox = invited(domain)
    Mailbox.objects.update(state=Mailbox.State.SIGNED_IN)
    has_saved, has_read = threading.Event(), threading.Event()

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if "migration_mailbox" in sql and sql.startswith("SELECT"):
            has_read.set()
        return answer

    def remind() -> None:
        assert has_saved.wait(20)
        with connection.execute_wrapper(note):
            reminders.remind_all(domain, actor=ADMIN)

    def save_in_between() -> None:
        with transaction.atomic():
            save(mailbox)
            has_saved.set()
            assert has_read.wait(20)

    at_once(remind, save_in_between)

    assert not Mailing.objects.filter(kind=Mailing.Kind.REMINDER).exists()


def test_two_admins_at_once_mark_and_finish_once() -> None:
    domain = make_domain()
    make_mailbox(domain=domain, state=Mailbox.State.ACTIVE)

    def tried(verb: object) -> None:
        try:
            verb(Domain.objects.get(), actor=ADMIN)  # type: ignore[operator]
        except VerbRefused:
            return

    at_once(*[partial(tried, domains.cut_over)] * 3)
    at_once(*[partial(tried, domains.finish)] * 3)

    assert Event.objects.filter(action=Event.Action.CUT_OVER).count() == 1
    assert Event.objects.filter(action=Event.Action.FINISHED).count() == 1
