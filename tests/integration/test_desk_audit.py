"""The audit trail at the desk: everybody sees his own part, an auditor all, and each page costs the same."""

import csv
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migration.audit import sealing
from migration.audit.verifying import verify
from migration.desk import audit
from migration.models import Event, Mailbox
from tests.audit import tampered
from tests.factories import make_mailbox, make_staff

pytestmark = pytest.mark.django_db

PAGE = "/staff/audit/"


def lines(client: Client, **asked: str | int) -> list[str]:
    """The codes of the actions shown."""
    return [line.event.action for line in client.get(PAGE, asked).context["lines"]]


@pytest.fixture
def trail(mailbox: Mailbox) -> Mailbox:
    """What an owner, the staff and a machine did, on two mailboxes, over three days."""
    make_staff("eva@provider.example", name="Eva Gruber")
    for days, action, actor, about, ip in (
        (3, "imported", "command:import_mailboxes", mailbox, None),
        (2, "invited", "staff:eva@provider.example", mailbox, "192.0.2.1"),
        (1, "invited", "clock", make_mailbox("ben"), None),
        (0, "signed_in", "owner", mailbox, "192.0.2.7"),
        (0, "exported", "staff:eva@provider.example", None, "192.0.2.1"),
    ):
        with time_machine.travel(timezone.now() - timedelta(days=days)):
            Event.record(Event.Action(action), actor=actor, mailbox=about, ip=ip)
    return mailbox


def test_an_admin_and_an_operator_see_what_everybody_did(trail: Mailbox, staff_client: Callable[..., Client]) -> None:
    for role in ("admin", "operator"):
        assert lines(staff_client(role)) == ["exported", "signed_in", "invited", "invited", "imported"]


def test_the_staff_see_what_they_did_themselves(trail: Mailbox, staff_client: Callable[..., Client]) -> None:
    client = staff_client("support", email="max@provider.example")
    Event.record(Event.Action.REVOKED, actor="staff:max@provider.example", mailbox=trail)

    assert lines(client) == ["revoked"]
    assert lines(client, who="staff:eva@provider.example") == ["revoked"]
    assert client.get(PAGE).context["chain"] is None


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"who": "owner"}, ["signed_in"]),
        ({"who": "clock"}, ["invited"]),
        ({"who": "command:"}, ["imported"]),
        ({"who": "staff"}, ["exported", "invited"]),
        ({"who": "staff:eva@provider.example"}, ["exported", "invited"]),
        ({"action": "invited"}, ["invited", "invited"]),
        ({"action": "exported"}, ["exported"]),
        ({"domain": "Demo.example"}, ["signed_in", "invited", "imported"]),
        ({"mailbox": "anna@demo.example"}, ["signed_in", "invited", "imported"]),
        ({"ip": "192.0.2.1"}, ["exported", "invited"]),
        ({"domain": "demo.example", "who": "owner"}, ["signed_in"]),
        ({"domain": "nowhere.example"}, []),
        ({"mailbox": "nobody@demo.example"}, []),
        ({"mailbox": "@"}, []),
        ({"ip": "somewhere"}, []),
        ({"before": "x", "after": "9" * 30, "who": "owner"}, ["signed_in"]),
    ],
)
def test_each_filter_narrows_it(
    asked: dict[str, str], shown: list[str], trail: Mailbox, admin_client_mfa: Client
) -> None:
    assert lines(admin_client_mfa, **asked) == shown


def test_the_days_narrow_it(trail: Mailbox, admin_client_mfa: Client) -> None:
    day = [(timezone.localdate() - timedelta(days=days)).isoformat() for days in range(4)]

    assert lines(admin_client_mfa, since=day[2], until=day[1]) == ["invited", "invited"]
    assert lines(admin_client_mfa, until=day[3]) == ["imported"]
    assert lines(admin_client_mfa, since=day[0]) == ["exported", "signed_in"]


def test_actors_are_named_in_words(trail: Mailbox, admin_client_mfa: Client) -> None:
    who = [line.who for line in admin_client_mfa.get(PAGE).context["lines"]]

    assert who == [
        "Eva Gruber",
        "the owner",
        "the plan's clock",
        "Eva Gruber",
        "an operator, by import_mailboxes",
    ]


def test_an_operator_sees_no_whole_address(trail: Mailbox, staff_client: Callable[..., Client]) -> None:
    page = staff_client("operator").get(PAGE).content.decode()

    assert "anna@demo.example" not in page
    assert "a…@demo.example" in page


def test_pages_lead_back_and_forth(mailbox: Mailbox, admin_client_mfa: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PER_PAGE", 2)
    pks = [Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=mailbox).pk for _ in range(5)][::-1]

    def page(**asked: str | int) -> tuple[list[int], int | None, int | None]:
        context = admin_client_mfa.get(PAGE, {"who": "owner", **asked}).context
        return [line.event.pk for line in context["lines"]], context["older"], context["newer"]

    assert page() == (pks[:2], pks[1], None)
    assert page(before=pks[1]) == (pks[2:4], pks[3], pks[2])
    assert page(before=pks[3]) == (pks[4:], None, pks[4])
    assert page(after=pks[4]) == (pks[2:4], pks[3], pks[2])
    assert page(after=pks[2]) == (pks[:2], pks[1], None)


def test_it_shows_how_the_chain_is(trail: Mailbox, admin_client_mfa: Client) -> None:
    sealing.seal()
    verify()
    assert "holds" in admin_client_mfa.get(PAGE).content.decode()

    tampered("UPDATE migration_event SET action = 'moved' WHERE action = 'signed_in'")
    verify()

    page = admin_client_mfa.get(PAGE).content.decode()
    assert "does not hold" in page
    assert "seal 4, event" in page


def test_a_longer_trail_takes_no_more_queries(trail: Mailbox, admin_client_mfa: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            admin_client_mfa.get(PAGE, {"since": "2026-01-01"})
        return len(captured)

    queries()
    before = queries()
    for number in range(20):
        actor = f"staff:{make_staff(f's{number}@provider.example').email}"
        Event.record(Event.Action.INVITED, actor=actor, mailbox=make_mailbox())

    assert queries() == before


def test_an_admin_takes_it_out_as_a_table_and_that_is_kept(
    trail: Mailbox, admin_client_mfa: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "ROWS_AT_A_TIME", 2)

    answer = admin_client_mfa.get(f"{PAGE}csv/", {"domain": "demo.example"})

    rows = list(csv.reader(answer.getvalue().decode("utf-8-sig").splitlines(), delimiter=";"))
    assert [row[3] for row in rows[1:]] == ["imported", "invited", "signed in"]
    assert rows[2][2:] == ["Eva Gruber", "invited", "", "demo.example", "anna@demo.example", "192.0.2.1"]
    kept = Event.objects.latest("pk")
    assert (kept.action, kept.detail["number"], kept.detail["only"]) == ("exported", 3, {"domain": "demo.example"})
    assert admin_client_mfa.get(f"{PAGE}csv/", {"domain": "nowhere"}).status_code == 404


@pytest.mark.parametrize("role", ["readonly", "support", "operator"])
def test_nobody_else_takes_it_out(role: str, trail: Mailbox, staff_client: Callable[..., Client]) -> None:
    before = Event.objects.count()

    assert staff_client(role).get(f"{PAGE}csv/").status_code == 403
    assert Event.objects.count() == before


def test_reading_writes_nothing(trail: Mailbox, admin_client_mfa: Client) -> None:
    before = Event.objects.count()

    admin_client_mfa.get(reverse("desk:audit"))

    assert Event.objects.count() == before
