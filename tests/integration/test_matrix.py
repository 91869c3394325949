"""Everybody at every door: each role opens what the table says, is turned away elsewhere, and forges nothing."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.apps import apps
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import StaffSession, User
from migration.models import Answer, ApiToken, BulkRun, Case, FirstLogin, ImportRun, Mailbox, Note, Push, Review
from tests.factories import HASH, make_customer, make_domain, make_first_login, make_mailbox, make_push, make_staff
from tests.integration.contacts import contact_client, key, make_review
from tests.integration.door import GOOD, owner_client
from tests.integration.proof import proves_who_it_is
from tests.matrix import EVERYBODY, STAFF, routes, row_of, rows

pytestmark = pytest.mark.django_db

MODEL = re.compile(r"^/admin/(accounts|migration)/(\w+)/")
REFUSED, NOT_LIKE_THIS, OPENED, BROKEN = "refused", "not like this", "opened", "broken"
SIGN_IN_PAGES = ("/staff/sign-in/login/", "/admin/login/", "/s/")


@dataclass
class World:
    """Two customers, each with a domain, a mailbox, a list, a case; everything the addresses can name."""

    mine: Mailbox
    theirs: Mailbox
    review: Review
    code: str
    case: Case
    answer: Answer

    def client(self, who: str) -> Client:
        """The browser of this one, signed in as far as he can be."""
        client = Client()
        if who == "owner":
            return owner_client(self.mine)
        if who == "contact":
            return contact_client(self.review, self.code)
        if who in STAFF:
            user = make_staff(role=who)
            RecoveryCodes.activate(user)
            client.force_login(user, backend="accounts.staff.RoleBackend")
            client.get("/staff/")
            proves_who_it_is(client)
        return client

    def address(self, route: str, *, foreign: bool = False) -> str:
        """A route with the numbers and words of what it names; of the other customer's if asked for."""
        mailbox = self.theirs if foreign else self.mine
        words = {
            "/admin/": f"/admin/{self._row_in_the_admin(route)}/",
            "/domains/": mailbox.domain_id,
            "/review/": mailbox.domain_id,
            "/mailboxes/": mailbox.pk,
            "/customers/": mailbox.domain.customer_id,
            "/cases/": self.case.pk,
            "/notes/": mailbox.notes.get().pk,
            "/bulk/": BulkRun.objects.values_list("pk", flat=True).get(),
            "/answers/": self.answer.pk,
            "/sessions/": StaffSession.objects.values_list("pk", flat=True).first() or 1,
            "/members/": User.objects.values_list("pk", flat=True).first() or 1,
            "/tokens/": ApiToken.objects.get().pk,
            "/passkey/": 1,
            "/s/": "of-nobody",
            "/c/": "of-nobody",
            "/help/": "thunderbird",
            "/guide/": "thunderbird",
            "/help/<slug:program>/": "imap",
            "/guide/<slug:program>/": "imap",
        }
        if route.startswith("/admin/"):
            return re.sub(r"<[^>]+>|\(\?P.*\)\$?|\^", str(self._row_in_the_admin(route)), route).replace("$", "")
        filled = ""
        for part in re.split(r"(<[^>]+>)", route):
            filled += str(words.get(filled_from(route, part), 1)) if part.startswith("<") else part
        return filled

    def _row_in_the_admin(self, route: str) -> int:
        model = MODEL.match(route)
        row = apps.get_model(model[1], model[2])._default_manager.first() if model else None
        return row.pk if row else 1


def filled_from(route: str, part: str) -> str:
    """What stands before a placeholder: the word that says what it names."""
    before = route[: route.index(part)]
    return before if before.endswith(">/") else f"/{before.rstrip('/').rpartition('/')[2]}/"


@pytest.fixture
def world() -> World:
    mine, theirs = (make_mailbox(legacy=HASH, domain=make_domain(customer=make_customer())) for _which in range(2))
    for mailbox in (mine, theirs):
        make_push(make_mailbox(domain=mailbox.domain))
        make_first_login(mailbox)
        day = mailbox.created_at.date()
        Note.objects.create(mailbox=mailbox, text="Calls back.", written_by="staff:eva", follow_up_on=day)
    (review, code), _theirs = make_review(mine.domain), make_review(theirs.domain)
    case = Case.objects.create(mailbox=mine, kind=Case.Kind.SHARED)
    ApiToken.objects.create(name="x", lookup="lookup-1", mac=b"", made_by="staff:eva", expires_at=timezone.now())
    ImportRun.objects.create(domain=mine.domain, file_name="x.csv")
    BulkRun.objects.create(domain=mine.domain, verb=BulkRun.Verb.INVITE, chosen=1, ended_at=mine.created_at)
    answer = Answer.objects.create(review=review, mailbox=mine, choice=Answer.Choice.DELETE)
    return World(mine, theirs, review, code, case, answer)


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
        for method, sent in (("get", {}), ("post", fields)):
            with undone():
                outcomes.add(outcome(knock(client, method, world.address(route), sent)))
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


def test_an_owner_changes_his_own_mailbox_whatever_the_form_names(world: World) -> None:
    client = owner_client(world.mine)
    others = Mailbox.objects.filter(domain=world.theirs.domain)
    before = list(others.values())

    client.post(reverse("accounts:password"), forged(world) | {"password": GOOD, "submission": str(uuid.uuid4())})

    assert Mailbox.objects.get(pk=world.mine.pk).state == Mailbox.State.PASSWORD_SET
    assert list(others.all().values()) == before
