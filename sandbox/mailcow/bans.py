"""Fail2ban (`data/web/inc/functions.fail2ban.inc.php`, `data/Dockerfiles/netfilter/main.py`)."""

from __future__ import annotations

import ipaddress
import time
from typing import Any

from .state import State
from .writes import Entry, entry

STANDARD = {
    "ban_time": 1800,
    "max_ban_time": 10000,
    "ban_time_increment": True,
    "max_attempts": 10,
    "retry_window": 600,
    "netban_ipv4": 32,
    "netban_ipv6": 128,
    "banlist_id": "5f0c9f0e-7e5a-4a0e-9f0e-3f1e7a5b9c2d",
    "manage_external": 0,
    "regex": {"1": "mailcow UI: Invalid password for .+ by ([0-9a-f\\.:]+)"},
    "whitelist": "",
    "blacklist": "",
}
UNBANNED_AFTER = 10  # netfilter works the queue off every so many seconds


def shown(state: State) -> dict[str, Any]:
    """Answer to `get/fail2ban`; a list without rows is absent."""
    _purge(state)
    document: dict[str, Any] = dict(STANDARD)
    if state.denied:
        document["perm_bans"] = [{"network": net, "ip": net.partition("/")[0]} for net in state.denied]
    now = int(time.time())
    rows = []
    for network, until in state.bans.items():
        left = until - now
        rows.append(
            {
                "queued_for_unban": int(network in state.unban_queue),
                "network": network,
                "ip": network.partition("/")[0],
                "banned_until": f"{int(left / 3600):02d}h {int(left / 60) % 60:02d}m {left % 60:02d}s",
            }
        )
    if rows:
        document["active_bans"] = rows
    return document


def edit(state: State, items: Any, attr: dict[str, Any]) -> list[Entry]:
    """Answer to `edit/fail2ban` with the action `unban`; without an action the settings would be overwritten."""
    listed = items if isinstance(items, list) else [items]
    data = {"network": listed, **attr}
    log = ["fail2ban", "edit", data]
    if attr.get("action") != "unban" or not listed:
        state.ban_settings_overwritten = True
        return [entry("success", log, "f2b_modified")]
    for network in listed:
        if _is_network(network):
            state.unban_queue[str(network)] = int(time.time())
    return [entry("success", log, ["object_modified", network]) for network in listed]


def _purge(state: State) -> None:
    """What netfilter does by itself: bans end, queued ones are lifted after a moment."""
    now = int(time.time())
    for network, until in list(state.bans.items()):
        queued_at = state.unban_queue.get(network)
        if until <= now or (queued_at is not None and now - queued_at >= UNBANNED_AFTER):
            del state.bans[network]
            state.unban_queue.pop(network, None)


def _is_network(network: Any) -> bool:
    try:
        ipaddress.ip_network(str(network), strict=False)
    except ValueError:
        return False
    return True
