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
from tests.audit import unguarded

from .door import sign_in, without_csrf

WRONG = "bcdf-ghjk-mnpq-rs34"


def reasons(mailbox: Mailbox) -> list[str]:
    return [event.detail["reason"] for event in mailbox.events.filter(action=Event.Action.SIGN_IN_FAILED)]


STATES = ["wrong", "expired", "revoked", "used up", "excluded", "never invited", "superseded", "disabled"]


def brought_into(state: str, mailbox: Mailbox) -> str:
    """What the owner of a mailbox in this state types from his mail."""
    if state == "never invited":
        return WRONG
    secret = factories.make_first_login(mailbox)[1]
    now = timezone.now()
    if state == "expired":
        FirstLogin.objects.update(minted_at=now - timedelta(days=15))
    elif state == "revoked":
        mailboxes.revoke(mailbox, actor="staff:eva")
    elif state == "used up":
        FirstLogin.objects.update(consumed_at=now)
    elif state == "excluded":
        mailboxes.exclude(mailbox, actor="staff:eva", reason="leaves")
    elif state == "disabled":
        mailboxes.replace(FirstLogin.objects.get(), actor="portal")
    elif state == "superseded":
        factories.make_first_login(mailbox)
        factories.make_first_login(mailbox)
    return WRONG if state == "wrong" else secret


@pytest.mark.parametrize("state", STATES)
def test_every_refusal_is_the_same_page_to_the_byte(mailbox: Mailbox, state: str) -> None:
    unknown = sign_in(Client(), "nina@demo.example", WRONG)
    typed = brought_into(state, mailbox)

    response = sign_in(Client(), "anna@demo.example", typed)

    assert response.status_code == unknown.status_code == 422
    assert without_csrf(response).replace(b"anna@", b"nina@") == without_csrf(unknown)
    assert dict(response.headers) == dict(unknown.headers)
    expected = {"used up": "used_up", "never invited": "not_invited", "superseded": "wrong", "disabled": "revoked"}.get(
        state, state
    )
    assert reasons(mailbox) == [expected]


@pytest.mark.parametrize("state", STATES)
def test_every_refusal_costs_the_same_queries_and_two_comparisons(
    mailbox: Mailbox, state: str, monkeypatch: Any
) -> None:
    typed = brought_into(state, mailbox)
    compared: list[Any] = []

    def counted(*args: Any) -> bool:
        compared.append(args)
        return mac_matches(*args)

    monkeypatch.setattr(first_logins, "mac_matches", counted)
    work = []
    for address, secret in ((mailbox.address, typed), ("nobody@demo.example", WRONG)):
        compared.clear()
        with CaptureQueriesContext(connection) as queries:
            sign_in(Client(), address, secret)
        kinds = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
        work.append((kinds, len(compared)))

    assert work[0] == work[1]
    assert work[0][1] == 2
    assert len(work[0][0]) <= 10


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("wrong", "never invited")])
def test_with_the_mailed_link_too_the_answer_does_not_tell_why(mailbox: Mailbox, state: str, monkeypatch: Any) -> None:
    link = factories.make_first_login(mailbox)[0].locator
    usual = sign_in(Client(), mailbox.address, WRONG, locator=link)
    FirstLogin.objects.all().delete()
    with unguarded():
        Event.objects.all().delete()
    typed = brought_into(state, mailbox)
    FirstLogin.objects.filter(pk=mailbox.first_logins.earliest("number").pk).update(locator=link)
    compared: list[Any] = []

    def compare(*args: Any) -> bool:
        compared.append(args)
        return mac_matches(*args)

    monkeypatch.setattr(first_logins, "mac_matches", compare)

    response = sign_in(Client(), mailbox.address, typed, locator=link)

    assert (response.status_code, without_csrf(response)) == (usual.status_code, without_csrf(usual))
    assert dict(response.headers) == dict(usual.headers)
    assert len(compared) == 2


def test_a_try_for_an_unknown_address_leaves_no_event(client: Client, mailbox: Mailbox) -> None:
    sign_in(client, "nobody@demo.example", WRONG)

    assert Event.objects.count() == 0
