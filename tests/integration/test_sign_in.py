"""Signing in with address and first-login password: who gets in, and that everybody else gets one answer."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client

from accounts import owners
from migration import first_login as first_logins
from migration.models import Event, FirstLogin, Mailbox
from tests import factories

from .door import owner_client, save, sign_in

WRONG = "bcdf-ghjk-mnpq-rs34"


def test_the_owner_gets_in_and_is_asked_for_a_new_password(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)

    response = sign_in(client, "anna@demo.example", first_logins.show(secret))

    assert (response.status_code, response["Location"]) == (302, "/password")
    mailbox.refresh_from_db()
    assert mailbox.state == Mailbox.State.SIGNED_IN
    assert mailbox.events.filter(action=Event.Action.SIGNED_IN).count() == 1
    assert client.get("/password").status_code == 200


def test_signing_in_does_not_use_the_password_up(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)

    assert sign_in(client, mailbox.address, secret).status_code == 302
    assert sign_in(Client(), mailbox.address, secret).status_code == 302
    assert client.get("/password").status_code == 200


def test_of_two_mails_both_work_and_of_three_the_newest_two(mailbox: Mailbox) -> None:
    secrets = [factories.make_first_login(mailbox)[1] for _ in range(3)]

    answers = [sign_in(Client(), mailbox.address, secret).status_code for secret in secrets]

    assert answers == [422, 302, 302]


@pytest.mark.parametrize("form", ["{}", " {} ", "{}\n"])
@pytest.mark.parametrize("dash", ["-", " ", "", "\u2013", "\u2011", "\u00ad", " - "])
@pytest.mark.parametrize("case", [str.upper, str.lower, str])
def test_a_secret_typed_a_little_differently_is_the_same(
    client: Client, mailbox: Mailbox, form: str, dash: str, case: Any
) -> None:
    _, secret = factories.make_first_login(mailbox)

    typed = form.format(case(first_logins.show(secret)).replace("-", dash))

    assert sign_in(client, mailbox.address, typed).status_code == 302


def test_what_was_typed_as_secret_is_never_shown_again(client: Client, mailbox: Mailbox) -> None:
    assert "old-Password-of-Anna" not in sign_in(client, mailbox.address, "old-Password-of-Anna").content.decode()


def test_signing_out_ends_the_session(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    response = client.post("/sign-out")

    assert response["Location"] == "/"
    assert [str(message) for message in get_messages(response.wsgi_request)] == ["You are signed out."]
    assert client.get("/password")["Location"] == "/"
    assert client.get("/sign-out")["Location"] == "/"


def test_the_used_up_password_does_not_open_the_door_again(mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)
    client = Client()
    sign_in(client, mailbox.address, secret)
    save(client)

    assert sign_in(Client(), mailbox.address, secret).status_code == 422
    assert mailbox.events.get(action=Event.Action.SIGN_IN_FAILED).detail == {"reason": "used_up"}


def test_the_last_second_of_the_password_counts(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    end = first_logins.expires_at(FirstLogin.objects.get(pk=first_login.pk))

    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        assert sign_in(Client(), mailbox.address, secret).status_code == 302
    with time_machine.travel(end, tick=False):
        assert sign_in(Client(), mailbox.address, secret).status_code == 422


def test_the_session_holds_no_secret(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    assert set(client.session[owners.KEY]) == {"mailbox", "epoch", "first_login", "locator", "started", "seen"}
