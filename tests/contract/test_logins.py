"""The list of a domain's mailboxes, as a real mailcow gives it, read strictly."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from migration.mailcow.client import Client
from migration.mailcow.errors import MailcowError, Reason, Refused, Unknown
from migration.mailcow.logins import MAX_BODY, Logins, logins_of, read_mailboxes
from migration.mailcow.replies import Reply
from sandbox.mailcow import MailcowStandIn

from .raw_server import Connection, RawServer, http
from .recorded import recordings

DEMO = "demo.example"
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
AT = 1795491693


def changed(**members: Any) -> Reply:
    """The recorded list with one mailbox of the domain changed."""
    rows = [dict(row) for row in recordings()["get-mailbox-reduced"].document]
    rows[1] |= members
    return Reply(200, "application/json", json.dumps(rows).encode())


def test_logins_of_a_domain_are_read_as_mailcow_tells_them() -> None:
    found = {facts.address: facts for facts in read_mailboxes(recordings()["get-mailbox-reduced"].reply, DEMO)}

    assert len(found) == 19
    at = datetime.fromtimestamp(AT, UTC)
    sent = datetime.fromtimestamp(AT + 1, UTC)
    assert logins_of(found["logins@demo.example"], now=NOW) == Logins(at, at, sent)
    assert logins_of(found["inact@demo.example"], now=NOW) == Logins(None, None, None)


@pytest.mark.parametrize("name", ["get-mailbox-all-unknown-domain", "get-mailbox-reduced-all", "get-mailbox-all"])
def test_of_a_list_of_every_domain_only_the_own_is_taken(name: str) -> None:
    found = read_mailboxes(recordings()[name].reply, DEMO)

    assert found
    assert all(facts.address.endswith("@demo.example") for facts in found)
    assert read_mailboxes(recordings()[name].reply, "unknown.example") == []


@pytest.mark.parametrize("name", ["get-mailbox-all-empty-domain", "get-mailbox-all-alias-domain"])
def test_an_empty_object_stands_for_no_mailbox(name: str) -> None:
    assert read_mailboxes(recordings()[name].reply, DEMO) == []


@pytest.mark.parametrize(
    "members",
    [
        {"last_imap_login": None},
        {"last_pop3_login": "soon"},
        {"last_smtp_login": 1.5},
        {"last_imap_login": True},
        {"username": "anna@other.example"},
        {"username": None},
        {"active": 7},
        {"attributes": []},
    ],
)
def test_a_strange_entry_of_the_domain_makes_the_answer_unknown(members: dict[str, Any]) -> None:
    with pytest.raises(Unknown) as caught:
        read_mailboxes(changed(**members), DEMO)

    assert caught.value.reason is Reason.UNEXPECTED


@pytest.mark.parametrize("document", ["[1]", '"x"', "null", '{"type":"success","msg":"Task completed"}', '[["a"]]'])
def test_what_is_no_list_of_mailboxes_is_unknown(document: str) -> None:
    with pytest.raises(MailcowError) as caught:
        read_mailboxes(Reply(200, "application/json", document.encode()), DEMO)

    assert caught.value.reason is Reason.UNEXPECTED


@pytest.mark.parametrize(("ahead", "believed"), [(0, True), (600, True), (601, False), (3600, False), (10**15, False)])
def test_a_login_ahead_of_our_clock_is_not_believed(ahead: int, *, believed: bool) -> None:
    [facts] = [
        facts
        for facts in read_mailboxes(changed(last_imap_login=int(NOW.timestamp()) + ahead), DEMO)
        if facts.address == "anna@demo.example"
    ]

    assert (logins_of(facts, now=NOW).imap_at is not None) == believed


def test_sending_alone_is_no_reading() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)

    assert Logins(None, None, at).read_at is None
    assert Logins(None, at, None).read_at == at


def test_the_stand_in_lists_a_domain_by_one_call(mailcow: MailcowStandIn, client: Client) -> None:
    mailcow.add_mailbox("anna@demo.example")
    mailcow.add_mailbox("ben@other.example")
    mailcow.record_login("anna@demo.example", "imap")

    [facts] = client.mailboxes(DEMO)

    assert facts.address == "anna@demo.example"
    assert facts.last_imap_login
    assert [call.path for call in mailcow.calls] == ["/api/v1/get/mailbox/reduced/demo.example"]


@pytest.mark.parametrize(
    "domain", ["all", "", "Demo.example", "demo.example/x", "demo.example,other.example", "bücher.at"]
)
def test_no_call_is_made_for_what_is_no_domain(domain: str, mailcow: MailcowStandIn, client: Client) -> None:
    with pytest.raises(ValueError, match="lower-case ASCII"):
        client.mailboxes(domain)

    assert not mailcow.calls


def test_a_list_may_be_larger_than_a_mailbox_but_not_endless() -> None:
    def script(connection: Connection) -> None:
        while request := connection.request():
            size = 2 * 1024 * 1024 if b"small" in request else MAX_BODY + 1
            connection.send(http(b"{}" + b" " * (size - 2)))

    with RawServer(script) as server, Client(server.url, "key") as client:
        assert client.mailboxes("small.example") == []
        with pytest.raises(Unknown) as caught:
            client.mailboxes("large.example")

    assert caught.value.reason is Reason.TOO_LARGE


def test_a_wrong_key_is_a_refusal(mailcow: MailcowStandIn) -> None:
    with Client(mailcow.url, "wrong") as client, pytest.raises(Refused):
        client.mailboxes(DEMO)
