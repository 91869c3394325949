"""Asking for a new mail: only who cannot get in any more gets one, and nobody learns who that is."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from migration import mailboxes
from migration.models import FirstLogin, Mailbox, Mailing
from tests import factories

from .door import owner_client, without_csrf

LONG_AGO = timedelta(days=20)


def ask(address: str, **headers: Any) -> Any:
    return Client().post("/again", {"address": address}, follow=True, **headers)


def expired(mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    then = timezone.now() - LONG_AGO
    FirstLogin.objects.update(minted_at=then, created_at=then)


def queued(mailbox: Mailbox) -> int:
    return Mailing.objects.filter(mailbox=mailbox, state=Mailing.State.QUEUED).count()


def test_after_the_password_has_expired_a_new_mail_is_queued(mailbox: Mailbox) -> None:
    expired(mailbox)

    ask("  ANNA@demo.example ")

    assert queued(mailbox) == 1
    assert Mailing.objects.get(state=Mailing.State.QUEUED).recipient == mailbox.address


def test_asking_twice_sends_one_mail(mailbox: Mailbox) -> None:
    expired(mailbox)

    ask(mailbox.address)
    ask(mailbox.address)

    assert queued(mailbox) == 1


def test_while_a_mail_waits_in_the_outbox_no_other_joins_it(mailbox: Mailbox) -> None:
    expired(mailbox)
    ask(mailbox.address)

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        ask(mailbox.address)

    assert queued(mailbox) == 1


def test_while_the_password_is_good_a_stranger_changes_nothing(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    ask(mailbox.address)

    assert queued(mailbox) == 0
    assert client.get("/password").status_code == 200


@pytest.mark.parametrize(
    "state", ["unknown", "imported", "valid", "expired", "revoked", "used up", "excluded", "paused", "no address"]
)
def test_everybody_reads_the_same(mailbox: Mailbox, state: str) -> None:
    usual = ask("nobody@demo.example")
    address = {"unknown": "nobody@other.example", "no address": "' OR 1=1\0"}.get(state, mailbox.address)
    if state not in ("unknown", "imported", "no address"):
        expired(mailbox)
    now = timezone.now()
    if state == "valid":
        FirstLogin.objects.update(minted_at=now)
    elif state == "revoked":
        mailboxes.revoke(mailbox, actor="staff:eva")
    elif state == "used up":
        FirstLogin.objects.update(consumed_at=now)
        Mailbox.objects.update(state=Mailbox.State.ACTIVE)
    elif state == "excluded":
        mailboxes.exclude(mailbox, actor="staff:eva", reason="leaves")
    elif state == "paused":
        mailbox.domain.paused_at = now
        mailbox.domain.save()

    response = ask(address)

    assert response.status_code == usual.status_code == 200
    assert without_csrf(response) == without_csrf(usual)
    assert queued(mailbox) == (state in ("expired", "used up"))


def test_one_network_cannot_ask_for_everybody(db: None) -> None:
    domain = factories.make_domain("demo.example")
    boxes = [factories.make_mailbox(f"m{number}", domain=domain) for number in range(31)]
    for box in boxes:
        expired(box)

    for box in boxes:
        ask(box.address)

    assert Mailing.objects.filter(state=Mailing.State.QUEUED).count() == 30


def test_an_empty_address_is_said(client: Client, db: None) -> None:
    response = client.post("/again", {"address": ""})

    assert response.status_code == 422
    assert "Please enter your e-mail address." in response.content.decode()
