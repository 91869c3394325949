"""The clock: what it does of the plans, when, how often, and what it leaves to people."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migration import campaign, clock, domains, plan, tasks
from migration.models import Customer, Domain, Event, HighWaterMark, Mailbox, Mailing, PlanStep, Push, Target
from tests.factories import make_first_login, make_mailbox, make_push
from tests.planning import ADMIN, invited, on, planned

pytestmark = pytest.mark.django_db

DEADLINE = date(2026, 12, 15)  # a Tuesday; reminders on 1, 12 and 14 December


def mails(kind: Mailing.Kind, domain: Domain | None = None) -> int:
    found = Mailing.objects.filter(kind=kind, state=Mailing.State.QUEUED)
    return (found.filter(domain=domain) if domain else found).count()


def problem_of(domain: Domain) -> str:
    return plan.attention().get(domain.pk, "")


def test_the_contact_is_told_on_the_day_with_the_providers_words_and_once() -> None:
    domain = planned(announced=False, announce_on=date(2026, 12, 1))
    make_mailbox("anna", domain=domain)

    with on("2026-11-30", 12):
        clock.tick()
        before = mails(Mailing.Kind.ANNOUNCEMENT)
    with on("2026-12-01"):
        tasks.carry_out_plans()
        clock.tick()

    assert (before, mails(Mailing.Kind.ANNOUNCEMENT)) == (0, 1)
    mailing = domain.mailings.get()
    assert mailing.recipient == domain.customer.contact_email
    assert f"anna@{domain.name}" in mailing.text
    assert Event.objects.get(action=Event.Action.ANNOUNCED).actor == "clock"


@pytest.mark.parametrize(
    ("moment", "acts"),
    [
        (datetime(2026, 12, 1, 5, 59, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 6, 0, tzinfo=UTC), True),
        (datetime(2026, 12, 1, 18, 59, tzinfo=UTC), True),
        (datetime(2026, 12, 1, 19, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 1, 4, 59, tzinfo=UTC), False),
        (datetime(2026, 7, 1, 5, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 29, 5, 0, tzinfo=UTC), True),  # the night summer time began
    ],
)
def test_it_acts_by_day_in_local_time(moment: datetime, acts: bool) -> None:
    domain = planned(announced=False, announce_on=date(2026, 3, 1))
    make_mailbox(domain=domain)

    with time_machine.travel(moment, tick=False):
        clock.tick()

    assert mails(Mailing.Kind.ANNOUNCEMENT) == int(acts)


def test_a_domain_without_a_saved_plan_is_left_alone() -> None:
    domain = planned(planned_at=None, invite_on=date(2026, 12, 1), deadline=DEADLINE)
    make_mailbox(domain=domain)
    invited(domain)

    with on("2026-12-01"):
        assert clock.tick() == 0


def test_everybody_is_invited_on_the_day_and_nobody_twice() -> None:
    domain = planned(invite_on=date(2026, 12, 1))
    for _ in range(3):
        make_mailbox(domain=domain)
    make_mailbox(domain=domain, kind=Mailbox.Kind.DORMANT)

    with on("2026-12-01"):
        clock.tick()
        clock.tick()
    make_mailbox(domain=domain)  # imported afterwards: a person's decision
    with on("2026-12-02"):
        clock.tick()

    assert mails(Mailing.Kind.INVITATION) == 3
    assert PlanStep.objects.get(kind=plan.Kind.INVITE).number == 3


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "has not been told yet"),
        (Mailing.State.QUEUED, "has not been accepted"),
        (Mailing.State.FAILED, "did not reach the contact"),
        (Mailing.State.UNCLEAR, "did not reach the contact"),
    ],
)
def test_nobody_is_invited_before_the_contacts_server_took_the_announcement(state: str | None, words: str) -> None:
    domain = planned(invite_on=date(2026, 12, 1), announced=state is not None)
    make_mailbox(domain=domain)
    if state:
        domain.mailings.update(state=state, sent_at=None)

    with on("2026-12-01"):
        clock.tick()
        problem = problem_of(domain)

    assert mails(Mailing.Kind.INVITATION) == 0
    assert words in problem


def test_a_typed_reason_invites_all_the_same_and_then_nothing_waits() -> None:
    domain = planned(invite_on=date(2026, 12, 1), announced=False)
    make_mailbox(domain=domain)

    with on("2026-12-01"):
        domains.start(domain, actor=ADMIN, reason="told on the phone")

    assert Event.objects.get(action=Event.Action.INVITED).detail["reason"] == "told on the phone"


@pytest.mark.parametrize("stop", ["breaker", "restored", "paused", "all paused", "empty", "nobody to write to"])
def test_it_waits_and_says_for_what(stop: str) -> None:
    domain = planned(invite_on=date(2026, 12, 1))
    words = {
        "breaker": "refuses our transfers",
        "restored": "restored from a backup",
        "empty": "no mailboxes yet",
        "nobody to write to": "nobody to write to",
    }
    if stop != "empty":
        make_mailbox(domain=domain, kind=Mailbox.Kind.MACHINE)
    if stop == "breaker":
        Target.objects.create(breaker_opened_at=timezone.now())
    elif stop == "restored":
        HighWaterMark.objects.create(restored_at=timezone.now())
    elif stop == "paused":
        domains.pause(domain, actor=ADMIN)
    elif stop == "all paused":
        campaign.pause(actor=ADMIN)
    elif stop == "nobody to write to":
        type(domain.customer).objects.update(contact_email="")

    with on("2026-12-01"):
        clock.tick()
        problem = problem_of(domain)

    assert mails(Mailing.Kind.INVITATION) == 0
    assert words.get(stop, "") in problem
    assert bool(problem) == (stop in words)


def test_owners_are_reminded_on_each_day_of_the_plan_and_once_on_it() -> None:
    domain = planned(deadline=DEADLINE, remind_days=[14, 3])
    invited(domain)
    counted = []

    for day in ("2026-11-30", "2026-12-01", "2026-12-02", "2026-12-11", "2026-12-12", "2026-12-13", "2026-12-15"):
        with on(day):
            clock.tick()
            clock.tick()
            counted.append(mails(Mailing.Kind.REMINDER))

    assert counted == [0, 1, 1, 1, 2, 2, 2]


def test_after_an_outage_the_newest_reminder_is_made_up_for_and_no_other() -> None:
    domain = planned(deadline=DEADLINE)
    invited(domain)

    with on("2026-12-13", 19):
        for _ in range(5):
            clock.tick()
        made_up = mails(Mailing.Kind.REMINDER)
    with on("2026-12-14", 8):
        clock.tick()
        next_morning = mails(Mailing.Kind.REMINDER)

    assert made_up == 1
    # The day before the deadline has its own reminder, but nobody gets two within twenty hours.
    assert next_morning == 1
    assert set(PlanStep.objects.filter(kind=plan.Kind.REMIND).values_list("day", flat=True)) == {
        date(2026, 12, 12),
        date(2026, 12, 14),
    }


def test_nobody_is_reminded_after_the_deadline_or_for_a_day_before_plan_and_invitation() -> None:
    late = planned(deadline=DEADLINE)
    invited(late)
    new_plan = planned(deadline=DEADLINE, planned_at=datetime(2026, 12, 2, 9, tzinfo=UTC))
    invited(new_plan)
    new_owner = planned(deadline=DEADLINE)
    invited(new_owner, on="2026-12-01")

    with on("2026-12-03"):
        clock.tick()
        reminded = {domain.pk for domain in (late, new_plan, new_owner) if mails(Mailing.Kind.REMINDER, domain)}
    with on("2026-12-16"):
        Mailing.objects.filter(kind=Mailing.Kind.REMINDER).delete()
        PlanStep.objects.all().delete()
        clock.tick()

    assert reminded == {late.pk}
    assert mails(Mailing.Kind.REMINDER) == 0


def test_the_contact_gets_the_list_with_the_first_reminder_and_every_monday_while_somebody_is_open() -> None:
    domain = planned(deadline=DEADLINE, remind_days=[14, 3])
    mailbox = invited(domain, on="2026-12-01")
    counted = []

    for day in ("2026-12-01", "2026-12-06", "2026-12-07", "2026-12-08", "2026-12-12", "2026-12-14"):
        with on(day):
            clock.tick()
            clock.tick()
            counted.append(mails(Mailing.Kind.SUMMARY))
    Mailbox.objects.filter(pk=mailbox.pk).update(state=Mailbox.State.ACTIVE)
    with on("2026-12-21"):
        clock.tick()

    assert counted == [0, 0, 1, 1, 2, 3]
    assert mails(Mailing.Kind.SUMMARY) == 3


def test_the_cut_over_is_left_to_a_person() -> None:
    domain = planned(cut_over_on=date(2026, 12, 1))

    with on("2026-12-01"):
        clock.tick()
        problem = problem_of(domain)

    assert "MX record" in problem
    assert Domain.objects.get().cut_over_at is None


@pytest.mark.parametrize("stop", ["", "not cut over", "pushes open", "mailboxes open"])
def test_a_domain_ends_by_itself_only_when_everything_is_done(stop: str) -> None:
    domain = planned(ends_on=date(2026, 12, 1), cut_over_at=None if stop == "not cut over" else timezone.now())
    mailbox = make_mailbox(domain=domain, state=Mailbox.State.ACTIVE)
    if stop == "pushes open":
        make_push(mailbox, state=Push.State.QUEUED)
    elif stop == "mailboxes open":
        make_first_login(make_mailbox(domain=domain))

    with on("2026-12-01"):
        clock.tick()
        problem = problem_of(domain)

    assert (Domain.objects.get().ended_at is not None) == (not stop)
    assert bool(problem) == bool(stop)


def test_trouble_with_one_domain_does_not_stop_the_others() -> None:
    first = planned(announced=False, announce_on=date(2026, 12, 1))
    second = planned(announced=False, announce_on=date(2026, 12, 1))
    for domain in (first, second):
        make_mailbox(domain=domain)
    Customer.objects.filter(domains=first).update(language="xx")  # no mail is written in it

    with on("2026-12-01"):
        carried = clock.tick()

    assert carried == 1
    assert list(Mailing.objects.values_list("domain", flat=True)) == [second.pk]


def test_more_domains_with_nothing_to_do_cost_no_more_queries() -> None:
    def queries() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as ticking:
            clock.tick()
        with CaptureQueriesContext(connection) as looking:
            plan.attention()
        return len(ticking), len(looking)

    def fill(number: int) -> None:
        for _ in range(number):
            domain = planned(deadline=DEADLINE, cut_over_on=date(2026, 11, 20), invite_on=date(2026, 12, 20))
            invited(domain, on="2026-11-30")

    with on("2026-12-01"):
        fill(3)
        few = queries()
        fill(3)
        many = queries()

    assert few == many
