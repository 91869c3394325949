"""mailcow's Fail2ban: which networks are banned, and lifting one ban.

Written down from mailcow 2026-07a (`data/web/inc/functions.fail2ban.inc.php`, `data/web/json_api.php`,
`data/Dockerfiles/netfilter/main.py`); no reply was recorded.

* No bans: the member `active_bans` is absent, or the empty text when Redis did not answer.
* A ban is told with the time left (`00h 29m 58s`), not with its end.
* Lifting puts the network into a queue, which netfilter works off within ten seconds. mailcow reports success for any
  network, so only the list read afterwards tells whether it was queued.
* An edit without an action, or without a network, would overwrite mailcow's ban settings; none is ever sent.
* Networks banned for good are mailcow's denylist; a lifting leaves them.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from .client import Client
from .errors import Blocked, Reason, Unknown
from .replies import Reply, entries_of, integer, json_of, text

_TIME_LEFT = re.compile(r"(-?[0-9]{1,9})h (-?[0-9]{1,2})m (-?[0-9]{1,2})s")


@dataclass(frozen=True, slots=True)
class Ban:
    """One banned network, `192.0.2.7/32`. `seconds_left` is None for good; `queued`: being lifted."""

    network: str
    seconds_left: int | None
    queued: bool = False


def banned(client: Client) -> list[Ban]:
    """What is banned now, by network. Raises MailcowError."""
    return read_bans(client.call("GET", "get/fail2ban"))


def lift(client: Client, network: str) -> list[Ban]:
    """Let the network in again. Returns what is banned then, this one as queued or not at all.

    Raises MailcowError: Blocked when it stays banned. Raises ValueError for what is no network.
    """
    network = _network(network)
    reply = client.call("POST", "edit/fail2ban", {"items": [network], "attr": {"action": "unban"}})
    lifted(reply, network)
    left = banned(client)
    if any(ban.network == network and not ban.queued for ban in left):
        raise Blocked(Reason.NOT_STORED)
    return left


def lifted(reply: Reply, network: str) -> None:
    """Return only when the reply to a lifting reports success for this network and nothing else. Raises MailcowError.

    That report is necessary, not sufficient: the list tells.
    """
    entries = entries_of(json_of(reply))
    keys = [msg[0] if isinstance(msg, list) and msg else msg for _, msg in entries]
    if "redis_error" in keys:
        raise Unknown(Reason.DATABASE)
    if keys == ["access_denied"]:
        raise Blocked(Reason.REJECTED)
    if entries != [("success", ["object_modified", network])]:
        raise Unknown(Reason.UNEXPECTED)


def read_bans(reply: Reply) -> list[Ban]:
    """The bans in a reply to `get/fail2ban`, by network. Raises MailcowError."""
    document = json_of(reply)
    # A key that may not look gets an empty object; whoever may gets both lists, even when they are empty.
    if not isinstance(document, dict) or not {"whitelist", "blacklist"} <= set(document):
        raise Unknown(Reason.UNEXPECTED)
    active = [_ban(row) for row in _rows(document.get("active_bans"))]
    for_good = [Ban(_told(row), None) for row in _rows(document.get("perm_bans"))]
    bans = {ban.network: ban for ban in (*active, *for_good)}
    return sorted(bans.values(), key=lambda ban: ban.network)


def _rows(value: Any) -> list[dict[str, Any]]:
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise Unknown(Reason.UNEXPECTED)
    return value


def _ban(row: dict[str, Any]) -> Ban:
    left = _TIME_LEFT.fullmatch(text(row.get("banned_until")))
    queued = integer(row.get("queued_for_unban"))
    if left is None or queued not in (0, 1):
        raise Unknown(Reason.UNEXPECTED)
    hours, minutes, seconds = (int(part) for part in left.groups())
    return Ban(_told(row), max(0, hours * 3600 + minutes * 60 + seconds), queued == 1)


def _told(row: dict[str, Any]) -> str:
    """The network of a row, in its canonical form. Raises Unknown."""
    try:
        return _network(text(row.get("network")))
    except ValueError:
        raise Unknown(Reason.UNEXPECTED) from None


def _network(given: str) -> str:
    """`192.0.2.7/32` as netfilter writes it. Raises ValueError for anything else, without repeating it."""
    try:
        return str(ipaddress.ip_network(given, strict=False))
    except ValueError:
        raise ValueError("no network") from None
