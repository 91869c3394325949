"""The mailed link: it fills in the address, and however often anything opens it, nothing changes."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from migration.models import Event, Mailbox
from tests import factories

from .door import rows, sign_in, without_csrf

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def test_it_fills_in_the_address_and_asks_for_the_password(client: Client, mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)

    page = client.get(f"/s/{first_login.locator}").content.decode()

    assert 'value="anna@demo.example"' in page
    assert page.index("autofocus") > page.index('name="secret"')


def test_an_address_with_umlauts_is_shown_with_umlauts(client: Client, db: None) -> None:
    box = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"))
    first_login, secret = factories.make_first_login(box)

    assert "anna@bücher.example" in client.get(f"/s/{first_login.locator}").content.decode()
    assert sign_in(client, "anna@bücher.example", secret, locator=first_login.locator).status_code == 302


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize(
    "headers", [{}, {"sec-purpose": "prefetch"}, {"user-agent": "Safe Links"}, {"cookie": "sid=x"}]
)
def test_opening_it_writes_nothing(mailbox: Mailbox, method: str, headers: dict[str, str]) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    before = rows()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        for _ in range(20):
            assert getattr(Client(), method)(f"/s/{first_login.locator}", headers=headers).status_code == 200

    assert not [query["sql"] for query in queries if query["sql"].lstrip().startswith(WRITES)]
    assert rows() == before
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302


def test_the_link_alone_opens_nothing(client: Client, mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    client.get(f"/s/{first_login.locator}")

    assert client.get("/password")["Location"] == "/"


@pytest.mark.parametrize("locator", ["AAAAAAAAAAA", "x", "a" * 300])
def test_an_unknown_link_is_the_plain_sign_in(client: Client, db: None, locator: str) -> None:
    plain = without_csrf(client.get("/"))

    response = client.get(f"/s/{locator}")

    assert response.status_code == 200
    assert without_csrf(response).replace(f"/s/{locator}".encode(), b"/") == plain


@pytest.mark.parametrize("locator", ["ä" * 11, "%00", "..%2f", "' OR 1=1"])
def test_what_can_be_no_link_is_a_friendly_404(client: Client, db: None, locator: str) -> None:
    response = client.get(f"/s/{locator}")

    assert response.status_code == 404
    assert "This page does not exist" in response.content.decode()


def test_a_changed_link_leads_to_nobodys_address(client: Client, mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    changed = first_login.locator[:-1] + ("A" if first_login.locator[-1] != "A" else "B")

    assert mailbox.address not in client.get(f"/s/{changed}").content.decode()


def test_the_link_of_another_mailbox_does_not_help(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)
    other, other_secret = factories.make_first_login(factories.make_mailbox("berta", domain=mailbox.domain))

    assert sign_in(client, "berta@demo.example", secret, locator=other.locator).status_code == 422
    assert sign_in(client, mailbox.address, other_secret, locator=other.locator).status_code == 422
    assert sign_in(client, mailbox.address, secret, locator=other.locator).status_code == 302


def test_the_link_of_the_mail_before_works_too(client: Client, mailbox: Mailbox) -> None:
    first, secret = factories.make_first_login(mailbox)
    factories.make_first_login(mailbox)

    assert sign_in(client, mailbox.address, secret, locator=first.locator).status_code == 302


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client: Client, mailbox: Mailbox, method: str) -> None:
    first_login, _ = factories.make_first_login(mailbox)

    assert getattr(client, method)(f"/s/{first_login.locator}").status_code == 405


def test_opening_it_takes_one_query(client: Client, mailbox: Mailbox, django_assert_num_queries: Any) -> None:
    first_login, _ = factories.make_first_login(mailbox)

    with django_assert_num_queries(1):
        client.get(f"/s/{first_login.locator}")


def test_a_refusal_keeps_the_link(client: Client, mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)

    response = sign_in(client, mailbox.address, "bcdf-ghjk-mnpq-rs34", locator=first_login.locator)

    assert response.status_code == 422
    assert response.wsgi_request.path == f"/s/{first_login.locator}"
    assert Event.objects.get(action=Event.Action.SIGN_IN_FAILED).detail == {"reason": "wrong"}
