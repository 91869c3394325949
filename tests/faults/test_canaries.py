"""Secrets are searched for like an intruder would, in every file and store the journey has touched."""

import pytest
import requests

from bench.journey import sign_in_and_save
from sandbox.stack import Stack
from tests.e2e.pages import invitation
from tests.faults import secrecy
from tests.faults.secrecy import HASHES, Places

OLD_PASSWORD = "Grüße-aus-Wels-1"
NEW_PASSWORD = "Kanarienvogel-im-Bergwerk-4711"


def stores(stack: Stack) -> Places:
    """Everything on disk, in PostgreSQL and in the broker."""
    places = [*secrecy.files(stack.folder)]
    places += secrecy.tables(stack.database_url) if stack.database_url else []
    return [*places, *(secrecy.messages(stack.broker_url) if stack.broker_url else [])]


def found(stack: Stack, secret: str) -> list[str]:
    return secrecy.found(stores(stack), secret)


@pytest.fixture(scope="module")
def first_login_password(stack: Stack) -> str:
    """An owner's journey with every kind of mistake; returns the first-login password he used."""
    link, secret = invitation(stack, "ferdinand")
    requests.post(f"{stack.mailcow}/sandbox/faults", json={"kind": "answer_500", "times": 1}, timeout=5)
    requests.get(link, params={"password": NEW_PASSWORD[:5]}, timeout=5)
    sign_in_and_save(link, secret, NEW_PASSWORD)
    return secret


def test_the_search_finds_what_is_there(stack: Stack, first_login_password: str) -> None:
    assert any(name.startswith("mails/") for name in found(stack, first_login_password))


def test_the_new_password_is_nowhere(stack: Stack, first_login_password: str) -> None:
    assert found(stack, NEW_PASSWORD) == []


def test_the_first_login_password_is_in_its_own_mail_alone(stack: Stack, first_login_password: str) -> None:
    places = found(stack, first_login_password) + found(stack, first_login_password.replace("-", "").lower())

    assert {place.split("/")[0] for place in places} == {"mails"}
    assert len(set(places)) == 1


def test_the_keys_are_nowhere_but_in_their_files(stack: Stack, first_login_password: str) -> None:
    key = stack.secret("key_ring").partition(":")[2]
    for secret in (stack.secret("secret_key"), key, stack.secret("mailcow_api_key"), stack.secret("totp_secret")):
        assert found(stack, secret) == []


def test_a_stored_hash_would_be_known_by_its_form() -> None:
    for stored in (
        b"$6$aSalt$Ab1",
        b"$6$rounds=5000$aSalt$Ab1",
        b"$2y$05$Ab1",
        b"{SSHA512}Ab1",
        b"{ARGON2ID}$argon2id",
    ):
        assert HASHES.search(b"\0\x11" + stored)


def test_no_password_hash_is_readable_outside_mailcow(stack: Stack, first_login_password: str) -> None:
    """The imported hashes and the ones on their way are sealed; only mailcow's own state shows them."""
    # Staff passwords are Django's own hashes, argon2$argon2id$…; Dovecot's form is ours.
    outside = [(name, content) for name, content in stores(stack) if not name.startswith("mailcow.")]

    assert [(name, sign) for name, content in outside for sign in HASHES.findall(content)] == []
