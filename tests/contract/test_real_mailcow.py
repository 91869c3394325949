"""The same conversation with a real mailcow, when one is named.

Collected only then.
`TEST_MAILCOW_URL`, `TEST_MAILCOW_KEY` and `TEST_MAILCOW_ADDRESS` (a mailbox whose password may be replaced) name it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import argon2
import pytest

from migration.mailcow import replies
from migration.mailcow.client import Client
from migration.mailcow.errors import Missing

URL, KEY, ADDRESS = (os.environ[f"TEST_MAILCOW_{name}"] for name in ("URL", "KEY", "ADDRESS"))


@pytest.fixture(autouse=True)
def _only_localhost() -> None:
    """Here, and only here, a test may reach another machine."""


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(URL, KEY) as client:
        yield client


def test_it_tells_its_version(client: Client) -> None:
    assert client.version()


def test_it_has_no_mailbox_nobody_made(client: Client) -> None:
    domain = ADDRESS.rpartition("@")[2]

    with pytest.raises(Missing):
        client.mailbox(f"{secrets.token_hex(8)}@{domain}")


def test_it_stores_a_hash_and_shows_that_it_did(client: Client) -> None:
    before = client.mailbox(ADDRESS)
    before.require_own_passwords()
    password_hash = "{ARGON2ID}" + argon2.PasswordHasher().hash(secrets.token_urlsafe())

    client.set_password(ADDRESS, password_hash, attribute_hash=before.attribute_hash)

    after = client.mailbox(ADDRESS)
    replies.confirm(before, after)
    assert after.attribute_hash == before.attribute_hash
