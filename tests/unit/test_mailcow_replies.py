"""Replies no recording has: every odd one is told apart, and none passes for a success."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.mailcow import replies
from migration.mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused, Unknown
from migration.mailcow.replies import MAX_BODY, MailboxFacts, Reply

ANNA = "anna@demo.example"
SUCCESS = {"type": "success", "log": [], "msg": ["mailbox_modified", ANNA]}
DETAILS: dict[str, Any] = {
    "username": ANNA,
    "active": 1,
    "quota": 1024,
    "authsource": "mailcow",
    "attributes": {"passwd_update": "2026-11-24 04:41:33", "attribute_hash": "portal:1"},
    "last_imap_login": 0,
    "last_pop3_login": 1795491693,
    "last_smtp_login": 0,
}


def json_reply(document: Any) -> Reply:
    return Reply(200, "application/json", json.dumps(document).encode())


def raw(body: bytes, status: int = 200, content_type: str = "application/json") -> Reply:
    return Reply(status, content_type, body)


def outcome(verb: Callable[[Reply, str], object], reply: Reply) -> tuple[type[MailcowError], Reason]:
    with pytest.raises(MailcowError) as caught:
        verb(reply, ANNA)
    assert caught.value.__context__ is None, "the reply's text must not be chained to the error"
    return type(caught.value), caught.value.reason


def danger(msg: Any) -> dict[str, Any]:
    return {"type": "danger", "log": [], "msg": msg}


NOT_STORED: list[tuple[str, Any, tuple[type[MailcowError], Reason]]] = [
    ("R1 list", [], (Unknown, Reason.UNEXPECTED)),
    ("R1 null", None, (Unknown, Reason.UNEXPECTED)),
    ("R1 text", "", (Unknown, Reason.UNEXPECTED)),
    ("R1 object", {}, (Unknown, Reason.UNEXPECTED)),
    ("R2", {"type": "success", "msg": "Task completed"}, (Unknown, Reason.UNEXPECTED)),
    ("R3", [{**SUCCESS, "msg": ["mailbox_modified", "bert@demo.example"]}], (Blocked, Reason.OTHER_ADDRESS)),
    ("R3 both", [SUCCESS, {**SUCCESS, "msg": ["mailbox_modified", "b@b.b"]}], (Blocked, Reason.OTHER_ADDRESS)),
    ("R3 case", [{**SUCCESS, "msg": ["mailbox_modified", ANNA.upper()]}], (Blocked, Reason.OTHER_ADDRESS)),
    ("R4", [danger("access_denied"), SUCCESS], (Unknown, Reason.UNEXPECTED)),
    ("R4 after", [SUCCESS, danger("password_complexity")], (Unknown, Reason.UNEXPECTED)),
    ("R6", [danger("password_complexity")], (Blocked, Reason.POLICY)),
    ("R6 differs", [danger("password_mismatch")], (Blocked, Reason.MISMATCH)),
    ("R7", [danger(["mailbox_quota_left_exceeded", 70])], (Blocked, Reason.QUOTA)),
    ("R7 other", [danger(["mailbox_quota_exceeded", "70"])], (Blocked, Reason.QUOTA)),
    ("R8 warning", [{"type": "warning", "msg": "hm"}], (Unknown, Reason.UNEXPECTED)),
    ("R8 info", [{"type": "info", "msg": ["mailbox_modified", ANNA]}], (Unknown, Reason.UNEXPECTED)),
    ("R8 beside", [SUCCESS, {"type": "info", "msg": "hm"}], (Unknown, Reason.UNEXPECTED)),
    ("R9 number", [danger(5)], (Unknown, Reason.UNEXPECTED)),
    ("R9 nested", [danger([["password_complexity"]])], (Unknown, Reason.UNEXPECTED)),
    ("R9 none", [{"type": "danger"}], (Unknown, Reason.UNEXPECTED)),
    ("R9 argument", [{**SUCCESS, "msg": ["mailbox_modified", [ANNA]]}], (Blocked, Reason.OTHER_ADDRESS)),
    ("R9 no argument", [{**SUCCESS, "msg": "mailbox_modified"}], (Blocked, Reason.OTHER_ADDRESS)),
    ("R9 two arguments", [{**SUCCESS, "msg": ["mailbox_modified", ANNA, 1]}], (Blocked, Reason.OTHER_ADDRESS)),
    ("another success", [{**SUCCESS, "msg": ["mailbox_added", ANNA]}], (Unknown, Reason.UNEXPECTED)),
    ("twice", [SUCCESS, SUCCESS], (Unknown, Reason.UNEXPECTED)),
    ("SQL in success", [SUCCESS, {**SUCCESS, "msg": "SQLSTATE[HY000]: 1205"}], (Unknown, Reason.DATABASE)),
    ("access", [danger("access_denied")], (Missing, Reason.MISSING)),
    ("unheard of", [danger("something_new")], (Blocked, Reason.REJECTED)),
    ("type no text", [{"type": ["success"], "msg": ["mailbox_modified", ANNA]}], (Unknown, Reason.UNEXPECTED)),
    ("entry no object", [["success", "mailbox_modified", ANNA]], (Unknown, Reason.UNEXPECTED)),
]


@pytest.mark.parametrize(("document", "expected"), [row[1:] for row in NOT_STORED], ids=[row[0] for row in NOT_STORED])
def test_only_one_clean_success_counts(document: Any, expected: tuple[type[MailcowError], Reason]) -> None:
    assert outcome(replies.password_stored, json_reply(document)) == expected


def test_one_clean_success_counts() -> None:
    replies.password_stored(json_reply([SUCCESS]), ANNA)
    replies.password_stored(Reply(200, "Application/JSON; charset=utf-8", json.dumps([SUCCESS]).encode()), ANNA)


GOOD = json.dumps([SUCCESS]).encode()
NOT_JSON: list[tuple[str, Reply, Reason]] = [
    ("empty", raw(b""), Reason.EMPTY),
    ("blank", raw(b" \r\n\t"), Reason.EMPTY),
    ("R10 page", raw(b"<html>Please sign in</html>", content_type="text/html"), Reason.NOT_JSON),
    ("R10 page called JSON", raw(b"<html>"), Reason.NOT_JSON),
    ("R10 JSON called page", raw(GOOD, content_type="text/html"), Reason.NOT_JSON),
    ("no type", raw(GOOD, content_type=""), Reason.NOT_JSON),
    ("R17 warning", raw(b"<br />\n<b>Warning</b>: x in y on line 5<br />\n" + GOOD), Reason.NOT_JSON),
    ("two documents", raw(GOOD + GOOD), Reason.NOT_JSON),
    ("R18 bad UTF-8", raw(b'["\xff"]'), Reason.NOT_JSON),
    ("R18 UTF-16", raw(GOOD.decode().encode("utf-16")), Reason.NOT_JSON),
    ("R18 byte order mark", raw(b"\xef\xbb\xbf" + GOOD), Reason.NOT_JSON),
    ("R18 NaN", raw(b'[{"type":"success","msg":NaN}]'), Reason.NOT_JSON),
    ("R18 infinity", raw(b"[1e999]"), Reason.NOT_JSON),
    ("R18 deep", raw(b"[" * 100_000 + b"]" * 100_000), Reason.NOT_JSON),
    ("R18 rather deep", raw(b"[" * 50 + b"]" * 50), Reason.NOT_JSON),
    ("R18 long number", raw(b"[" + b"9" * 5000 + b"]"), Reason.NOT_JSON),
    ("R18 half a pair", raw(b'["\\ud800"]'), Reason.NOT_JSON),
    (
        "R18 twice",
        raw(b'[{"type":"danger","type":"success","msg":["mailbox_modified","anna@demo.example"]}]'),
        Reason.NOT_JSON,
    ),
    ("too large", raw(b" " * (MAX_BODY + 1)), Reason.TOO_LARGE),
]


@pytest.mark.parametrize(("reply", "reason"), [row[1:] for row in NOT_JSON], ids=[row[0] for row in NOT_JSON])
def test_what_can_be_read_in_two_ways_is_not_read(reply: Reply, reason: Reason) -> None:
    assert outcome(replies.password_stored, reply) == (Unknown, reason)
    assert outcome(replies.read_mailbox, reply) == (Unknown, reason)


STATUS: list[tuple[int, str, type[MailcowError], Reason]] = [
    (301, "R11", Refused, Reason.REDIRECTED),
    (308, "R11", Refused, Reason.REDIRECTED),
    (401, "authentication failed", Refused, Reason.KEY),
    (401, "api access denied for ip 1.2.3.4", Refused, Reason.NETWORK),
    (403, "API read/write access denied", Refused, Reason.READ_ONLY),
    (403, "", Refused, Reason.FORBIDDEN),
    (404, "route not found", Refused, Reason.NO_ROUTE),
    (400, "Request body doesn't contain valid json!", Refused, Reason.BAD_REQUEST),
    (408, "", Unknown, Reason.BUSY),
    (409, "", Unknown, Reason.UNEXPECTED),
    (425, "", Unknown, Reason.BUSY),
    (426, "", Unknown, Reason.UNEXPECTED),
    (429, "", Unknown, Reason.BUSY),
    (500, "", Unknown, Reason.SERVER_ERROR),
    (502, "", Unknown, Reason.SERVER_ERROR),
    (504, "", Unknown, Reason.SERVER_ERROR),
    (204, "", Unknown, Reason.UNEXPECTED),
    (206, "", Unknown, Reason.UNEXPECTED),
    (418, "", Unknown, Reason.UNEXPECTED),
    (999, "", Unknown, Reason.UNEXPECTED),
]


@pytest.mark.parametrize(("status", "text", "kind", "reason"), STATUS)
def test_a_status_other_than_200_decides_whatever_the_body_claims(
    status: int, text: str, kind: type[MailcowError], reason: Reason
) -> None:
    body = json.dumps([{**SUCCESS, "note": text}]).encode()

    assert outcome(replies.password_stored, Reply(status, "application/json", body)) == (kind, reason)


def test_a_405_with_a_page_is_an_outage_and_with_json_a_wrong_route() -> None:
    assert outcome(replies.password_stored, raw(b"<html>", 405, "text/html")) == (Unknown, Reason.SERVER_ERROR)
    assert outcome(replies.password_stored, raw(b"{}", 405)) == (Refused, Reason.NO_ROUTE)


def test_facts_of_a_mailbox_are_read() -> None:
    assert replies.read_mailbox(json_reply(DETAILS), ANNA) == MailboxFacts(
        address=ANNA,
        active=1,
        authsource="mailcow",
        passwd_update="2026-11-24 04:41:33",
        attribute_hash="portal:1",
        quota=1024,
        last_imap_login=None,
        last_pop3_login=1795491693,
        last_smtp_login=None,
    )


def test_numbers_may_come_as_text() -> None:
    facts = replies.read_mailbox(json_reply({**DETAILS, "active": "0", "quota": "-5242880"}), ANNA)

    assert (facts.active, facts.quota) == (0, -5242880)


@pytest.mark.parametrize("attributes", [{}, {"attribute_hash": None}, {"attribute_hash": ""}])
def test_a_mailbox_without_attribute_hash_has_an_empty_one(attributes: dict[str, Any]) -> None:
    assert replies.read_mailbox(json_reply({**DETAILS, "attributes": attributes}), ANNA).attribute_hash == ""


@pytest.mark.parametrize(
    "value", [None, "", "yesterday", "2026-13-45 00:00:00", "2026-11-24T04:41:33", 5, [], "0000-00-00 00:00:00"]
)
def test_a_change_time_that_cannot_be_read_blocks_instead_of_looping(value: Any) -> None:
    before = replies.read_mailbox(json_reply(DETAILS), ANNA)
    after = replies.read_mailbox(json_reply({**DETAILS, "attributes": {"passwd_update": value}}), ANNA)

    with pytest.raises(Blocked) as caught:
        replies.confirm(before, after)

    assert caught.value.reason is Reason.READ_BACK


def test_a_password_moved_elsewhere_meanwhile_blocks() -> None:
    before = replies.read_mailbox(json_reply(DETAILS), ANNA)
    after = replies.read_mailbox(json_reply({**DETAILS, "authsource": "ldap"}), ANNA)

    with pytest.raises(Blocked) as caught:
        replies.confirm(before, after)

    assert caught.value.reason is Reason.AUTHSOURCE


ODD_DETAILS: list[tuple[dict[str, Any], Reason]] = [
    ({"active": True}, Reason.UNEXPECTED),
    ({"active": 3}, Reason.UNEXPECTED),
    ({"active": None}, Reason.UNEXPECTED),
    ({"attributes": []}, Reason.UNEXPECTED),
    ({"authsource": None}, Reason.UNEXPECTED),
    ({"quota": "lots"}, Reason.UNEXPECTED),
    ({"quota": 1.5}, Reason.UNEXPECTED),
    ({"quota": 10**18}, Reason.UNEXPECTED),
    ({"quota": -(10**18)}, Reason.UNEXPECTED),
    ({"last_imap_login": {}}, Reason.UNEXPECTED),
    ({"username": 5}, Reason.UNEXPECTED),
    ({"attributes": {"attribute_hash": "a\0b"}}, Reason.UNEXPECTED),
]


@pytest.mark.parametrize(("change", "reason"), ODD_DETAILS)
def test_odd_facts_are_unknown(change: dict[str, Any], reason: Reason) -> None:
    assert outcome(replies.read_mailbox, json_reply({**DETAILS, **change})) == (Unknown, reason)


def test_facts_of_another_mailbox_are_refused() -> None:
    other = json_reply({**DETAILS, "username": "bert@demo.example"})

    assert outcome(replies.read_mailbox, other) == (Blocked, Reason.OTHER_ADDRESS)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["success", "danger", ANNA]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "msg", "username", "attributes", "active"]) | st.text(), inner, max_size=6
        )
    ),
    max_leaves=20,
)


@given(st.integers(100, 600), st.sampled_from(["application/json", "text/html", ""]) | st.text(), st.binary())
def test_any_bytes_end_in_the_tree(status: int, content_type: str, body: bytes) -> None:
    for verb in (replies.password_stored, replies.read_mailbox):
        outcome(verb, Reply(status, content_type, body))


@given(anything)
def test_any_document_ends_in_the_tree(document: Any) -> None:
    reply = json_reply(document)
    for verb in (lambda: replies.password_stored(reply, "own@portal.example"), lambda: replies.version(reply)):
        with pytest.raises(MailcowError):
            verb()


@given(st.text())
def test_any_message_ends_in_the_tree_and_is_not_repeated(text: str) -> None:
    with pytest.raises(MailcowError) as caught:
        replies.password_stored(json_reply([danger(text)]), ANNA)

    assert str(caught.value) == caught.value.reason.value


@pytest.mark.parametrize("found", ["", "2026-07a\n", "<script>", 5, None, "x" * 65])
def test_a_version_is_a_short_plain_word(found: Any) -> None:
    with pytest.raises(Unknown) as caught:
        replies.version(json_reply({"version": found}))

    assert caught.value.reason is Reason.UNEXPECTED
