"""The first page of the desk: sums, the list with its filters and orders, pictures, and what the script asks for."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration import mailboxes
from migration.counting import days, listing
from migration.models import DayCount, Domain, Event, Mailbox, Mailing, Push
from tests.factories import make_customer, make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db

S = Mailbox.State


def listed(client: Client, **query: Any) -> list[str]:
    page = client.get(reverse("desk:domains"), query)
    return [row.report.display_name for row in page.context.get("rows", [])]


def today(days_on: int = 0) -> date:
    return timezone.localdate() + timedelta(days=days_on)


def a_domain(name: str, *states: str, **fields: Any) -> Domain:
    domain = make_domain(name, **fields)
    for state in states:
        make_mailbox(domain=domain, state=state)
    return domain


def lost(domain: Domain) -> None:
    mailbox = make_mailbox(domain=domain)
    make_first_login(mailbox)
    mailbox.mailings.update(state=Mailing.State.FAILED)


def test_the_list_counts_every_state_and_sums_up(support_client: Client) -> None:
    a_domain("eins.example", S.IMPORTED, S.ACTIVE, S.MOVED, S.EXCLUDED)
    a_domain("zwei.example", S.INVITED)

    context = support_client.get(reverse("desk:domains")).context

    assert [
        (row.report.name, row.report.done, row.report.taking_part, row.report.percent) for row in context["rows"]
    ] == [("eins.example", 2, 3, 66), ("zwei.example", 0, 1, 0)]
    assert (context["sums"].domains, context["sum"].total, context["sum"].done, context["sum"].open) == (2, 5, 2, 2)


@pytest.mark.parametrize("text", ["müller", "MÜL", "muller", "xn--mller", "bäckerei", "BACK"])
def test_a_domain_is_found_by_part_of_its_name_or_customer(text: str, support_client: Client) -> None:
    make_domain("xn--mller-kva.example", customer=make_customer(name="Bäckerei Müller"))
    make_domain("andere.example")

    assert listed(support_client, q=text) == ["müller.example"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", "%s"])
def test_signs_of_the_database_mean_nothing_in_a_search(text: str, support_client: Client) -> None:
    make_domain("andere.example")

    assert listed(support_client, q=text) == []


@pytest.fixture
def four(db: None) -> dict[str, Domain]:
    """Four domains, each with something of its own."""
    found = {
        "late": a_domain("late.example", S.INVITED, S.ACTIVE, deadline=today(-1), customer=make_customer(name="Bb")),
        "done": a_domain("done.example", S.ACTIVE, deadline=today(-1), customer=make_customer(name="Dd")),
        "paused": a_domain("paused.example", S.IMPORTED, S.IMPORTED, S.IMPORTED, paused_at=timezone.now()),
        "lost": a_domain("lost.example", S.SIGNED_IN, cut_over_on=today(3), customer=make_customer(name="Aa")),
    }
    lost(found["lost"])
    return found


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"overdue": "on"}, ["late"]),
        ({"paused": "on"}, ["paused"]),
        ({"attention": "on"}, ["lost"]),
        ({"state": "active"}, ["done", "late"]),
        ({"state": "nonsense"}, ["done", "late", "lost", "paused"]),
        ({"state": "active", "overdue": "on"}, ["late"]),
        ({"q": "st.ex"}, ["lost"]),
        ({"sort": "-completion"}, ["done", "late", "lost", "paused"]),
        ({"sort": "completion"}, ["lost", "paused", "late", "done"]),
        ({"sort": "-open"}, ["paused", "lost", "late", "done"]),
        ({"sort": "next"}, ["lost", "done", "late", "paused"]),
        ({"sort": "deadline"}, ["done", "late", "lost", "paused"]),
        ({"sort": "customer"}, ["lost", "late", "done", "paused"]),
        ({"sort": "drop table"}, ["done", "late", "lost", "paused"]),
        ({"page": "99"}, ["done", "late", "lost", "paused"]),
        ({"page": "x", "customer": "x"}, ["done", "late", "lost", "paused"]),
    ],
)
def test_domains_are_narrowed_and_sorted(
    query: dict[str, Any], names: list[str], four: dict[str, Domain], support_client: Client
) -> None:
    assert listed(support_client, **query) == [f"{name}.example" for name in names]


def test_one_customers_domains_stand_alone_and_are_summed_up(four: dict[str, Domain], support_client: Client) -> None:
    page = support_client.get(reverse("desk:domains"), {"customer": str(four["late"].customer_id), "sort": "-open"})

    assert [row.report.name for row in page.context["rows"]] == ["late.example"]
    assert (page.context["sums"].domains, page.context["sum"].total) == (1, 2)
    assert "<strong>Bb</strong>" in page.content.decode()


def test_an_order_keeps_the_filter_and_the_filter_the_order(four: dict[str, Domain], support_client: Client) -> None:
    page = support_client.get(reverse("desk:domains"), {"state": "active", "sort": "-open"}).content.decode()

    assert '"?state=active&amp;sort=deadline"' in page
    assert re.search(r'<option value="-open" selected', page)
    assert re.search(r'<option value="active" selected', page)


def test_so_many_domains_are_on_a_page(support_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"d{number:02}.example" for number in range(listing.PER_PAGE + 1)]
    Domain.objects.bulk_create(Domain(customer=make_customer(), name=name) for name in names)

    assert len(listed(support_client)) == listing.PER_PAGE
    assert listed(support_client, page=2) == names[-1:]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"announce_on": -3, "invite_on": 2, "deadline": 30}, ("invite_on", 2)),
        ({"deadline": 30, "remind_days": [28, 2]}, ("remind", 2)),
        ({"deadline": 9, "remind_days": []}, ("deadline", 9)),
        ({"cut_over_on": 0}, ("cut_over_on", 0)),
        ({"ends_on": -1}, ("", None)),
        ({"ends_on": 5, "ended_at": timezone.now()}, ("", None)),
    ],
)
def test_the_next_date_is_the_first_that_is_not_over(fields: dict[str, Any], expected: tuple[str, Any]) -> None:
    given: dict[str, Any] = {name: today(value) if isinstance(value, int) else value for name, value in fields.items()}
    make_domain(**given)

    [line] = listing.find(listing.Wanted()).lines

    step, on = expected
    assert (line.next_step, line.next_on) == (step, None if on is None else today(on))


def test_the_next_dates_of_all_domains_stand_at_the_top(support_client: Client) -> None:
    make_domain("spaet.example", deadline=today(9), remind_days=[])
    make_domain("bald.example", cut_over_on=today(2))

    page = support_client.get(reverse("desk:domains"))

    dates = page.content.decode().partition("Next dates:")[2].partition("</p>")[0]
    assert re.findall(r"(cut-over|deadline), <a [^>]*>([a-z.]+)</a>", dates) == [
        ("cut-over", "bald.example"),
        ("deadline", "spaet.example"),
    ]


def test_what_is_open_adds_up_in_the_picture(support_client: Client) -> None:
    domain = a_domain("d.example", S.IMPORTED, S.INVITED, S.SIGNED_IN, S.ACTIVE, S.EXCLUDED)
    lost(domain)
    make_push(make_mailbox(domain=domain), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    make_push(make_mailbox(domain=domain), state=Push.State.QUEUED)

    context = support_client.get(reverse("desk:domains")).context

    assert [part.number for part in context["open_work"]] == [1, 1, 1, 1, 1, 1]
    assert sum(part.number for part in context["open_work"]) == context["sum"].open


def test_a_mailbox_counts_on_the_day_it_was_active_first(support_client: Client, time_machine: Any) -> None:
    again, once = (make_mailbox(state=S.ACTIVE) for _number in range(2))
    for mailbox, day in ((again, "2026-12-01"), (again, "2026-12-02"), (once, "2026-12-02")):
        time_machine.move_to(f"{day} 12:00+01:00", tick=False)
        Event.record(Event.Action.ACTIVE, actor="worker", mailbox=mailbox)
        days.count()

    assert days.reached() == [(date(2026, 12, 1), 1), (date(2026, 12, 2), 2)]

    DayCount.objects.all().delete()
    days.count()
    assert days.reached() == [(date(2026, 12, 1), 1), (date(2026, 12, 2), 2)]


def test_twice_the_rows_need_no_more_queries(
    support_client: Client, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    def more(number: int) -> None:
        for _number in range(number):
            lost(a_domain(f"d{Domain.objects.count()}.example", S.ACTIVE, S.INVITED, deadline=today(-1)))

    more(3)
    listed(support_client)  # the first request of a session also writes it
    # Three of them ask who it is, three are the numbers in the menu.
    with django_assert_max_num_queries(11) as few:
        listed(support_client)
    more(6)
    with django_assert_num_queries(len(few)):
        listed(support_client)


def ask(client: Client, tag: str = "", **query: Any) -> Any:
    return client.get(reverse("desk:domains"), query, headers={"X-Live": "1", "If-None-Match": tag})


@pytest.fixture
def same_minute(time_machine: Any) -> None:
    """The clock stands: a page is made anew each minute whatever happened."""
    time_machine.move_to("2026-12-01 12:00:30+01:00", tick=False)


@pytest.mark.usefixtures("same_minute")
def test_the_script_hears_in_few_queries_that_nothing_changed(
    support_client: Client, django_assert_max_num_queries: Any
) -> None:
    make_mailbox()
    tag = ask(support_client).headers["ETag"]

    with django_assert_max_num_queries(4):  # three of them ask who it is
        again = ask(support_client, tag)

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("same_minute")
def test_the_script_gets_the_page_anew_when_a_number_moved(support_client: Client) -> None:
    mailbox = make_mailbox()
    tag = ask(support_client).headers["ETag"]

    mailboxes.exclude(mailbox, actor="test", reason="x")

    assert ask(support_client, tag).status_code == 200
    assert ask(support_client, tag, sort="open").status_code == 200


@pytest.mark.usefixtures("same_minute")
def test_one_persons_answer_is_no_others(support_client: Client, admin_client_mfa: Client) -> None:
    tag = ask(support_client).headers["ETag"]

    assert ask(admin_client_mfa, tag).status_code == 200


def test_a_reload_by_hand_is_always_whole(support_client: Client) -> None:
    tag = ask(support_client).headers["ETag"]

    page = support_client.get(reverse("desk:domains"), headers={"If-None-Match": tag})

    assert page.status_code == 200


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(
    staff_client: Callable[..., Client], time_machine: Any
) -> None:
    time_machine.move_to("2026-12-01 11:59+01:00", tick=False)
    client, statuses = staff_client("support"), []

    for moment, asks_by_itself in (("12:00", False), ("12:20", True), ("12:29", True), ("12:31", False)):
        time_machine.move_to(f"2026-12-01 {moment}+01:00", tick=False)
        page = ask(client) if asks_by_itself else client.get(reverse("desk:domains"))
        statuses.append(page.status_code)

    assert statuses == [200, 200, 200, 302]
