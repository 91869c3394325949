"""The contract with a running mailcow: every recorded request again, and our client's conversation with it.

`PORTAL_TEST_MAILCOW_URL` and `PORTAL_TEST_MAILCOW_KEY` name a real one: a test server with the default password policy,
for domains and mailboxes are made there, and removed. Without them the stand-in is asked, over HTTP and made ready by
the API alone, so that this conversation itself is tested in every run.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import argon2
import pytest

from migration.mailcow import bans, provisioning, replies
from migration.mailcow.client import Client
from migration.mailcow.errors import MailcowError, Missing, Reason, Refused
from migration.mailcow.objects import NotMade
from migration.mailcow.provisioning import NewAlias, NewDomain, NewMailbox
from migration.mailcow.replies import Reply
from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.state import MIB

from . import world
from .expected import OK, PASSWORD_STORED, READ_MAILBOX, Outcome, outcome
from .mirror import Mirror
from .recorded import Recording, recordings
from .test_stand_in import NOT_COVERED

URL = os.environ.get("PORTAL_TEST_MAILCOW_URL", "")
TAG = os.environ.get("PORTAL_TEST_MAILCOW_DOMAIN", "") or f"t{secrets.token_hex(3)}"
assert re.fullmatch(r"[a-z0-9-]{1,30}", TAG), "PORTAL_TEST_MAILCOW_DOMAIN is one label: letters, digits, -"

NEEDS_ANOTHER_SERVER = {
    "auth-wrong-key-edit auth-deactivated-key session-cookie-with-wrong-key": "each counts towards a ban of ours",
    "edit-mailbox-policy-* get-passwordpolicy-after-*": "the password policy is the whole server's",
    "get-domain-all-empty": "a server without domains",
    "get-domain-all-tags": "tags of domains are set by no request",
    "add-domain-hostname": "the name of the server itself is not told",
    "*-no-quota2-row edit-mailbox-authsource-ldap* edit-mailbox-quota-over-domain-total*": "changed by hand",
    "edit-alias get-alias-id get-alias-address-with-leading-digits": "the numbers of its database",
    "get-mailbox-all-idn-unicode": "lists all mailboxes of all domains",
}
"""Recordings that cannot be made again on a server that is not ours alone, and why."""

REPLAYED = [
    recording
    for recording in recordings().values()
    if not any(
        fnmatchcase(recording.name, pattern)
        for patterns in (*NOT_COVERED, *NEEDS_ANOTHER_SERVER)
        for pattern in patterns.split()
    )
]


@pytest.fixture(autouse=True)
def _only_localhost() -> None:
    """Here, and only here, a test may reach another machine."""


@pytest.fixture(scope="module")
def mailcow() -> Iterator[Mirror]:
    if URL:
        read_only = os.environ.get("PORTAL_TEST_MAILCOW_READ_ONLY_KEY", "")
        mirror = Mirror(URL, os.environ["PORTAL_TEST_MAILCOW_KEY"], TAG, read_only)
        yield mirror
        mirror.remove_all()
        assert mirror.left() == []
        return
    with MailcowStandIn() as stand_in:
        mirror = Mirror(stand_in.url, stand_in.api_key, TAG, stand_in.read_only_key)
        yield mirror
        mirror.remove_all()
        assert (mirror.left(), stand_in.state.alias_domains, stand_in.state.aliases) == ([], {}, {})


@pytest.fixture(scope="module")
def recorded() -> Iterator[MailcowStandIn]:
    """What there was when the recordings were made."""
    with MailcowStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def client(mailcow: Mirror) -> Iterator[Client]:
    with Client(mailcow.url, mailcow.key) as client:
        yield client


def replay(mailcow: Mirror, recording: Recording, cookie: str = "") -> tuple[Reply, str]:
    """Make the recorded request. Returns the reply and the session's cookie."""
    keys = {
        "valid read-write key": mailcow.key,
        '"<rw-key>"': f'"{mailcow.key}"',
        "valid read-only key": mailcow.read_only_key,
        "unknown key": "000000-000000-000000-000000-000000",
    }
    request = recording.request
    headers = {name: value for name, value in request["headers"].items() if name != "Cookie"}
    if request["api_key"] in keys:
        headers["X-API-Key"] = keys[request["api_key"]]
    if cookie:
        headers["Cookie"] = cookie
    body: bytes | None = None
    if "body_raw" in request:
        body = mailcow.own(request["body_raw"]).encode("latin-1")
    elif request.get("body") is not None:
        body = mailcow.own(json.dumps(request["body"], ensure_ascii=False)).encode()
    status, content_type, content, given = mailcow.call(request["method"], mailcow.own(request["path"]), headers, body)
    return Reply(status, content_type, content), given


def cookie_before(mailcow: Mirror, recording: Recording) -> str:
    """The session a recorded request came with: that of a call with a key, or of the crash before."""
    if "Cookie" not in recording.request["headers"]:
        return ""
    earlier = "auth-readonly-key-get" if recording.name == "session-cookie-ro-then-rw-key" else "get-status-version"
    if recording.name == "session-return-5-success-after-crash":
        earlier = "session-return-7-crash-without-cookie"
    return replay(mailcow, recordings()[earlier])[1]


def shape(document: Any) -> Any:
    """What a reply says without what differs from server to server: numbers, times, logs, everybody else's rows."""
    if isinstance(document, dict) and {"type", "msg"} <= set(document):
        return document["type"], _message(document["msg"])
    if isinstance(document, list):
        entries = [shape(one) for one in document]
        return entries if any(isinstance(one, tuple) for one in entries) else entries[:1]
    return sorted(document) if isinstance(document, dict) else document


def _message(msg: Any) -> list[Any]:
    """Key and arguments; the text of a crash ends where it names a place in a file."""
    parts = msg if isinstance(msg, list) else [str(msg).partition(" Object")[0]]
    return [part for part in parts if isinstance(part, str) and not part.isdecimal()]


def outcome_of(verb: Any, reply: Reply, address: str) -> Outcome:
    try:
        verb(reply, address)
    except MailcowError as error:
        return type(error), error.reason
    return OK


def optional(recording: Recording) -> set[str]:
    """Members that are absent from some mailboxes."""
    return {"tags"} if recording.route.startswith("get/") else set()


@pytest.mark.parametrize("recording", REPLAYED, ids=[recording.name for recording in REPLAYED])
def test_it_answers_as_recorded(mailcow: Mirror, recorded: MailcowStandIn, recording: Recording) -> None:
    if recording.request["api_key"] == "valid read-only key" and not mailcow.read_only_key:
        pytest.skip("PORTAL_TEST_MAILCOW_READ_ONLY_KEY is not set")
    recorded.reset()
    world.build(recorded, recording)
    mailcow.prepare(recording, recorded.state)

    reply, _cookie = replay(mailcow, recording, cookie_before(mailcow, recording))

    address = mailcow.own(recording.address)
    assert (reply.status, reply.content_type) == (recording.status, recording.content_type)
    assert outcome_of(replies.password_stored, reply, address) == outcome(PASSWORD_STORED, recording.name)
    assert outcome_of(replies.read_mailbox, reply, address) == outcome(READ_MAILBOX, recording.name)
    if isinstance(recording.document, str):
        return
    found, expected = shape(json.loads(reply.body)), shape(json.loads(mailcow.own(json.dumps(recording.document))))
    if recording.route.startswith("get/") and isinstance(expected, list):
        found = _without(found, optional(recording))
        expected = _without(expected, optional(recording))
    assert found == expected


def _without(names: Any, some: set[str]) -> Any:
    if names and isinstance(names[0], list):
        return [_without(one, some) for one in names]
    return [name for name in names if name not in some]


def test_every_exception_is_still_needed() -> None:
    for patterns in NEEDS_ANOTHER_SERVER:
        for pattern in patterns.split():
            assert any(fnmatchcase(name, pattern) for name in recordings()), pattern


def test_it_tells_its_version(client: Client) -> None:
    assert client.version()


def test_it_has_no_mailbox_nobody_made(mailcow: Mirror, client: Client) -> None:
    there = mailcow.add_mailbox("here@client.example")

    with pytest.raises(Missing):
        client.mailbox(f"{secrets.token_hex(8)}@{there.rpartition('@')[2]}")


def test_it_stores_a_hash_and_shows_that_it_did(mailcow: Mirror, client: Client) -> None:
    address = mailcow.add_mailbox("anna@client.example")
    before = client.mailbox(address)
    before.require_own_passwords()
    password_hash = "{ARGON2ID}" + argon2.PasswordHasher().hash(secrets.token_urlsafe())

    after, until = before, time.monotonic() + 5
    while after.passwd_update == before.passwd_update and time.monotonic() < until:
        # Its clock has whole seconds: within the one in which the mailbox was made, a write looks like none.
        client.set_password(address, password_hash, attribute_hash="portal:1")
        after = client.mailbox(address)

    replies.confirm(before, after)


@pytest.mark.parametrize("local_part", ["carl+tag", "o'neil", "a&b", "50%", "a#b", "a=b?c", "x.y-z_"])
def test_any_local_part_is_found(mailcow: Mirror, client: Client, local_part: str) -> None:
    address = mailcow.add_mailbox(f"{local_part}@client.example")

    client.set_password(address, "{SSHA512}unusable", attribute_hash=f"portal:{local_part}")

    assert client.mailbox(address).attribute_hash == f"portal:{local_part}"


def test_it_lists_the_mailboxes_of_a_domain(mailcow: Mirror, client: Client) -> None:
    address = mailcow.add_mailbox("anna@listed.example")

    assert [facts.address for facts in client.mailboxes(address.rpartition("@")[2])] == [address]


def test_it_lists_nothing_of_a_domain_it_does_not_know(client: Client) -> None:
    assert client.mailboxes(f"unknown.{TAG}.example") == []


def test_it_makes_a_domain_with_mailboxes_aliases_and_a_catch_all(mailcow: Mirror, client: Client) -> None:
    name = mailcow.name_for("made.example")
    password_hash = "{ARGON2ID}" + argon2.PasswordHasher().hash(secrets.token_hex(16))
    anna, odd = (NewMailbox(f"{local_part}@{name}", "Anna Gruber", 100) for local_part in ("anna", "o'neil+tag"))
    aliases = [NewAlias(f"{local_part}@{name}", (anna.address,)) for local_part in ("info", "1st", "o'alias+tag", "")]

    with pytest.raises(Missing):
        provisioning.domain(client, name)
    limits = {"mailboxes": 10, "aliases": 400, "default_quota": 100, "max_quota": 1000, "quota": 10_000}
    provisioning.add_domain(client, NewDomain(name, "Made", **limits))
    for mailbox in (anna, odd):
        provisioning.add_mailbox(client, mailbox, password_hash=password_hash)
    for alias in aliases:
        with pytest.raises(Missing):
            provisioning.alias(client, alias.address)
        provisioning.add_alias(client, alias)

    facts = provisioning.domain(client, name)
    assert (facts.name, facts.active, facts.mailboxes, facts.max_mailboxes) == (name, True, 2, 10)
    assert {row.address for row in client.mailboxes(name)} == {anna.address, odd.address}
    assert (client.mailbox(anna.address).quota, client.mailbox(anna.address).authsource) == (100 * MIB, "mailcow")
    for alias in aliases:
        found = provisioning.alias(client, alias.address)
        assert (found.address, found.goto, found.active) == (alias.address, alias.goto, True)
    with pytest.raises(NotMade):
        provisioning.add_mailbox(client, anna, password_hash=password_hash)


def test_it_tells_its_bans_and_lifts_one_that_is_none(client: Client) -> None:
    nobody = "192.0.2.123/32"  # kept for documentation (RFC 5737): never banned

    assert nobody not in [ban.network for ban in bans.banned(client)]
    assert nobody not in [ban.network for ban in bans.lift(client, nobody)]


def test_it_turns_a_wrong_key_away(mailcow: Mirror) -> None:
    with Client(mailcow.url, "000000-000000-000000-000000-000000") as stranger, pytest.raises(Refused) as caught:
        stranger.version()

    assert caught.value.reason in (Reason.KEY, Reason.NETWORK)
