"""Signing in with address and first-login password: who gets in, and that everybody else gets one answer."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.test import Client

from accounts import owners
from accounts.attempts import Attempts
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


@pytest.mark.parametrize(
    "typed",
    [
        "anna@demo.example\u00a0",
        "  anna@demo.example\r\n",
        "ANNA@DEMO.EXAMPLE",
        "\u200banna@demo.example",
        "Anna@Demo.Example.",
    ],
)
def test_an_address_typed_a_little_differently_is_the_same(client: Client, mailbox: Mailbox, typed: str) -> None:
    _, secret = factories.make_first_login(mailbox)

    assert sign_in(client, typed, secret).status_code == 302


@pytest.mark.parametrize("address", ["anna@bücher.example", "anna@xn--bcher-kva.example", "anna@BÜCHER.example"])
def test_a_domain_with_umlauts_may_be_typed_either_way(client: Client, db: None, address: str) -> None:
    box = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"))
    _, secret = factories.make_first_login(box)

    assert sign_in(client, address, secret).status_code == 302


@pytest.mark.parametrize("form", ["{}", " {} ", "{}\n"])
@pytest.mark.parametrize("dash", ["-", " ", "", "\u2013", "\u2011", "\u00ad", " - "])
@pytest.mark.parametrize("case", [str.upper, str.lower, str])
def test_a_secret_typed_a_little_differently_is_the_same(
    client: Client, mailbox: Mailbox, form: str, dash: str, case: Any
) -> None:
    _, secret = factories.make_first_login(mailbox)

    typed = form.format(case(first_logins.show(secret)).replace("-", dash))

    assert sign_in(client, mailbox.address, typed).status_code == 302


def test_the_secret_of_another_mailbox_does_not_help(client: Client, mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    _, secret = factories.make_first_login(factories.make_mailbox("berta", domain=mailbox.domain))

    assert sign_in(client, mailbox.address, secret).status_code == 422


@pytest.mark.parametrize(
    ("address", "secret"), [("", "x"), ("   ", "x"), ("anna@demo.example", ""), ("anna@demo.example", " ")]
)
def test_an_empty_field_is_said_and_costs_no_try(client: Client, mailbox: Mailbox, address: str, secret: str) -> None:
    response = sign_in(client, address, secret)

    assert response.status_code == 422
    assert 'class="errors"' in response.content.decode()
    assert 'id="refusal"' not in response.content.decode()
    assert Attempts.objects.count() == 0


def test_what_was_typed_as_secret_is_never_shown_again(client: Client, mailbox: Mailbox) -> None:
    assert "old-Password-of-Anna" not in sign_in(client, mailbox.address, "old-Password-of-Anna").content.decode()


def test_a_huge_body_is_refused_before_it_is_looked_at(client: Client, db: None) -> None:
    assert sign_in(client, "a" * 1_000_000, WRONG).status_code == 400
    assert sign_in(client, "anna@demo.example", "b" * 10_000_000).status_code == 400
    assert client.post("/", {f"f{n}": "" for n in range(5000)}).status_code == 400


def test_a_field_sent_twice_or_as_a_list_is_no_error(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)

    assert client.post("/", {"address": mailbox.address, "secret[]": secret}).status_code == 422
    assert client.post("/", {"address": mailbox.address, "secret": [WRONG, secret]}).status_code == 302


@pytest.mark.parametrize("body", [b"address=%FF&secret=%ED%A0%80", b"address=anna%40demo.example%ED%A0%80&secret=x"])
def test_broken_unicode_is_no_error(client: Client, db: None, body: bytes) -> None:
    response = client.post("/", body, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 422


def test_a_password_in_the_address_line_is_ignored(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)

    response = client.get("/", {"address": mailbox.address, "secret": secret})

    assert response.status_code == 200
    assert secret not in response.content.decode()


def test_a_json_body_signs_nobody_in(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)

    response = client.post("/", {"address": mailbox.address, "secret": secret}, content_type="application/json")

    assert response.status_code == 422


@pytest.mark.parametrize("token", [None, "", "x" * 32])
def test_without_the_forms_token_a_friendly_page_says_try_again(mailbox: Mailbox, token: str | None) -> None:
    _, secret = factories.make_first_login(mailbox)
    client = Client(enforce_csrf_checks=True)
    client.get("/")
    data = {"address": mailbox.address, "secret": secret} | ({} if token is None else {"csrfmiddlewaretoken": token})

    response = client.post("/", data)

    assert response.status_code == 403
    assert "nothing was saved" in response.content.decode()


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "javascript:alert(1)", "https://evil.example"])
def test_no_next_parameter_leads_anywhere_else(client: Client, mailbox: Mailbox, target: str) -> None:
    _, secret = factories.make_first_login(mailbox)

    response = client.post(f"/?next={target}", {"address": mailbox.address, "secret": secret, "next": target})

    assert response["Location"] == "/password"


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver@evil.example", "testserver:x@evil.example", "evil.example:80"]
)
def test_a_forged_host_is_refused(client: Client, db: None, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


def test_signing_out_ends_the_session(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    response = client.post("/sign-out")

    assert response["Location"] == "/"
    assert [str(message) for message in get_messages(response.wsgi_request)] == ["You are signed out."]
    assert client.get("/password")["Location"] == "/"
    assert client.get("/sign-out").status_code == 405


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
