"""Everybody at every door: each role opens what the table says, is turned away elsewhere, and forges nothing."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from migration.models import (
    Answer,
    FirstLogin,
    Mailbox,
    Push,
)
from tests.integration.contacts import key
from tests.integration.door import GOOD, owner_client
from tests.integration.doors import World, make_world
from tests.matrix import EVERYBODY, routes, row_of, rows

pytestmark = pytest.mark.django_db

REFUSED, NOT_LIKE_THIS, OPENED, BROKEN = "refused", "not like this", "opened", "broken"
SIGN_IN_PAGES = ("/staff/sign-in/login/", "/admin/login/", "/s/")


@pytest.fixture
def world() -> World:
    return make_world()


# What no form of ours has, or what only its verb may change.
FORGED = {
    "role": "admin",
    "is_superuser": "1",
    "is_staff": "1",
    "is_active": "1",
    "email": "forged@provider.example",
    "groups": "1",
    "user_permissions": "1",
    "state": "active",
    "version": "99",
    "epoch": "99",
    "legacy_hash": "{PLAIN}forged",
    "payload": "forged",
    "mac": "forged",
    "locator": "forged",
    "submitted_at": "2026-01-01",
    "reason": "forged",
    "next": "/help",
}


def forged(world: World) -> dict[str, str]:
    """These, and the names of the other customer's things."""
    theirs = world.theirs
    foreign = {"mailbox": theirs.pk, "mailbox_id": theirs.pk, "domain": theirs.domain_id, "address": theirs.address}
    foreign |= {
        "customer": theirs.domain.customer_id,
        "pk": theirs.pk,
        "id": theirs.pk,
        f"{key(theirs)}-choice": "keep",
    }
    return FORGED | {name: str(value) for name, value in foreign.items()}


def what_stays(world: World, who: str) -> list[Any]:
    """Everything that no form may change, whoever sends it."""
    users = User.objects.order_by("pk").values_list("pk", "email", "password", "is_superuser")
    roles = User.objects.exclude(role="admin").values_list("pk", "role") if who != "admin" else []
    return [
        list(users),
        list(roles),
        list(Mailbox.objects.filter(domain=world.theirs.domain).order_by("pk").values()),
        list(FirstLogin.objects.filter(mailbox=world.theirs).values()),
        list(Push.objects.order_by("pk").values_list("payload", "version")),
    ]


def outcome(response: HttpResponse) -> str:
    """Whether the door opened."""
    where = response.headers.get("Location", "")
    if response.status_code in (401, 403) or where == "/" or where.startswith(SIGN_IN_PAGES):
        return REFUSED
    if response.status_code >= 500:
        return BROKEN
    return NOT_LIKE_THIS if response.status_code in (404, 405) else OPENED


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside did not happen. The counters of tries want the outermost transaction, as in a TestCase."""
    inside = transaction.atomic()
    inside._from_testcase = True  # type: ignore[attr-defined]
    with inside:
        yield
        transaction.set_rollback(True)


def knock(client: Client, method: str, address: str, fields: dict[str, str]) -> HttpResponse:
    """Ask as this client would, but keep what it is for the next time: signing out ends nothing."""
    browser = Client()
    browser.defaults |= client.defaults
    browser.cookies.load({name: morsel.value for name, morsel in client.cookies.items()})
    response: HttpResponse = getattr(browser, method)(address, fields)
    return response


# Nobody in this world has a passkey; whose is not there is not found, after the same checks.
NO_ROW = "/staff/sign-in/second-factor/passkey/<int:pk>/remove/"


def is_right(route: str, outcomes: set[str], *, allowed: bool, public: bool) -> bool:
    """Whether that is what the table says. A page of the Django admin opens by finding no row, too."""
    if BROKEN in outcomes or not allowed:
        return outcomes <= {REFUSED, NOT_LIKE_THIS} and REFUSED in outcomes
    if route.startswith("/admin/") or route == NO_ROW:
        return outcomes != {REFUSED} or public
    return OPENED in outcomes or public


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    found = {row_of(route) for route in routes()}

    assert [route for route in routes() if row_of(route) is None] == []
    assert set(rows()) - found == set()


@pytest.mark.parametrize("who", EVERYBODY)
def test_each_door_opens_to_whom_the_table_says(who: str, world: World) -> None:
    client, wrong, changed = world.client(who), [], []
    fields, before, known = forged(world), what_stays(world, who), rows()

    for route in routes():
        may, outcomes = known.get(row_of(route) or "", frozenset()), set()
        address = world.address(route)
        for method, sent in (("get", {}), ("post", fields)):
            with undone():
                outcomes.add(outcome(knock(client, method, address, sent)))
                if method == "post" and what_stays(world, who) != before:
                    changed.append(route)
        if not is_right(route, outcomes, allowed=who in may, public=may >= set(EVERYBODY)):
            wrong.append((route, "allowed" if who in may else "refused", outcomes))

    assert wrong == [], "\n".join(map(str, wrong))
    assert changed == []


def test_another_customers_things_are_not_there_for_a_contact(world: World) -> None:
    client = world.client("contact")
    naming = [route for route in routes() if "<int:" in route and "contact" in rows().get(row_of(route) or "", ())]

    for route in naming:
        own, foreign = world.address(route), world.address(route, foreign=True)
        assert own != foreign
        assert {client.get(foreign).status_code, client.post(foreign).status_code} <= {404, 405}

    said = client.post(
        reverse("accounts:review_lines", args=[world.mine.domain_id]), {f"{key(world.theirs)}-choice": "keep"}
    )
    assert naming
    assert said.status_code == 404
    assert not Answer.objects.filter(mailbox=world.theirs).exists()


def test_another_customers_domains_are_not_there_for_his_program(world: World) -> None:
    client = world.client("customers-program")
    naming = [route for route in routes() if route.startswith("/api/") and "<name>" in route]

    for route in naming:
        assert client.get(world.address(route)).status_code == 200, route
        assert client.get(world.address(route, foreign=True)).status_code == 404, route
    assert naming
    for address in ("/api/v1/domains", "/api/v1/events"):
        answer = client.get(address).content.decode()
        assert world.theirs.domain.name not in answer


def test_an_owner_changes_his_own_mailbox_whatever_the_form_names(world: World) -> None:
    client = owner_client(world.mine)
    others = Mailbox.objects.filter(domain=world.theirs.domain)
    before = list(others.values())

    client.post(reverse("accounts:password"), forged(world) | {"password": GOOD, "submission": str(uuid.uuid4())})

    assert Mailbox.objects.get(pk=world.mine.pk).state == Mailbox.State.PASSWORD_SET
    assert list(others.all().values()) == before
