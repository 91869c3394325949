"""The done page tells the truth: saved, being looked after, active; and what to change in the mail program."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migration import mailboxes
from migration.models import Domain, Event, Mailbox, Push
from migration.refusals import VerbRefused

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
def client(mailbox: Mailbox, settings: Any) -> Client:
    """An owner who has just saved a password."""
    settings.TARGET_USER_URL = "https://mailcow.provider.example/user"
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


def test_seen_needs_a_login_on_the_new_server(client: Client, mailbox: Mailbox) -> None:
    mailbox.refresh_from_db()
    delivered_at = timezone.now() - timedelta(minutes=1)
    change(Push.State.DELIVERED, delivered_at=delivered_at)
    Mailbox.objects.update(state=Mailbox.State.ACTIVE)

    assert not mailboxes.see_login(mailbox, at=delivered_at - timedelta(seconds=1))
    assert stage(client.get("/done")) == "active"

    assert mailboxes.see_login(mailbox, at=delivered_at + timedelta(seconds=1))
    assert stage(client.get("/done/state")) == "seen"
    assert mailbox.events.filter(action=Event.Action.MOVED).count() == 1
    assert not mailboxes.see_login(mailbox, at=timezone.now())


@pytest.mark.parametrize("state", [Push.State.QUEUED, Push.State.IN_FLIGHT, Push.State.WAITING, Push.State.BLOCKED])
def test_a_login_while_the_newest_password_is_on_its_way_counts_for_nothing(
    client: Client, mailbox: Mailbox, state: Push.State
) -> None:
    change(Push.State.DELIVERED, delivered_at=timezone.now() - timedelta(minutes=5))
    save(client, "Tulpe-77-ofen-kran")
    Push.objects.filter(version=2).update(state=state)

    assert not mailboxes.see_login(mailbox, at=timezone.now())
    assert stage(client.get("/done")) in ("saved", "looked_after")


@pytest.mark.parametrize(
    ("fields", "cut_over", "handed_over"),
    [
        ({"state": Mailbox.State.ACTIVE}, False, False),
        ({"state": Mailbox.State.MOVED}, False, True),
        ({"state": Mailbox.State.ACTIVE}, True, True),
        ({"state": Mailbox.State.PASSWORD_SET}, True, False),
        ({"state": Mailbox.State.SIGNED_IN}, True, False),
    ],
)
def test_after_the_hand_over_the_password_is_changed_on_the_new_server(
    client: Client, fields: dict[str, str], cut_over: bool, handed_over: bool
) -> None:
    Mailbox.objects.update(**fields)
    Domain.objects.update(cut_over_at=timezone.now() if cut_over else None)

    page = client.get("/password")
    answer = save(client, "Tulpe-77-ofen-kran")

    assert ("https://mailcow.provider.example/user" in page.content.decode()) == handed_over
    assert answer.status_code == (409 if handed_over else 302)
    assert Push.objects.count() == (1 if handed_over else 2)


def test_the_verb_refuses_after_the_hand_over_too(client: Client, mailbox: Mailbox) -> None:
    Mailbox.objects.update(state=Mailbox.State.ACTIVE)
    Domain.objects.update(cut_over_at=timezone.now())
    mailbox = Mailbox.objects.select_related("domain").get()

    with pytest.raises(VerbRefused, match="handed over"):
        mailboxes.set_password(mailbox, password_hash="x", kept_old=False, submission=uuid.uuid4(), ip=None)


def test_the_done_page_leads_to_the_new_servers_page_after_the_hand_over(client: Client) -> None:
    assert "https://mailcow.provider.example/user" not in client.get("/done").content.decode()

    change(Push.State.DELIVERED)
    Mailbox.objects.update(state=Mailbox.State.MOVED)

    page = client.get("/done").content.decode()
    assert 'href="https://mailcow.provider.example/user"' in page
    assert "Choose another password" not in page


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
    assert link.search(client.get("/done").content.decode())
    Mailbox.objects.update(state=Mailbox.State.MOVED)
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
