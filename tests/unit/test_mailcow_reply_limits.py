"""How much of a reply is read, and how large, deep or early a thing may be: each limit from both sides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from migration.mailcow import logins, replies
from migration.mailcow.document import MAX_DEPTH, Malformed, parse
from migration.mailcow.errors import Reason, Refused, Unknown
from migration.mailcow.replies import MAX_BODY, MailboxFacts, Reply

ANNA = "anna@demo.example"
GOOD = json.dumps([{"type": "success", "log": [], "msg": ["mailbox_modified", ANNA]}]).encode()


def json_reply(body: bytes) -> Reply:
    return Reply(200, "application/json", body)


@pytest.mark.parametrize(("last_byte", "reason"), [(1000, Reason.NETWORK), (1001, Reason.KEY)])
def test_no_more_than_the_beginning_of_a_refusal_is_read(last_byte: int, reason: Reason) -> None:
    with pytest.raises(Refused) as caught:
        replies.version(Reply(401, "text/html", b"access denied for ip".rjust(last_byte)))

    assert caught.value.reason is reason


def test_a_reply_may_be_as_large_as_the_limit_and_no_larger() -> None:
    replies.password_stored(json_reply(GOOD.rjust(MAX_BODY)), ANNA)

    with pytest.raises(Unknown) as caught:
        replies.password_stored(json_reply(GOOD.rjust(MAX_BODY + 1)), ANNA)
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(("number", "believed"), [(10**18 - 1, True), (10**18, False)])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("form", [int, str])
def test_numbers_have_eighteen_digits_at_most(number: int, sign: int, form: type, *, believed: bool) -> None:
    row: dict[str, Any] = {"username": ANNA, "active": 1, "authsource": "mailcow", "attributes": {}}
    row |= {"quota": form(sign * number), "last_imap_login": 0, "last_pop3_login": 0, "last_smtp_login": 0}
    reply = json_reply(json.dumps(row).encode())

    if believed:
        assert replies.read_mailbox(reply, ANNA).quota == sign * number
        return
    with pytest.raises(Unknown):
        replies.read_mailbox(reply, ANNA)


@pytest.mark.parametrize(("seconds", "at"), [(0, None), (-1, None), (1, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))])
def test_only_the_seconds_since_1970_are_a_login(seconds: int, at: datetime | None) -> None:
    facts = MailboxFacts(ANNA, 1, "mailcow", None, "", 0, seconds, None, None)

    assert logins.logins_of(facts, now=datetime.now(UTC)).imap_at == at


def nested(levels: int, heart: str = "1") -> bytes:
    return ("[" * levels + heart + "]" * levels).encode()


def test_a_document_stays_below_the_limit_of_depth() -> None:
    parse(nested(MAX_DEPTH - 2))  # the number inside is a level too

    with pytest.raises(Malformed):
        parse(nested(MAX_DEPTH - 1))


DEEP = nested(MAX_DEPTH).decode()


@pytest.mark.parametrize("hidden", ['["\\ud800"]', '{"a": "\\ud800"}', '{"\\ud800": 1}', DEEP])
@pytest.mark.parametrize("around", ["[%s, [2], {}]", '{"x": %s, "y": {"z": 2}, "w": []}', "[[2], {}, %s]"])
def test_no_neighbour_hides_what_is_refused(hidden: str, around: str) -> None:
    with pytest.raises(Malformed):
        parse((around % hidden).encode())
