"""Completion per domain, and whether the outboxes move."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from migration import reports
from migration.models import Domain, Mailbox, Mailing, Push, Target
from tests.factories import make_customer, make_domain, make_mailbox, make_push

pytestmark = pytest.mark.django_db

S = Mailbox.State


def minutes_ago(number: float) -> Any:
    return timezone.now() - timedelta(minutes=number)


def test_counts_of_all_states_add_up() -> None:
    domain = make_domain()
    for state in S:
        make_mailbox(domain=domain, state=state)

    [row] = reports.completion()

    assert [state for state, _number in row.states] == list(S)
    assert row.total == len(S)
    assert row.taking_part == row.done + row.open == len(S) - 1
    assert row.percent == 33


def test_a_hundred_percent_means_all_of_them() -> None:
    domain = make_domain()
    Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"m{n}", state=S.MOVED if n else S.INVITED) for n in range(400)
    )

    assert reports.completion(domain=domain)[0].percent == 99


def test_an_empty_domain_is_at_zero() -> None:
    assert reports.completion(domain=make_domain())[0].percent == 0


def test_three_hundred_domains_take_few_queries(django_assert_max_num_queries: Any) -> None:
    customer = make_customer()
    domains = Domain.objects.bulk_create(Domain(customer=customer, name=f"d{n}.example") for n in range(300))
    Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"m{n}", state=S.ACTIVE) for domain in domains for n in range(3)
    )

    with django_assert_max_num_queries(10):
        rows = reports.completion()

    assert len(rows) == 300
    assert reports.together(rows).done == 900


def test_only_an_announcement_the_server_took_counts() -> None:
    told, untold = make_domain("a.example"), make_domain("b.example", announced=False)
    untold.mailings.create(
        kind=Mailing.Kind.ANNOUNCEMENT, recipient="x@y.example", language="de", state=Mailing.State.FAILED
    )

    rows = {row.name: row.announced_at for row in reports.completion()}

    assert rows == {"a.example": told.mailings.get().sent_at, "b.example": None}


@pytest.mark.parametrize(
    ("mailbox_state", "mails", "attention"),
    [
        (S.INVITED, ["failed"], 1),
        (S.INVITED, ["unclear"], 1),
        (S.INVITED, ["failed", "sent"], 0),
        (S.INVITED, ["sent", "failed"], 1),
        (S.ACTIVE, ["failed"], 0),
        (S.INVITED, [], 0),
    ],
)
def test_the_newest_invitation_decides_about_attention(mailbox_state: str, mails: list[str], attention: int) -> None:
    mailbox = make_mailbox(state=mailbox_state)
    for state in mails:
        mailbox.mailings.create(
            domain=mailbox.domain, kind="invitation", recipient="a@b.example", language="de", state=state
        )

    assert reports.completion()[0].attention == attention


def test_an_empty_outbox_is_never_overdue() -> None:
    assert reports.oldest_due_seconds() == 0


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"state": "queued", "due_at": 5}, 300),
        ({"state": "waiting", "due_at": 5}, 300),
        ({"state": "queued", "due_at": -5}, 0),
        ({"state": "blocked", "due_at": 5}, 0),
        ({"state": "in_flight", "due_at": 9, "lease_until": -1}, 0),
        ({"state": "in_flight", "due_at": 9, "lease_until": 4}, 240),
        ({"state": "delivered", "due_at": 9}, 0),
    ],
)
def test_a_push_nobody_works_on_is_overdue(fields: dict[str, Any], seconds: int) -> None:
    make_push(
        make_mailbox(), **{name: value if name == "state" else minutes_ago(value) for name, value in fields.items()}
    )

    assert seconds <= reports.oldest_due_seconds() <= seconds + 30


def make_mail(mailbox: Mailbox, **fields: Any) -> Mailing:
    return mailbox.mailings.create(
        domain=mailbox.domain, kind="invitation", recipient="a@b.example", language="de", **fields
    )


def test_a_mail_nobody_sends_is_overdue() -> None:
    make_mail(make_mailbox(domain=make_domain(announced=False)), due_at=minutes_ago(5))

    assert 300 <= reports.oldest_due_seconds() <= 330


def test_a_long_queue_of_mails_is_in_order_as_long_as_some_leave() -> None:
    mailbox = make_mailbox(domain=make_domain(announced=False))
    make_mail(mailbox, due_at=minutes_ago(40))
    make_mail(mailbox, state="sent", sent_at=minutes_ago(1))

    assert 60 <= reports.oldest_due_seconds() <= 90


def test_a_paused_domain_waits_on_purpose() -> None:
    mailbox = make_mailbox(domain=make_domain(paused_at=timezone.now(), announced=False))
    make_mail(mailbox, due_at=minutes_ago(40))
    make_push(mailbox, due_at=minutes_ago(40), state=Push.State.QUEUED)

    assert reports.oldest_due_seconds() == 0


def test_while_the_breaker_is_open_pushes_wait_for_a_person() -> None:
    make_push(make_mailbox(), due_at=minutes_ago(40))
    Target.objects.create(name="main", breaker_opened_at=timezone.now())

    assert reports.oldest_due_seconds() == 0


def test_domains_stand_where_a_reader_looks_for_them() -> None:
    for name in ("nord.example", "xn--mller-kva.example", "muster.example", "zoo.example"):
        make_domain(name)

    names = [row.display_name for row in reports.completion()]

    assert names == ["müller.example", "muster.example", "nord.example", "zoo.example"]
