"""The DKIM key as mailcow tells it: what its source says it sends, what is no key, and the stand-in."""

import json
from typing import Any

import pytest

from migration.mailcow.client import Client
from migration.mailcow.dkim import DkimKey, dkim_key, read_key
from migration.mailcow.errors import MailcowError, Missing, Refused, Unknown
from migration.mailcow.replies import Reply
from sandbox.mailcow import MailcowStandIn

KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA21tUSjyasQyhJmVjPnlRGfzx6TPhYj8mXY9DVOzSAE64GddwIDAQAB"
ROW = {
    "pubkey": KEY,
    "length": "2048",
    "dkim_txt": f"v=DKIM1;k=rsa;t=s;s=email;p={KEY}",
    "dkim_selector": "dkim",
    "privkey": "",
}


def reply(document: Any, status: int = 200) -> Reply:
    return Reply(status, "application/json", json.dumps(document).encode())


def test_a_key_is_read_with_its_selector() -> None:
    assert read_key(reply(ROW)) == DkimKey("dkim", KEY)


def test_a_private_key_that_comes_along_is_not_kept() -> None:
    found = read_key(reply(ROW | {"privkey": "LS0tLS1CRUdJTiBSU0E"}))

    assert "LS0tLS1" not in repr(found)


@pytest.mark.parametrize(
    ("document", "status", "error"),
    [
        ({}, 200, Missing),
        ([], 200, Missing),
        ([ROW], 200, Unknown),
        ("dkim", 200, Unknown),
        (ROW | {"pubkey": ""}, 200, Unknown),
        (ROW | {"pubkey": "<script>"}, 200, Unknown),
        (ROW | {"pubkey": None}, 200, Unknown),
        (ROW | {"dkim_selector": "a b"}, 200, Unknown),
        ({"type": "error", "msg": "authentication failed"}, 401, Refused),
        (ROW, 502, Unknown),
    ],
)
def test_what_is_no_key_is_told_by_its_class(document: Any, status: int, error: type[MailcowError]) -> None:
    with pytest.raises(error):
        read_key(reply(document, status))


def test_the_stand_in_tells_the_same_key_each_time() -> None:
    with MailcowStandIn() as mailcow:
        mailcow.add_domain("kunde.example")
        client = Client(mailcow.url, mailcow.api_key)

        first, again = dkim_key(client, "kunde.example"), dkim_key(client, "kunde.example")

        assert first == again
        with pytest.raises(Missing):
            dkim_key(client, "unknown.example")
