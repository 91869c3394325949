"""Admins make tokens for programs at the desk and take them back; a token is shown once, after a fresh proof."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from migration.api import tokens
from migration.models import ApiToken
from tests import factories
from tests.integration.proof import is_asked, proven_long_ago, proves_who_it_is
from tests.machines import make_token

pytestmark = pytest.mark.django_db

LIST, NEW = "/staff/tokens/", "/staff/tokens/new/"
WANTED = {"name": "wallboard", "scopes": ["campaign:read"], "days": "30"}


@pytest.fixture
def admin(admin_client_mfa: Client) -> Client:
    proves_who_it_is(admin_client_mfa)
    return admin_client_mfa


def shown(answer: Any) -> str:
    found = re.search(r"umzug_[\w-]{40}", answer.content.decode())
    assert found
    return found[0]


def test_an_admin_makes_a_token_and_sees_it_this_once(admin: Client) -> None:
    customer = factories.make_customer(name="Gärtnerei Blum")

    answer = admin.post(NEW, WANTED | {"customer": customer.pk})

    row = tokens.find(shown(answer))
    assert row is not None
    assert (row.name, row.scopes, row.customer) == ("wallboard", ["campaign:read"], customer)
    assert "no-store" in answer["Cache-Control"]
    listed = admin.get(LIST).content.decode()
    assert "Gärtnerei Blum" in listed
    assert shown(answer) not in listed


def test_without_a_fresh_proof_none_is_made(admin: Client) -> None:
    proven_long_ago(admin)

    assert is_asked(admin.get(NEW))
    assert is_asked(admin.post(NEW, WANTED))
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("role", ["readonly", "support", "operator"])
def test_nobody_but_an_admin_sees_makes_or_revokes_one(staff_client: Callable[..., Client], role: str) -> None:
    client = staff_client(role)
    row, _text = make_token()
    proves_who_it_is(client)

    statuses = [client.get(LIST), client.get(NEW), client.post(NEW, WANTED)]
    statuses.append(client.post(reverse("desk:token_revoke", args=[row.pk])))

    assert {answer.status_code for answer in statuses} == {403}
    row.refresh_from_db()
    assert row.is_valid


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"scopes": []}, "Choose at least one."),
        ({"scopes": ["names:read"]}, "Names are told with the mailboxes"),
        ({"days": "9999"}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(admin: Client, wrong: dict[str, Any], sentence: str) -> None:
    answer = admin.post(NEW, WANTED | wrong)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_said_to_be_so(admin: Client) -> None:
    row, text = make_token()

    page = admin.post(reverse("desk:token_revoke", args=[row.pk]), follow=True).content.decode()
    again = admin.post(reverse("desk:token_revoke", args=[row.pk]), follow=True).content.decode()

    assert tokens.find(text) is None
    assert "opens nothing any more" in page
    assert "revoked already" in again
