"""The door of the API: what opens it, what does not, and what a program is told to do about it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migration.api import tokens
from migration.models import ApiToken, Event
from tests import factories
from tests.machines import ADMIN, Machine, make_token

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "campaign": "campaign:read",
    "health": "campaign:read",
    "domains": "domains:read",
    "domains/demo.example": "domains:read",
    "domains/demo.example/mailboxes": "mailboxes:read",
    "events": "events:read",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_a_token_nothing_is_told(client: Client, address: str) -> None:
    response = client.get(f"/api/v1/{address}")

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in response.json()["detail"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_address_needs_its_own_scope(address: str, mailbox: Any) -> None:
    fitting = Machine([ADDRESSES[address]])
    others = Machine([scope for scope in ApiToken.Scope if scope != ADDRESSES[address]])

    fitting.ask(address)
    refused = others.ask(address, status=403).json()

    assert ADDRESSES[address] in refused["detail"]
    assert refused["type"].endswith("#scope")


def test_a_session_of_staff_opens_nothing_here(admin_client_mfa: Client) -> None:
    assert admin_client_mfa.get("/api/v1/campaign").status_code == 401


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:-1] + "!", lambda text: text[6:], str.upper, lambda _text: "x\0ü"]
)
def test_a_spoilt_token_opens_nothing(spoil: Any) -> None:
    machine = Machine()

    refused = machine.ask("campaign", status=401, token=spoil(machine.text)).json()

    assert refused["type"].endswith("#wrong-token")


def test_the_lookup_of_one_token_does_not_open_with_the_secret_of_another() -> None:
    (_one, mine), (_two, theirs) = make_token(), make_token()

    assert tokens.find(mine[:14] + theirs[14:]) is None
    assert tokens.find(mine) is not None


def test_a_revoked_token_and_one_that_has_ended_open_nothing() -> None:
    machine, other = Machine(), Machine()
    tokens.revoke(machine.token, actor=ADMIN)

    machine.ask("campaign", status=401)
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        other.ask("campaign", status=401)


def test_only_a_fingerprint_of_it_is_kept_and_no_event_has_it() -> None:
    row, text = make_token()

    stored = ApiToken.objects.values().get(pk=row.pk)
    told = Event.objects.get(action=Event.Action.TOKEN_MADE)

    assert text[14:] not in str(stored) + str(told.detail)
    assert text.encode() not in bytes(stored["mac"])
    assert told.actor == ADMIN
    assert tokens.revoke(row, actor=ADMIN)
    assert not tokens.revoke(row, actor=ADMIN)
    assert Event.objects.filter(action=Event.Action.TOKEN_REVOKED).count() == 1


def test_a_token_of_one_customer_knows_of_nobody_else() -> None:
    mine, theirs = factories.make_mailbox(domain=factories.make_domain("mine.example")), factories.make_mailbox()
    Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=mine)
    Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=theirs)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        machine = Machine(customer=mine.domain.customer)

        figures = machine.read("campaign")
        listed = machine.read("domains")["domains"]
        events = machine.read("events")["events"]
        machine.ask(f"domains/{theirs.domain.name}", status=404)
        machine.ask(f"domains/{theirs.domain.name}/mailboxes", status=404)
        machine.ask("domains/nowhere.example", status=404)
        health = machine.ask("health", status=403).json()

    assert figures["customer"] == mine.domain.customer.name
    assert figures["domains"] == 1
    assert [one["name"] for one in listed] == ["mine.example"]
    assert {one["domain"] for one in events} == {"mine.example"}
    assert health["type"].endswith("#customer")


def test_another_customer_is_not_to_be_told_from_nobody() -> None:
    mine, theirs = factories.make_domain(), factories.make_domain()
    machine = Machine(customer=mine.customer)

    foreign = machine.ask(f"domains/{theirs.name}", status=404).json()
    nobody = machine.ask("domains/nowhere.example", status=404).json()

    assert {**foreign, "instance": ""} == {**nobody, "instance": ""}


def test_too_many_requests_wait_for_the_next_minute() -> None:
    machine = Machine()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _number in range(tokens.REQUESTS):
            assert tokens.count(machine.token) == 0
        response = machine.ask("campaign", status=429)
        Machine().ask("campaign")
        clock.shift(timedelta(seconds=61))
        machine.ask("campaign")

    assert 0 < int(response["Retry-After"]) <= 61
    assert "Ask again in" in response.json()["detail"]


def test_the_day_of_the_last_use_is_kept_and_the_door_costs_two_queries() -> None:
    machine = Machine()

    with CaptureQueriesContext(connection) as seen:
        machine.ask("domains?limit=0", status=422)

    machine.token.refresh_from_db()
    assert machine.token.last_used_on == timezone.localdate()
    assert len(seen) == 2


def test_who_has_the_answer_already_is_told_so_in_one_word(mailbox: Any) -> None:
    machine = Machine()
    etag = machine.ask("domains")["ETag"]

    same = machine.ask("domains", status=304, **{"If-None-Match": etag})
    factories.make_domain("new.example")
    changed = machine.ask("domains", **{"If-None-Match": etag})

    assert same.content == b""
    assert changed["ETag"] != etag


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("domains?limit=0", "limit"),
        ("domains?limit=many", "limit"),
        ("domains?stage=lost", "stage"),
        ("domains?updated_since=yesterday", "updated_since"),
        ("domains/demo.example/mailboxes?state=lost", "state"),
        ("events?since=-1", "since"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(address: str, parameter: str, mailbox: Any) -> None:
    told = Machine().read(address, status=422)

    assert [one["parameter"] for one in told["errors"]] == [parameter]
    assert told["errors"][0]["detail"]


def test_no_other_site_may_read_and_nothing_can_be_changed(mailbox: Any) -> None:
    machine = Machine()

    answer = machine.ask("domains", Origin="https://elsewhere.example")
    strict = Client(enforce_csrf_checks=True)
    sent = {"Authorization": f"Bearer {machine.text}"}
    changing = [
        getattr(strict, verb)("/api/v1/domains", headers=sent) for verb in ("post", "put", "patch", "delete", "options")
    ]

    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert {response.status_code for response in changing} == {405}
    assert {response["Content-Type"] for response in changing} == {"application/problem+json"}
    assert {
        (told["type"].partition("#")[2], told["detail"]) for told in (response.json() for response in changing)
    } == {("method", "Ask with GET.")}
    assert {response["Allow"] for response in changing} == {"GET"}
    assert "Cookie" not in answer["Vary"]


@pytest.mark.parametrize("address", ["/api/", "/api/v1/", "/api/v1/nowhere", "/api/v2/domains"])
def test_an_address_the_api_does_not_have_is_a_problem_too(client: Client, address: str) -> None:
    response = client.get(address)

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert "/api/v1/openapi.json" in response.json()["detail"]
