"""Replies no recording has: what is not certainly a success, or not certainly a domain or an alias, is unclear."""

import json
from typing import Any

import pytest

from migration.mailcow import objects
from migration.mailcow.errors import MailcowError, Missing, Reason, Unknown
from migration.mailcow.objects import NotMade, Refusal
from migration.mailcow.replies import Reply
from tests.contract.recorded import recordings

ANNA = "anna@demo.example"
ADDED = {"type": "success", "log": [], "msg": ["mailbox_added", ANNA]}
LIMIT = {"type": "success", "log": [], "msg": ["rl_saved", ANNA]}


def reply(document: Any, status: int = 200) -> Reply:
    return Reply(status, "application/json", json.dumps(document).encode())


def danger(msg: Any) -> dict[str, Any]:
    return {"type": "danger", "log": [], "msg": msg}


@pytest.mark.parametrize("document", [[ADDED], [LIMIT, ADDED], [ADDED, LIMIT]])
def test_one_success_for_what_was_sent_is_enough(document: Any) -> None:
    objects.made(reply(document), "mailbox_added", ANNA)


def test_an_apostrophe_comes_back_escaped() -> None:
    escaped = {**ADDED, "msg": ["mailbox_added", "o&#039;neil@demo.example"]}

    objects.made(reply([escaped]), "mailbox_added", "o'neil@demo.example")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], Reason.UNEXPECTED),
        ({}, Reason.UNEXPECTED),
        (None, Reason.UNEXPECTED),
        ({"type": "success", "msg": "Task completed"}, Reason.UNEXPECTED),
        (ADDED, Reason.UNEXPECTED),
        ([LIMIT], Reason.UNEXPECTED),
        ([ADDED, ADDED], Reason.UNEXPECTED),
        ([ADDED, danger(["object_exists", ANNA])], Reason.UNEXPECTED),
        ([ADDED, {"type": "warning", "log": [], "msg": "x"}], Reason.UNEXPECTED),
        ([{**ADDED, "msg": ["mailbox_added"]}], Reason.UNEXPECTED),
        ([{**ADDED, "msg": "mailbox_added"}], Reason.UNEXPECTED),
        ([{**ADDED, "msg": ["mailbox_added", "bert@demo.example"]}], Reason.UNEXPECTED),
        ([{**ADDED, "msg": []}], Reason.UNEXPECTED),
        ([{**ADDED, "msg": [7, ANNA]}], Reason.UNEXPECTED),
        ([{**ADDED, "type": None}], Reason.UNEXPECTED),
        ([ADDED, "mailbox_added"], Reason.UNEXPECTED),
        ([ADDED, {**LIMIT, "msg": "SQLSTATE[40001]: Deadlock"}], Reason.DATABASE),
        ([danger("SQLSTATE[40001]: Deadlock")], Reason.DATABASE),
        ([danger("An unknown error occured: ValueError Object"), ADDED], Reason.CRASH),
    ],
)
def test_anything_else_is_unclear(document: Any, reason: Reason) -> None:
    with pytest.raises(Unknown) as unclear:
        objects.made(reply(document), "mailbox_added", ANNA)

    assert unclear.value.reason is reason


@pytest.mark.parametrize(
    ("msg", "refusal"),
    [
        (["object_exists", ANNA], Refusal.EXISTS),
        (["is_alias", ANNA], Refusal.IS_ALIAS),
        (["is_alias_or_mailbox", ANNA], Refusal.IS_TAKEN),
        ("access_denied", Refusal.NO_DOMAIN),
        (["max_mailbox_exceeded", 10, 10], Refusal.COUNT),
        ("max_alias_exceeded", Refusal.COUNT),
        (["mailbox_quota_exceeded", 100], Refusal.QUOTA),
        (["mailbox_quota_left_exceeded", 100], Refusal.QUOTA),
        (["goto_invalid", "@"], Refusal.GOTO),
        ("mailbox_invalid", Refusal.NAME),
        ("something_new", Refusal.OTHER),
    ],
)
def test_a_refusal_tells_why(msg: Any, refusal: Refusal) -> None:
    with pytest.raises(NotMade) as refused:
        objects.made(reply([danger(msg)]), "mailbox_added", ANNA)

    assert refused.value.refusal is refusal
    assert refused.value.reason is Reason.REJECTED


DOMAIN = recordings()["get-domain-after"].document
ALIAS = recordings()["get-alias-address"].document


@pytest.mark.parametrize("name", ["domain_name", "active", "backupmx", "mboxes_in_domain", "max_quota_for_domain"])
@pytest.mark.parametrize("value", [None, [], "x\0", "many", True])
def test_half_a_domain_is_none(name: str, value: Any) -> None:
    if name == "domain_name" and value == "many":
        value = 7

    with pytest.raises(Unknown):
        objects.read_domain(reply({**DOMAIN, name: value}))


@pytest.mark.parametrize("document", [[], [DOMAIN], "", 0, None])
def test_what_is_no_object_is_no_domain_and_no_alias(document: Any) -> None:
    for read in (objects.read_domain, lambda answer: objects.read_alias(answer, ANNA)):
        with pytest.raises(Unknown):
            read(reply(document))


@pytest.mark.parametrize(("flag", "value"), [("relay_all_recipients", 1), ("relay_unknown_only", "1")])
def test_either_way_of_relaying_is_relaying(flag: str, value: Any) -> None:
    assert objects.read_domain(reply({**DOMAIN, flag: value})).relays


@pytest.mark.parametrize(("active", "expected"), [(1, True), ("1", True), (0, False), (2, False)])
def test_only_a_domain_that_is_on_is_active(active: Any, expected: bool) -> None:
    assert objects.read_domain(reply({**DOMAIN, "active": active})).active is expected


def test_aliases_of_other_domains_are_dropped() -> None:
    rows = [ALIAS, {**ALIAS, "domain": "other.example", "address": "x@other.example"}]

    assert [row.address for row in objects.read_aliases(reply(rows), "demo.example")] == ["sales@demo.example"]


@pytest.mark.parametrize("document", [[ALIAS, None], [[]], {"a": 1}, [{**ALIAS, "goto": None}]])
def test_a_list_of_anything_else_is_unclear(document: Any) -> None:
    with pytest.raises(Unknown):
        objects.read_aliases(reply(document), "demo.example")


def test_an_alias_is_the_same_in_upper_case() -> None:
    assert objects.read_alias(reply({**ALIAS, "address": "Sales@demo.example"}), "sales@demo.example").active


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 500, 502])
def test_another_status_is_never_a_success(status: int) -> None:
    answers = (
        lambda: objects.made(reply([ADDED], status), "mailbox_added", ANNA),
        lambda: objects.read_domain(reply(DOMAIN, status)),
        lambda: objects.read_aliases(reply([ALIAS], status), "demo.example"),
    )
    for answer in answers:
        with pytest.raises(MailcowError) as error:
            answer()
        assert not isinstance(error.value, Missing | NotMade)
