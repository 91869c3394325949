"""The recorded requests, made to the stand-in: it must answer as the real mailcow did."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from sandbox.mailcow import MailcowStandIn

from . import world
from .recorded import Recording, recordings

NOT_COVERED = {
    "*-app-passwd* get-syncjobs* *-syncjob*": "app passwords and sync jobs are not used by the portal",
    "get-last-login* get-logs-* get-rl-mbox": "logs and rate limits are not used by the portal",
    "auth-ip-*": "the stand-in has no list of allowed addresses",
    "outage-*": "parts of mailcow being down is played by its switches for faults",
    "edit-mailbox-row-locked-60s edit-mailbox-deadlock-*": "played by its switches for faults",
    "get-mailbox-all-tags": "rows of other domains carry the same tags at another time",
    "search-mailbox-empty": "the 77 rows come in another order",
}
"""Recordings that are not replayed, and why."""

COMPUTED = {
    "quota_used_in_domain",
    "bytes_total",
    "msgs_total",
    "mboxes_in_domain",
    "mboxes_left",
    "aliases_in_domain",
    "aliases_left",
    "max_new_mailbox_quota",
    "created",
    "modified",
}
"""Members of a domain that depend on how far the recording session was: only their presence is compared."""


def is_covered(name: str) -> bool:
    return not any(fnmatchcase(name, pattern) for patterns in NOT_COVERED for pattern in patterns.split())


REPLAYED = [recording for recording in recordings().values() if is_covered(recording.name)]


@pytest.fixture(scope="module")
def server() -> Iterator[MailcowStandIn]:
    with MailcowStandIn() as mailcow:
        yield mailcow


@pytest.fixture
def mailcow(server: MailcowStandIn) -> MailcowStandIn:
    server.reset()
    return server


def call(mailcow: MailcowStandIn, request: dict[str, Any], cookie: str = "") -> tuple[int, str, bytes, str]:
    """(status, content type, body, cookie) of a recorded request."""
    keys = {
        "valid read-write key": mailcow.api_key,
        '"<rw-key>"': f'"{mailcow.api_key}"',
        "valid read-only key": mailcow.read_only_key,
        "unknown key": "000000-000000-000000-000000-000000",
        "deactivated key": "111111-000000-000000-000000-000000",
    }
    headers = {name: value for name, value in request["headers"].items() if name != "Cookie"}
    if request["api_key"] in keys:
        headers["X-API-Key"] = keys[request["api_key"]]
    if cookie:
        headers["Cookie"] = cookie
    body = request["body_raw"].encode("latin-1") if "body_raw" in request else None
    if "body" in request and request["body"] is not None:
        body = json.dumps(request["body"]).encode()
    connection = http.client.HTTPConnection(mailcow.url.removeprefix("http://"))
    connection.request(request["method"], request["path"], body, headers)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, reply.headers["Content-Type"], content, (reply.headers["Set-Cookie"] or "").partition(";")[0]


def cookie_before(mailcow: MailcowStandIn, recording: Recording) -> str:
    """The session a recorded request came with: that of a call with a key, or of the crash before."""
    if "Cookie" not in recording.request["headers"]:
        return ""
    earlier = "auth-readonly-key-get" if recording.name == "session-cookie-ro-then-rw-key" else "get-status-version"
    if recording.name == "session-return-5-success-after-crash":
        earlier = "session-return-7-crash-without-cookie"
    return call(mailcow, recordings()[earlier].request)[3]


def comparable(document: Any) -> Any:
    """Without what differs from run to run: sums and times of domains, stack traces."""
    if isinstance(document, list):
        rows = [comparable(row) for row in document]
        return sorted(rows, key=lambda row: row["username"]) if rows and "username" in rows[0] else rows
    if isinstance(document, dict) and "domain_name" in document:
        return {key: None if key in COMPUTED else value for key, value in document.items()}
    if isinstance(document, dict) and document.get("log") == ["exception_handler"]:
        return {**document, "msg": document["msg"].partition(" Object")[0]}
    return document


@pytest.mark.parametrize("recording", REPLAYED, ids=[recording.name for recording in REPLAYED])
def test_stand_in_answers_as_mailcow_did(mailcow: MailcowStandIn, recording: Recording) -> None:
    world.build(mailcow, recording)
    cookie = cookie_before(mailcow, recording)

    status, content_type, body, _ = call(mailcow, recording.request, cookie)

    assert (status, content_type) == (recording.status, recording.content_type)
    if isinstance(recording.document, str):
        assert body == recording.document.encode()
    else:
        assert comparable(json.loads(body)) == comparable(recording.document)


@pytest.mark.parametrize("recording", REPLAYED, ids=[recording.name for recording in REPLAYED])
def test_stand_in_stores_what_mailcow_stored(mailcow: MailcowStandIn, recording: Recording) -> None:
    world.build(mailcow, recording)
    row = mailcow.mailboxes.get(recording.address.lower())
    before = row.password if row else ""

    call(mailcow, recording.request, cookie_before(mailcow, recording))

    changed = recording.effects.get("password_column_changed", recording.effects.get("password_changed"))
    if row and changed is not None:
        assert (row.password != before) == changed
        assert (row.attributes["passwd_update"] != recorded_update(recording)) or not changed


def recorded_update(recording: Recording) -> str:
    """The time of the password before the write."""
    return str(recording.effects.get("row_diff", {}).get("attributes.passwd_update", [""])[0])


def test_every_exception_is_still_needed() -> None:
    for patterns in NOT_COVERED:
        for pattern in patterns.split():
            assert any(fnmatchcase(name, pattern) for name in recordings()), pattern
