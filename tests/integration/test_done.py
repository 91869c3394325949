"""The done page tells the truth: saved, being looked after, active; and what to change in the mail program."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migration.models import Mailbox, Push

from .door import owner_client, save

EACH_STATE = {
    Push.State.QUEUED: "saved",
    Push.State.IN_FLIGHT: "saved",
    Push.State.WAITING: "saved",
    Push.State.BLOCKED: "looked_after",
    Push.State.DELIVERED: "saved",
    Push.State.SUPERSEDED: "looked_after",
}


@pytest.fixture
def client(mailbox: Mailbox) -> Client:
    """An owner who has just saved a password."""
    client = owner_client(mailbox)
    save(client)
    return client


def stage(response: Any) -> str:
    found = re.findall(r'data-stage="(\w+)"', response.content.decode())
    assert len(found) == 1
    return str(found[0])


def change(state: Push.State, **fields: Any) -> None:
    blank = {"payload": None} if state in (Push.State.DELIVERED, Push.State.SUPERSEDED) else {}
    Push.objects.update(state=state, **blank, **fields)


@pytest.mark.parametrize("page", ["/done", "/done/state"])
@pytest.mark.parametrize(("state", "expected"), EACH_STATE.items())
def test_it_says_what_is_true(client: Client, page: str, state: Push.State, expected: str) -> None:
    change(state)

    assert stage(client.get(page)) == expected


def test_active_needs_the_delivered_push_and_the_mailbox(client: Client) -> None:
    change(Push.State.DELIVERED)
    assert stage(client.get("/done")) == "saved"
    Mailbox.objects.update(state=Mailbox.State.ACTIVE)
    assert stage(client.get("/done")) == "active"
    assert "Your new password is active" in client.get("/done").content.decode()


@pytest.mark.parametrize("state", [Push.State.QUEUED, Push.State.WAITING, Push.State.IN_FLIGHT, Push.State.BLOCKED])
def test_it_never_says_active_for_an_older_password(client: Client, state: Push.State) -> None:
    change(Push.State.DELIVERED)
    save(client, "Tulpe-77-ofen-kran")
    Push.objects.filter(version=2).update(state=state)
    Mailbox.objects.update(state=Mailbox.State.ACTIVE)

    assert stage(client.get("/done/state")) != "active"


def test_what_takes_long_is_called_being_looked_after(client: Client) -> None:
    change(Push.State.WAITING, created_at=timezone.now() - timedelta(minutes=11))

    page = client.get("/done")

    assert stage(page) == "looked_after"
    assert "nothing for you to do" in page.content.decode()


def test_the_servers_own_words_are_not_shown(client: Client) -> None:
    change(Push.State.BLOCKED, reason=Push.Reason.QUOTA)

    assert "quota" not in client.get("/done").content.decode().lower().replace("mailbox_quota", "")


def test_before_a_password_is_saved_it_leads_back(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    assert client.get("/done")["Location"] == "/password"
    assert client.get("/done/state").status_code == 204


def test_without_javascript_a_link_asks_again(client: Client) -> None:
    link = re.compile(r'<noscript>.*href="/done"')
    assert link.search(client.get("/done").content.decode())
    change(Push.State.DELIVERED)
    Mailbox.objects.update(state=Mailbox.State.ACTIVE)
    assert not link.search(client.get("/done").content.decode())


def test_changes_are_told_to_screen_readers(client: Client) -> None:
    assert re.search(r'data-state="/done/state" aria-live="polite"', client.get("/done").content.decode())


def test_old_and_new_server_stand_on_the_page(client: Client) -> None:
    page = client.get("/done").content.decode()

    assert "alt.provider.example" in page
    assert "mail.provider.example" in page
    assert "993" in page
    assert "465" in page
    assert 'href="/guide"' in page
    assert "https://webmail.provider.example/SOGo" in page


def test_the_guide_is_for_this_mailbox(client: Client) -> None:
    response = client.get("/guide")

    assert response.status_code == 200
    assert "anna@demo.example" in response.content.decode()
