"""Whoever does not get in gets one answer: the same page, headers and work, for a mailbox we have and for none."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migration import first_login as first_logins
from migration import mailboxes
from migration.models import Event, FirstLogin, Mailbox
from migration.secrets import mac_matches
from tests import factories

from .door import sign_in, without_csrf

WRONG = "bcdf-ghjk-mnpq-rs34"


def reasons(mailbox: Mailbox) -> list[str]:
    return [event.detail["reason"] for event in mailbox.events.filter(action=Event.Action.SIGN_IN_FAILED)]


@pytest.mark.parametrize("state", ["wrong", "expired", "revoked", "used up", "excluded", "never invited", "superseded"])
def test_every_refusal_is_the_same_page_to_the_byte(client: Client, mailbox: Mailbox, state: str) -> None:
    unknown = sign_in(client, "anna@demo.example".replace("anna", "nina"), WRONG)
    typed = WRONG
    if state != "never invited":
        _first_login, secret = factories.make_first_login(mailbox)
        typed = WRONG if state == "wrong" else secret
    now = timezone.now()
    if state == "expired":
        FirstLogin.objects.update(minted_at=now - timedelta(days=15))
    elif state == "revoked":
        mailboxes.revoke(mailbox, actor="staff:eva")
    elif state == "used up":
        FirstLogin.objects.update(consumed_at=now)
    elif state == "excluded":
        mailboxes.exclude(mailbox, actor="staff:eva", reason="leaves")
    elif state == "superseded":
        factories.make_first_login(mailbox)
        factories.make_first_login(mailbox)

    response = sign_in(Client(), "anna@demo.example", typed)

    assert response.status_code == unknown.status_code == 422
    assert without_csrf(response).replace(b"anna@", b"nina@") == without_csrf(unknown)
    assert dict(response.headers) == dict(unknown.headers)
    expected = {"used up": "used_up", "never invited": "not_invited", "superseded": "wrong"}.get(state, state)
    assert reasons(mailbox) == [expected]


@pytest.mark.parametrize("known", [True, False])
def test_the_password_is_looked_at_once_whoever_asks(mailbox: Mailbox, known: bool, monkeypatch: Any) -> None:
    factories.make_first_login(mailbox)
    compared = []

    def counted(*args: Any) -> bool:
        compared.append(args)
        return mac_matches(*args)

    monkeypatch.setattr(first_logins, "mac_matches", counted)

    sign_in(Client(), mailbox.address if known else "nobody@demo.example", WRONG)

    assert len(compared) == 2


def test_a_try_for_an_unknown_address_leaves_no_event(client: Client, mailbox: Mailbox) -> None:
    sign_in(client, "nobody@demo.example", WRONG)

    assert Event.objects.count() == 0


def test_a_try_for_an_unknown_address_costs_the_same_queries(mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    kinds = []
    for address in (mailbox.address, "nobody@demo.example"):
        with CaptureQueriesContext(connection) as queries:
            sign_in(Client(), address, WRONG)
        kinds.append([query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]])

    assert kinds[0] == kinds[1]
    assert len(kinds[0]) <= 10
