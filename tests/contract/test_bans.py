"""mailcow's Fail2ban: its list read strictly, and one ban lifted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migration.mailcow import bans
from migration.mailcow.bans import Ban
from migration.mailcow.client import Client
from migration.mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused, Unknown
from migration.mailcow.replies import Reply
from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.bans import STANDARD

PHONE, SWARM = "198.51.100.7/32", "2001:db8:1::/64"
ROW = {"queued_for_unban": 0, "network": PHONE, "ip": "198.51.100.7", "banned_until": "00h 29m 58s"}


def told(**members: Any) -> Reply:
    return reply({**STANDARD, **members})


def reply(document: Any) -> Reply:
    return Reply(200, "application/json", json.dumps(document).encode())


def unclear(document: Any) -> Reason:
    with pytest.raises(Unknown) as caught:
        bans.read_bans(reply(document))
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value.reason


def test_bans_are_read_with_the_time_they_have_left() -> None:
    other = {**ROW, "network": SWARM, "banned_until": "02h 46m 40s", "queued_for_unban": "1"}

    assert bans.read_bans(told(active_bans=[other, ROW])) == [Ban(PHONE, 1798), Ban(SWARM, 10_000, queued=True)]


@pytest.mark.parametrize("left", ["00h 00m 00s", "00h 00m -5s", "-1h -3m -2s", "00h -1m -30s"])
def test_a_ban_that_is_over_has_no_time_left(left: str) -> None:
    assert bans.read_bans(told(active_bans=[{**ROW, "banned_until": left}])) == [Ban(PHONE, 0)]


@pytest.mark.parametrize("members", [{}, {"active_bans": ""}, {"active_bans": [], "perm_bans": ""}, {"perm_bans": []}])
def test_no_bans_are_told_in_several_ways(members: dict[str, Any]) -> None:
    assert bans.read_bans(told(**members)) == []


def test_the_two_lists_alone_are_an_answer() -> None:
    assert bans.read_bans(reply({"whitelist": "", "blacklist": ""})) == []


def test_a_network_on_the_denylist_is_banned_for_good() -> None:
    denied = {"network": PHONE, "ip": "198.51.100.7"}

    assert bans.read_bans(told(perm_bans=[denied])) == [Ban(PHONE, None)]
    assert bans.read_bans(told(active_bans=[ROW], perm_bans=[denied])) == [Ban(PHONE, None)]


def test_networks_are_written_in_one_way() -> None:
    rows = [{**ROW, "network": text} for text in ("2001:DB8:1:0:0:0:0:9/64", "198.51.100.7")]

    assert [ban.network for ban in bans.read_bans(told(active_bans=rows))] == [PHONE, SWARM]


@pytest.mark.parametrize(
    "document",
    [
        {},  # what a key that may not look is told
        [],
        None,
        "x",
        {"type": "success", "msg": "Task completed"},
        {"whitelist": ""},
        {"blacklist": ""},
        {**STANDARD, "active_bans": {"0": ROW}},
        {**STANDARD, "active_bans": [PHONE]},
        {**STANDARD, "active_bans": 5},
        {**STANDARD, "active_bans": False},
        {**STANDARD, "perm_bans": [PHONE]},
    ],
)
def test_what_is_no_list_of_bans_is_unknown(document: Any) -> None:
    assert unclear(document) is Reason.UNEXPECTED


@pytest.mark.parametrize(
    "members",
    [
        {"network": "everybody"},
        {"network": None},
        {"network": 5},
        {"network": "198.51.100.7/33"},
        {"network": "198.51.100.7/32\0"},
        {"banned_until": None},
        {"banned_until": "30 minutes"},
        {"banned_until": "00h 29m 58s\n"},
        {"banned_until": 1798},
        {"queued_for_unban": None},
        {"queued_for_unban": 2},
        {"queued_for_unban": True},
    ],
)
def test_a_strange_ban_makes_the_answer_unknown(members: dict[str, Any]) -> None:
    assert unclear({**STANDARD, "active_bans": [{**ROW, **members}]}) is Reason.UNEXPECTED


def test_the_stand_in_tells_its_bans(mailcow: MailcowStandIn, client: Client) -> None:
    assert bans.banned(client) == []
    mailcow.ban(PHONE, seconds=1800)
    mailcow.state.denied.append("203.0.113.0/24")

    found = {ban.network: ban for ban in bans.banned(client)}

    assert 1790 <= (found[PHONE].seconds_left or 0) <= 1800
    assert found["203.0.113.0/24"] == Ban("203.0.113.0/24", None)
    assert mailcow.calls[-1].path == "/api/v1/get/fail2ban"


@pytest.mark.parametrize("network", [PHONE, SWARM])
def test_a_ban_is_lifted_by_name_and_the_list_proves_it(mailcow: MailcowStandIn, client: Client, network: str) -> None:
    mailcow.ban(network)
    mailcow.ban("203.0.113.9/32")

    left = {ban.network: ban.queued for ban in bans.lift(client, network)}

    assert left == {network: True, "203.0.113.9/32": False}
    sent = json.loads(mailcow.calls[-2].body)
    assert sent == {"items": [network], "attr": {"action": "unban"}}
    assert not mailcow.state.ban_settings_overwritten


def test_lifting_a_ban_that_is_over_is_fine(client: Client) -> None:
    assert bans.lift(client, PHONE) == []


@pytest.mark.parametrize("network", ["", "everybody", "198.51.100.7/33", "198.51.100.7/32,0.0.0.0/0", "*", "1.2.3.4/"])
def test_what_is_no_network_is_never_sent(mailcow: MailcowStandIn, client: Client, network: str) -> None:
    with pytest.raises(ValueError, match="no network") as caught:
        bans.lift(client, network)

    assert not network or network not in str(caught.value)
    assert not mailcow.calls


def test_success_without_effect_is_found_out(mailcow: MailcowStandIn, client: Client) -> None:
    mailcow.ban(PHONE)
    mailcow.state.denied.append(PHONE)

    with pytest.raises(Blocked) as caught:
        bans.lift(client, PHONE)

    assert caught.value.reason is Reason.NOT_STORED


def entry(msg: Any, kind: str = "success") -> dict[str, Any]:
    return {"type": kind, "log": [], "msg": msg}


@pytest.mark.parametrize(
    ("document", "kind", "reason"),
    [
        ([], Unknown, Reason.UNEXPECTED),
        ({"type": "success", "msg": "Task completed"}, Unknown, Reason.UNEXPECTED),
        ([entry("f2b_modified")], Unknown, Reason.UNEXPECTED),
        ([entry(["object_modified", "203.0.113.9/32"])], Unknown, Reason.UNEXPECTED),
        ([entry(["object_modified", PHONE]), entry("f2b_modified")], Unknown, Reason.UNEXPECTED),
        ([entry(["object_modified", PHONE], "danger")], Unknown, Reason.UNEXPECTED),
        ([entry(["redis_error", {}], "danger"), entry(["object_modified", PHONE])], Unknown, Reason.DATABASE),
        ([entry("access_denied", "danger")], Blocked, Reason.REJECTED),
    ],
)
def test_only_one_success_for_the_network_counts(document: Any, kind: type[MailcowError], reason: Reason) -> None:
    with pytest.raises(MailcowError) as caught:
        bans.lifted(reply(document), PHONE)

    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert not isinstance(caught.value, Missing)


def test_one_success_for_the_network_counts() -> None:
    bans.lifted(reply([entry(["object_modified", PHONE])]), PHONE)


def test_a_read_only_key_may_look_but_not_lift(mailcow: MailcowStandIn) -> None:
    mailcow.ban(PHONE)
    with Client(mailcow.url, mailcow.read_only_key) as reader:
        assert [ban.network for ban in bans.banned(reader)] == [PHONE]
        with pytest.raises(Refused) as caught:
            bans.lift(reader, PHONE)

    assert caught.value.reason is Reason.READ_ONLY


def test_a_settings_edit_is_what_the_verb_must_never_be(mailcow: MailcowStandIn, client: Client) -> None:
    client.call("POST", "edit/fail2ban", {"items": [PHONE], "attr": {"ban_time": 60}})

    assert mailcow.state.ban_settings_overwritten
