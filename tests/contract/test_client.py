"""Our client against the stand-in, over real connections: what it sends, and what it makes of the answers."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migration.mailcow import replies
from migration.mailcow.client import Client
from migration.mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused, Unknown
from sandbox.mailcow import MailcowStandIn

ANNA = "anna@demo.example"
HASH = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzYWx0$6gKvSRJMqPBGcVyjQp7Utw"


@pytest.fixture
def mailcow() -> Iterator[MailcowStandIn]:
    with MailcowStandIn() as mailcow:
        mailcow.add_mailbox(ANNA)
        yield mailcow


def set_password(client: Client, address: str = ANNA) -> None:
    client.set_password(address, HASH, attribute_hash="")


def test_password_is_stored_as_it_was_sent_and_proved_by_reading_back(mailcow: MailcowStandIn, client: Client) -> None:
    before = client.mailbox(ANNA)

    set_password(client)

    replies.confirm(before, client.mailbox(ANNA))
    assert mailcow.mailboxes[ANNA].password == HASH
    assert mailcow.journal[0].digest == hashlib.sha256(HASH.encode()).hexdigest()


def test_a_write_names_exactly_one_mailbox_and_nothing_but_the_password(
    mailcow: MailcowStandIn, client: Client
) -> None:
    client.set_password(ANNA, HASH, attribute_hash="portal:1")

    call = mailcow.calls[-1]
    assert (call.method, call.path, call.headers["content-type"]) == (
        "POST",
        "/api/v1/edit/mailbox",
        "application/json",
    )
    assert json.loads(call.body) == {
        "items": [ANNA],
        "attr": {"password": HASH, "password2": HASH, "attribute_hash": "portal:1"},
    }


def test_attribute_hash_survives_a_password_change(mailcow: MailcowStandIn, client: Client) -> None:
    mailcow.mailboxes[ANNA].attributes["attribute_hash"] = "portal:1"

    client.set_password(ANNA, HASH, attribute_hash=client.mailbox(ANNA).attribute_hash)

    assert client.mailbox(ANNA).attribute_hash == "portal:1"


@pytest.mark.parametrize("local_part", ["carl+tag", "o'neil", "a&b", "50%", "a#b", "a=b?c", "x.y-z_"])
def test_any_local_part_is_found(mailcow: MailcowStandIn, client: Client, local_part: str) -> None:
    address = f"{local_part}@demo.example"
    mailcow.add_mailbox(address)

    set_password(client, address)

    assert client.mailbox(address).address == address
    assert mailcow.mailboxes[address].password == HASH


def test_plus_travels_encoded_twice(mailcow: MailcowStandIn, client: Client) -> None:
    with pytest.raises(Missing):
        client.mailbox("carl+tag@demo.example")

    assert mailcow.calls[-1].path == "/api/v1/get/mailbox/carl%252Btag@demo.example"


def test_cookies_are_never_sent_back(mailcow: MailcowStandIn, client: Client) -> None:
    for _ in range(3):
        client.mailbox(ANNA)
        set_password(client)

    assert all("cookie" not in call.headers for call in mailcow.calls)


def test_no_forwarding_header_and_no_credentials_but_the_key_are_sent(mailcow: MailcowStandIn, client: Client) -> None:
    client.version()

    sent = set(mailcow.calls[-1].headers)
    assert sent == {"host", "x-api-key", "accept", "accept-encoding", "user-agent"}


def test_proxies_of_the_environment_are_ignored(mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with Client(mailcow.url, mailcow.api_key) as client:
        assert client.version() == "2026-07a"


def test_a_redirect_is_not_followed(mailcow: MailcowStandIn, client: Client) -> None:
    mailcow.faults.redirect()

    with pytest.raises(Refused) as caught:
        set_password(client)

    assert caught.value.reason is Reason.REDIRECTED
    assert len(mailcow.calls) == 1


Switch = Callable[[MailcowStandIn], object]
ACCIDENTS: list[tuple[str, Switch, type[MailcowError], Reason, int]] = [
    ("500", lambda m: m.faults.answer_500(), Unknown, Reason.SERVER_ERROR, 0),
    ("PHP down", lambda m: m.faults.html_error_page(), Unknown, Reason.SERVER_ERROR, 0),
    ("empty", lambda m: m.faults.empty_200(), Unknown, Reason.EMPTY, 0),
    ("deadlock, stored", lambda m: m.faults.deadlock(), Unknown, Reason.DATABASE, 1),
    ("deadlock, not stored", lambda m: m.faults.deadlock(stored=False), Unknown, Reason.EMPTY, 0),
    ("cut before", lambda m: m.faults.drop_before_write(), Unknown, Reason.CONNECTION_LOST, 0),
    ("cut after", lambda m: m.faults.drop_after_write(), Unknown, Reason.CONNECTION_LOST, 1),
    ("quota", lambda m: m.faults.reject(["mailbox_quota_left_exceeded", 70]), Blocked, Reason.QUOTA, 0),
    ("policy", lambda m: m.faults.reject("password_complexity"), Blocked, Reason.POLICY, 0),
    ("news", lambda m: m.faults.reject("never_heard_of"), Blocked, Reason.REJECTED, 0),
    ("read-only key", lambda m: m.faults.read_only(), Refused, Reason.READ_ONLY, 0),
    ("wrong key", lambda m: m.faults.wrong_key(), Refused, Reason.KEY, 0),
    ("no mailbox", lambda m: m.mailboxes.clear(), Missing, Reason.MISSING, 0),
]


@pytest.mark.parametrize(
    ("switch", "kind", "reason", "stored"), [row[1:] for row in ACCIDENTS], ids=[row[0] for row in ACCIDENTS]
)
def test_every_accident_has_its_class(
    mailcow: MailcowStandIn, client: Client, switch: Switch, kind: type[MailcowError], reason: Reason, stored: int
) -> None:
    client.version()  # so that a connection is kept
    switch(mailcow)

    with pytest.raises(MailcowError) as caught:
        set_password(client)

    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert len(mailcow.journal) == stored
    assert sum(call.is_write for call in mailcow.calls) == 1, "a write is never repeated by the client"


@pytest.mark.parametrize("switch", [row[1] for row in ACCIDENTS], ids=[row[0] for row in ACCIDENTS])
def test_no_error_carries_a_secret_or_another_error(mailcow: MailcowStandIn, client: Client, switch: Switch) -> None:
    switch(mailcow)

    with pytest.raises(MailcowError) as caught:
        set_password(client)

    error = caught.value
    assert error.args == (str(error.reason),)
    assert error.__context__ is None
    assert error.__cause__ is None


def test_false_success_is_found_out_by_reading_back(mailcow: MailcowStandIn, client: Client) -> None:
    before = client.mailbox(ANNA)
    mailcow.faults.false_success()
    set_password(client)

    with pytest.raises(Blocked) as caught:
        replies.confirm(before, client.mailbox(ANNA))

    assert caught.value.reason is Reason.NOT_STORED


def test_a_write_that_was_given_up_may_still_land(mailcow: MailcowStandIn) -> None:
    held = mailcow.faults.hold_write()
    with Client(mailcow.url, mailcow.api_key, call_timeout=0.3) as hasty, pytest.raises(Unknown) as caught:
        set_password(hasty)
    assert caught.value.reason is Reason.TIMEOUT
    assert mailcow.journal == []

    held.set()

    assert mailcow.wait_for_passwords(1)
    assert mailcow.mailboxes[ANNA].password == HASH


def test_nobody_listening_is_told_apart_from_a_lost_answer(mailcow: MailcowStandIn) -> None:
    with Client("http://127.0.0.1:9", mailcow.api_key) as client, pytest.raises(Unknown) as caught:
        client.version()

    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("url", ["http://mail.example", "ftp://localhost", "https://", "https://u:p@mail.example"])
def test_unsafe_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Client(url, "key")


@pytest.mark.parametrize("url", ["https://mail.example/sub", "https://mail.example?x=1", "http://127.0.0.1.example"])
def test_base_url_with_more_than_a_host_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Client(url, "key")


def test_unverified_tls_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="always verified"):
        Client("https://mail.example", "key", verify=False)


@pytest.mark.parametrize("key", ["", "with blank", "line\nbreak", "schlüssel"])
def test_key_that_is_no_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        Client("https://mail.example", key)

    assert key == "" or key not in str(caught.value)


BAD_HASHES = ["geheim", "", "{ARGON2ID}", "{argon2id}$x", "{SSHA} x", "{SSHA}x\n", "{SSHA}ä", "{PLAIN}" + "x" * 249]


@pytest.mark.parametrize("password_hash", BAD_HASHES)
def test_what_mailcow_would_not_store_unchanged_is_never_sent(
    mailcow: MailcowStandIn, client: Client, password_hash: str
) -> None:
    with pytest.raises(ValueError, match="not a password hash") as caught:
        client.set_password(ANNA, password_hash, attribute_hash="")

    assert password_hash == "" or password_hash not in str(caught.value)
    assert not mailcow.calls


@pytest.mark.parametrize(
    "address", ["Anna@demo.example", "anna@müssig.example", "anna", "a@b", "anna@demo.example ", "a/../b"]
)
def test_address_that_is_not_canonical_is_never_sent(mailcow: MailcowStandIn, client: Client, address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        client.set_password(address, HASH, attribute_hash="")
    with pytest.raises(ValueError, match="address"):
        client.mailbox(address)

    assert not mailcow.calls


def test_the_client_needs_no_django() -> None:
    code = "import sys, migration.mailcow.client; sys.exit('django' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)

    assert done.returncode == 0
