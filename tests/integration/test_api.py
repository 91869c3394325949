"""What programs read through the API: numbers, domains, mailboxes, events; page by page, and nothing secret."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openapi_spec_validator import validate

from migration import cases, domains, mailboxes
from migration.models import Case, Domain, Event, Mailbox, Mailing, Push
from sandbox import campaign as story
from tests import factories
from tests.machines import ADMIN, Machine
from tests.planning import planned

pytestmark = pytest.mark.django_db

CANARY = "canary-7f3a"


def a_while_later() -> time_machine.travel:
    """Events are told half a minute after they happened."""
    return time_machine.travel(timezone.now() + timedelta(minutes=1))


def names(answer: Any) -> list[str]:
    return [one["name"] for one in answer["domains"]]


def test_the_document_is_valid_and_for_everybody(client: Any) -> None:
    document = client.get("/api/v1/openapi.json").json()

    validate(document)
    assert set(document["paths"]) == {
        "/api/v1/campaign",
        "/api/v1/health",
        "/api/v1/domains",
        "/api/v1/domains/{name}",
        "/api/v1/domains/{name}/mailboxes",
        "/api/v1/events",
    }
    assert client.get("/api/v1/docs").status_code == 404


def test_every_answer_about_the_whole_campaign_has_the_form_of_the_document() -> None:
    story.make()
    machine = Machine()

    figures = machine.read("campaign")
    listed = machine.read("domains")["domains"]

    assert figures["domains"] == len(listed) == 17
    assert sum(figures["domains_by_stage"].values()) == 17
    assert all(figures["domains_by_stage"].values())
    assert figures["mailboxes"]["total"] == sum(one["mailboxes"]["total"] for one in listed)
    assert figures["domains_overdue"] == sum(one["overdue"] for one in listed) == 2
    for one in listed:
        assert machine.read(f"domains/{one['name']}") == one
        assert names(machine.read(f"domains?stage={one['stage']}")).count(one["name"]) == 1
        assert len(machine.read(f"domains/{one['name']}/mailboxes")["mailboxes"]) == one["mailboxes"]["total"]
    assert {one["domain"] for one in machine.read("events?limit=200")["events"]} <= {one["name"] for one in listed}


def test_a_domain_tells_its_plan_and_why_it_waits() -> None:
    today = timezone.localdate()
    domain = planned(deadline=today - timedelta(days=1), cut_over_on=today)
    factories.make_mailbox(domain=domain)

    told = Machine().read(f"domains/{domain.name}")

    assert told["overdue"] is True
    assert told["plan"]["cut_over_on"] == str(today)
    assert told["plan_problems"] == ["cut_over_by_hand"]
    assert told["stage"] == "announced"
    assert told["desk_url"].endswith(f"/staff/domains/{domain.pk}/")


@pytest.mark.parametrize("written", ["bäckerei.example", "xn--bckerei-5wa.example", "B%C3%A4ckerei.Example"])
def test_a_domain_is_found_as_people_and_as_servers_write_it(written: str) -> None:
    factories.make_domain("xn--bckerei-5wa.example")

    told = Machine().read(f"domains/{written}")

    assert told["display_name"] == "bäckerei.example"


def test_domains_are_narrowed_by_what_somebody_looks_for() -> None:
    late = factories.make_mailbox(domain=planned(deadline=timezone.localdate() - timedelta(days=2))).domain
    blocked = factories.make_mailbox()
    factories.make_push(blocked, state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    held = factories.make_domain("held.example")
    domains.pause(held, actor=ADMIN)
    machine = Machine()

    assert names(machine.read("domains?overdue=true")) == [late.name]
    assert names(machine.read("domains?needs_attention=true")) == [blocked.domain.name]
    assert names(machine.read("domains?paused=true")) == ["held.example"]
    assert len(names(machine.read("domains?paused=false"))) == 2
    assert names(machine.read(f"domains?customer={late.customer.name}")) == [late.name]
    assert names(machine.read("domains?customer=nobody")) == []


def test_what_has_changed_since_is_asked_for_alone() -> None:
    quiet, busy = factories.make_mailbox(), factories.make_mailbox()
    since = (timezone.now() - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    mailboxes.exclude(busy, actor=ADMIN, reason="left")
    machine = Machine()

    changed = machine.read(f"domains?updated_since={since}")
    boxes = machine.read(f"domains/{busy.domain.name}/mailboxes?updated_since={since}")
    none = machine.read(f"domains/{quiet.domain.name}/mailboxes?updated_since={since}")

    assert names(changed) == [busy.domain.name]
    assert [one["address"] for one in boxes["mailboxes"]] == [busy.address]
    assert none["mailboxes"] == []


def test_pages_give_everything_once_in_order() -> None:
    domain = factories.make_domain("pages.example")
    for number in range(7):
        factories.make_mailbox(f"m{number}", domain=domain)
        factories.make_domain(f"d{number}0.example")
    machine = Machine()

    assert pages(machine, "domains/pages.example/mailboxes", "mailboxes", "address") == [
        f"m{number}@pages.example" for number in range(7)
    ]
    assert pages(machine, "domains", "domains", "name") == [
        *(f"d{number}0.example" for number in range(7)),
        "pages.example",
    ]


def pages(machine: Machine, address: str, key: str, field: str) -> list[str]:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        answer = machine.read(f"{address}?limit=3&after={after}")
        assert len(answer[key]) <= 3
        found += [one[field] for one in answer[key]]
        after = answer["next"]
    return found


def test_a_mailbox_shows_why_it_needs_somebody() -> None:
    domain = factories.make_domain("d.example")
    blocked = factories.make_mailbox("blocked", domain=domain)
    factories.make_push(blocked, state=Push.State.BLOCKED, reason=Push.Reason.POLICY)
    returned = factories.make_mailbox("returned", domain=domain)
    factories.make_first_login(returned)
    Mailing.objects.filter(mailbox=returned).update(bounced_at=timezone.now(), bounce_code="5.2.2")
    factories.make_mailbox("well", domain=domain)
    machine = Machine()

    all_ = {one["address"]: one for one in machine.read("domains/d.example/mailboxes")["mailboxes"]}
    troubled = machine.read("domains/d.example/mailboxes?needs_attention=true")["mailboxes"]

    assert all_["blocked@d.example"]["badges"] == ["push_blocked"]
    assert all_["blocked@d.example"]["push_reason"] == "policy"
    assert all_["returned@d.example"]["badges"] == ["mail_not_delivered"]
    assert all_["returned@d.example"]["bounce_code"] == "5.2.2"
    assert all_["well@d.example"]["badges"] == []
    assert [one["address"] for one in troubled] == ["blocked@d.example", "returned@d.example"]
    assert len(machine.read("domains/d.example/mailboxes?state=invited")["mailboxes"]) == 1


def test_events_are_told_in_order_and_each_once(mailbox: Mailbox) -> None:
    for number in range(5):
        Event.record(Event.Action.SIGN_IN_FAILED, actor="owner", mailbox=mailbox, ip="203.0.113.9", number=number)
    with a_while_later():
        machine = Machine()
        before = machine.read("events?since=0&limit=200")
        first = machine.read("events?limit=3&action=sign_in_failed")
        second = machine.read(f"events?limit=3&since={first['last']}")
        nothing = machine.read(f"events?since={before['last']}")

    ids = [one["id"] for one in [*first["events"], *second["events"]]]
    assert ids == sorted(set(ids))
    assert first["more"] is True
    assert second["more"] is False
    assert nothing == {"events": [], "last": before["last"], "more": False}
    assert {one["by"] for one in first["events"]} == {"owner"}


def test_an_event_that_has_just_happened_waits_for_those_that_may_still_come_before_it(mailbox: Mailbox) -> None:
    Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=mailbox)

    told = Machine().read("events")

    assert told["events"] == []


def test_of_an_event_no_person_no_address_and_nothing_typed_is_told(mailbox: Mailbox) -> None:
    mailboxes.exclude(mailbox, actor="staff:lena@provider.example", reason=CANARY)
    cases.open_case(mailbox, kind=Case.Kind.SHARED, note=CANARY, ip="203.0.113.9")
    with a_while_later():
        machine = Machine(["events:read"])
        response = machine.ask("events")

    text = response.content.decode()
    told = [one for one in response.json()["events"] if one["mailbox"]]
    assert {one["by"] for one in told} == {"staff", "owner"}
    assert {one["mailbox"] for one in told} == {"a…@demo.example"}
    assert not [secret for secret in (CANARY, "lena@", "203.0.113", "anna@") if secret in text]


def test_nothing_secret_is_in_any_answer(mailbox: Mailbox) -> None:
    box = factories.make_mailbox("canary", domain=mailbox.domain, legacy="{PLAIN}" + CANARY, name="Canary Person")
    first_login, secret = factories.make_first_login(box)
    push = factories.make_push(box, password_hash="{ARGON2ID}" + CANARY)
    push.refresh_from_db()
    with a_while_later():
        machine = Machine([scope for scope in Machine().token.scopes if scope != "names:read"])
        addresses = [
            "campaign",
            "health",
            "domains",
            "domains/demo.example",
            "domains/demo.example/mailboxes",
            "events",
        ]
        text = "".join(machine.ask(address).content.decode() for address in addresses)
        named = Machine().read("domains/demo.example/mailboxes")["mailboxes"]

    forbidden = [CANARY, secret, first_login.locator, bytes(push.payload or b"").hex(), "Canary Person", machine.text]
    assert [found for found in forbidden if found in text] == []
    assert "Canary Person" in [one["name"] for one in named]


def test_health_tells_what_a_wallboard_shows(mailbox: Mailbox) -> None:
    machine = Machine(["campaign:read"])

    well = machine.read("health")
    factories.make_push(mailbox, state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    troubled = machine.read("health")

    assert well["status"] == "ok"
    assert troubled["status"] == "attention"
    assert troubled["pushes"] == {"queued": 0, "waiting": 0, "blocked": 1, "in_flight": 0}


@pytest.mark.parametrize(
    "ask",
    [
        lambda machine: machine.read("campaign"),
        lambda machine: machine.read("domains"),
        lambda machine: machine.read("domains?needs_attention=true"),
        lambda machine: machine.read(f"domains/{Domain.objects.all()[0].name}/mailboxes"),
        lambda machine: machine.read("events"),
        lambda machine: machine.read("health"),
    ],
)
def test_ten_times_the_rows_cost_the_same_number_of_queries(ask: Callable[[Machine], Any]) -> None:
    def queries() -> int:
        with a_while_later(), CaptureQueriesContext(connection) as seen:
            ask(machine)
        return len(seen)

    machine = Machine()
    world(1)
    few = queries()

    world(10)

    assert queries() == few


def world(number: int) -> None:
    """So many domains, and so many mailboxes in the first, each with an event, a mail and a push that waits."""
    first = Domain.objects.first() or factories.make_domain("d0.example")
    for _number in range(number):
        factories.make_mailbox(domain=planned(deadline=timezone.localdate()))
        box = factories.make_mailbox(domain=first)
        factories.make_first_login(box)
        factories.make_push(box, state=Push.State.WAITING, reason=Push.Reason.TIMEOUT)
        Event.record(Event.Action.PUSH_WAITING, actor="worker", mailbox=box, reason="timeout")
