"""The plan's page at the desk: its form, its time line, its buttons, and what says that something is paused."""

import html
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migration import campaign, clock, domains
from migration.desk import urls
from migration.models import Case, Domain, Event, Mailbox, Mailing
from tests.factories import make_domain, make_mailbox
from tests.planning import ADMIN, invited, on, planned

pytestmark = pytest.mark.django_db

GOOD = {
    "announce_on": "2026-12-01",
    "invite_on": "2026-12-03",
    "deadline": "2026-12-20",
    "remind_days": "7, 3",
    "cut_over_on": "2026-12-21",
    "ends_on": "2027-01-31",
}


def page_of(client: Client, domain: Domain, name: str = "plan") -> str:
    return html.unescape(client.get(reverse(f"desk:{name}", args=[domain.pk])).content.decode())


@pytest.fixture
def later_admin(staff_client: Callable[..., Client]) -> Callable[[], Client]:
    """An admin who signs in when he is needed: no session lives on into another day."""
    return lambda: staff_client("admin")


def saved(client: Client, domain: Domain, **changes: str) -> dict[str, list[str]]:
    """What the form complains about, by field; nothing if it was saved."""
    answer = client.post(reverse("desk:plan_change", args=[domain.pk]), GOOD | changes)
    return {} if answer.status_code == 302 else dict(answer.context["form"].errors)


@pytest.fixture
def admin(admin_client_mfa: Client) -> Client:
    return admin_client_mfa


def test_a_plan_is_saved_and_shown_with_what_comes(later_admin: Callable[[], Client]) -> None:
    domain = make_domain(announced=False)
    make_mailbox(domain=domain)

    with on("2026-11-30"):
        admin = later_admin()
        complaints = saved(admin, domain)
        shown, of_domain = page_of(admin, domain), page_of(admin, domain, "domain")

    row = Domain.objects.get()
    assert complaints == {}
    assert (row.announce_on, row.ends_on, row.remind_days) == (date(2026, 12, 1), date(2027, 1, 31), [7, 3])
    assert f"{domain.customer.contact_email} will be told." in shown
    assert "1 owner will be invited" in shown
    assert "1 owner will be reminded" in shown
    assert "plan changed" in of_domain


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("invite_on", "2026-12-01", "must be after “Pre-announcement”"),
        ("deadline", "2026-12-03", "must be after “Invitations”"),
        ("cut_over_on", "2026-12-02", "must be after “Invitations”"),
        ("ends_on", "2026-12-19", "must be after “Deadline”"),
        ("ends_on", "2026-12-21", "must be after “Cut-over”"),
        ("announce_on", "2026-11-29", "This day is over"),
        ("announce_on", "", "Nobody is invited before the contact was told"),
        ("deadline", "31.2.2027", "This is no date"),
        ("remind_days", "7, drei", "“drei” is no number of days"),
        ("remind_days", "0", "“0” is no number of days"),
        ("remind_days", "9999999999999", "is no number of days"),
        ("remind_days", "1,2,3,4,5,6,7", "These are 7 reminders"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_is_saved(
    field: str, value: str, words: str, later_admin: Callable[[], Client]
) -> None:
    domain = make_domain(announced=False)

    with on("2026-11-30"):
        errors = saved(later_admin(), domain, **{field: value})

    assert words in " ".join(errors[field])
    assert Domain.objects.get().planned_at is None
    assert not Event.objects.filter(action=Event.Action.PLAN_CHANGED).exists()


def test_a_day_that_is_over_may_stay_as_it_is(later_admin: Callable[[], Client]) -> None:
    domain = planned(announce_on=date(2026, 12, 1))

    with on("2026-12-02"):
        assert saved(later_admin(), domain) == {}


def test_no_reminders_may_be_wanted(later_admin: Callable[[], Client]) -> None:
    domain = make_domain()

    with on("2026-11-30"):
        assert saved(later_admin(), domain, remind_days="") == {}

    assert Domain.objects.get().remind_days == []


def test_the_time_line_tells_what_happened_and_what_was_left_out(later_admin: Callable[[], Client]) -> None:
    domain = planned(deadline=date(2026, 12, 15), invite_on=date(2026, 11, 2))
    invited(domain)
    with on("2026-12-12"):
        clock.tick()
        clock.tick()

    with on("2026-12-13"):
        shown = page_of(later_admin(), domain)

    assert "1 owner was reminded." in shown
    assert "Left out: another mail was closer." in shown
    assert "On 14 December 2026 1 owner will be reminded" in shown


def test_what_the_clock_could_not_do_stands_on_the_page_and_in_the_list(later_admin: Callable[[], Client]) -> None:
    domain = planned(announced=False, invite_on=date(2026, 12, 1))
    make_mailbox(domain=domain)

    with on("2026-12-01"):
        clock.tick()
        admin = later_admin()
        on_page = page_of(admin, domain)
        in_list = admin.get(reverse("desk:domains")).content.decode()

    assert "The contact has not been told yet." in on_page
    assert "The contact has not been told yet." in in_list
    assert reverse("desk:plan", args=[domain.pk]) in in_list


def test_steps_are_done_by_hand(admin: Client) -> None:
    domain = make_domain()
    mailbox = invited(domain)
    for name, values in (
        ("remind", {}),
        ("cut_over", {"reason": "old server dies"}),
        ("undo_cut_over", {"reason": "MX wrong"}),
        ("cut_over", {"reason": "again"}),
        ("finish", {"reason": "over"}),
    ):
        admin.post(reverse(f"desk:{name}", args=[domain.pk]), values)

    actions = ["reminded", "cut_over", "cut_over_undone", "cut_over", "finished"]
    assert list(Event.objects.order_by("pk").values_list("action", flat=True)) == actions
    assert Event.objects.get(action="finished").actor.startswith("staff:")
    assert mailbox.mailings.filter(kind=Mailing.Kind.REMINDER).exists()


@pytest.mark.parametrize("name", ["cut_over", "finish", "undo_cut_over"])
def test_a_refusal_is_told_and_changes_nothing(name: str, admin: Client) -> None:
    domain = invited(make_domain()).domain

    answer = admin.post(reverse(f"desk:{name}", args=[domain.pk]), {"reason": ""}, follow=True)

    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert Domain.objects.get().cut_over_at is None


@pytest.mark.parametrize("role", ["readonly", "support"])
def test_who_may_not_change_the_plan_reads_it(role: str, staff_client: Callable[..., Client]) -> None:
    shown = page_of(staff_client(role), planned(deadline=date(2026, 12, 15)))

    assert "Save the plan" not in shown
    assert "Reminder" in shown


def pages_about(mailbox: Mailbox, client: Client) -> dict[str, str]:
    """Every page of the desk that is about this domain, mailbox or a case of it, by its address."""
    case = Case.objects.create(mailbox=mailbox, kind=Case.Kind.SHARED)
    numbers = {"domains": mailbox.domain_id, "mailboxes": mailbox.pk, "cases": case.pk}
    routes = [str(entry.pattern).split("/") for entry in urls.urlpatterns]
    addresses = [
        "/".join(["/staff", room, str(numbers[room]), *rest])
        for room, number, *rest in (route for route in routes if len(route) > 2)
        if room in numbers and number == "<int:pk>" and "<" not in "".join(rest)
    ]
    answers = {address: client.get(address) for address in addresses}
    pages = {address: answer for address, answer in answers.items() if answer.status_code == 200}
    return {
        address: page.content.decode()
        for address, page in pages.items()
        # A mail shown as it will be is a page of its own, and no page of the desk.
        if page["Content-Type"].startswith("text/html") and b'<body class="desk' in page.content
    }


def test_a_pause_stands_on_every_page_of_the_domain_with_who_and_why(admin: Client) -> None:
    mailbox, other = make_mailbox(), make_mailbox()
    domains.pause(mailbox.domain, actor=ADMIN, reason="wrong list")

    shown_on = pages_about(mailbox, admin)

    assert len(shown_on) >= 7
    for address, shown in shown_on.items():
        assert shown.count("is paused since") == 1, address
        assert ADMIN in shown
        assert "“wrong list”" in shown
    assert "is paused since" not in admin.get(reverse("desk:mailbox", args=[other.pk])).content.decode()


def test_the_switch_for_everything_stands_on_the_overview_and_shows_everywhere(admin: Client) -> None:
    mailbox = make_mailbox()
    admin.post(reverse("desk:pause_all"), {"reason": "power cut"})

    shown_on = pages_about(mailbox, admin)
    shown_on |= {name: admin.get(reverse(f"desk:{name}")).content.decode() for name in ("domains", "search", "cases")}

    for address, shown in shown_on.items():
        assert "The whole move is paused" in shown, address
    admin.post(reverse("desk:resume_all"))

    assert campaign.paused() is None
    assert "The whole move is paused" not in admin.get(reverse("desk:domains")).content.decode()
    # Looking at every page also takes the domain's list out, which is an event of that domain.
    told = Event.objects.exclude(action=Event.Action.EXPORTED).order_by("pk")
    assert [(event.action, event.domain) for event in told] == [("paused", None), ("resumed", None)]


def test_more_mailboxes_and_reminders_need_no_more_queries(admin: Client) -> None:
    domain = planned(deadline=timezone.localdate() + timedelta(days=30))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(admin, domain)
        return len(captured)

    for _ in range(3):
        invited(domain)
    queries()
    few = queries()
    for _ in range(3):
        invited(domain)

    assert queries() == few


def test_more_planned_domains_cost_the_list_no_more_queries(later_admin: Callable[[], Client]) -> None:
    def fill() -> None:
        for _ in range(3):
            invited(planned(deadline=date(2026, 12, 15), cut_over_on=date(2026, 11, 1), ends_on=date(2027, 1, 1)))

    def queries(client: Client) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("desk:domains")).content.decode().count("plan waits for you") in (3, 6)
        return len(captured)

    with on("2026-12-01"):
        admin = later_admin()
        fill()
        queries(admin)
        few = queries(admin)
        fill()
        many = queries(admin)

    assert few == many <= 20


def test_the_deadline_of_a_domain_is_changed_in_its_plan_only(admin: Client) -> None:
    domain = make_domain(deadline=date(2026, 12, 15))

    admin.post(
        reverse("admin:migration_domain_change", args=[domain.pk]),
        {"customer": domain.customer_id, "name": domain.name, "deadline": "2026-12-24"},
    )

    assert Domain.objects.get().deadline == date(2026, 12, 15)
