"""Switches that make the stand-in misbehave, in the ways mailcow and the network do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .api import HTML, Answer, Call

Calls = Literal["any", "read", "write"]


class Dropped(Exception):
    """The connection ends here without an answer."""


@dataclass
class Fault:
    """One pending misbehaviour: `times` None means until `clear`."""

    kind: str
    times: int | None
    calls: Calls
    argument: Any = None


class Faults:
    """Each switch acts on the next `times` calls of its sort; several act one after the other."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._pending: list[Fault] = []
        self._held: list[threading.Event] = []
        self._lock = threading.Lock()
        self._changed = changed

    def answer_500(self, times: int | None = 1, calls: Calls = "any") -> None:
        """A database outage: 500 and HTML, nothing done."""
        self._add("answer_500", times, calls)

    def html_error_page(self, times: int | None = 1, calls: Calls = "any") -> None:
        """PHP is down: 502 for GET, 405 for POST, HTML in both cases."""
        self._add("html_error_page", times, calls)

    def empty_200(self, times: int | None = 1, calls: Calls = "any") -> None:
        """A crash inside mailcow: 200, an empty body, nothing done."""
        self._add("empty_200", times, calls)

    def redirect(self, times: int | None = 1, calls: Calls = "any") -> None:
        """Answer 301 to another place."""
        self._add("redirect", times, calls)

    def wrong_key(self, times: int | None = None, calls: Calls = "any") -> None:
        """The key was switched off: 401."""
        self._add("wrong_key", times, calls)

    def read_only(self, times: int | None = None) -> None:
        """The key may only read: 403 to every write."""
        self._add("read_only", times, "write")

    def down(self, times: int | None = None, calls: Calls = "any") -> None:
        """The connection is closed without an answer, nothing done."""
        self._add("down", times, calls)

    def drop_before_write(self, times: int | None = 1) -> None:
        """The connection breaks before a write is done."""
        self._add("down", times, "write")

    def drop_after_write(self, times: int | None = 1) -> None:
        """The write is done, then the connection breaks."""
        self._add("drop_after_write", times, "write")

    def slow(self, seconds: float, times: int | None = 1, calls: Calls = "any") -> None:
        """Wait, then do the call, even if the caller has gone."""
        self._add("slow", times, calls, seconds)

    def hold_write(self, times: int | None = 1) -> threading.Event:
        """The write waits until the event is set, and is done then even if the caller has gone."""
        event = threading.Event()
        self._held.append(event)
        self._add("hold", times, "write", event)
        return event

    def deadlock(self, times: int | None = 1, *, stored: bool = True) -> None:
        """A database deadlock: reported as danger but stored, or an empty 200 and not stored."""
        self._add("deadlock" if stored else "empty_200", times, "write")

    def reject(self, code: str | list[Any], times: int | None = 1) -> None:
        """The next write is refused with this message, nothing done."""
        self._add("reject", times, "write", code)

    def false_success(self, times: int | None = 1) -> None:
        """The next write reports success and stores nothing."""
        self._add("false_success", times, "write")

    def clear(self) -> None:
        """Behave again."""
        self.release()
        with self._lock:
            self._pending.clear()
        self._changed()

    def release(self) -> None:
        """Let the writes go on that wait."""
        with self._lock:
            for event in self._held:
                event.set()

    def pending(self) -> list[dict[str, Any]]:
        """What is still to come, for the page and the state file."""
        with self._lock:
            return [asdict(fault) for fault in self._pending if fault.kind != "hold"]

    def restore(self, pending: list[dict[str, Any]]) -> None:
        """Take up what `pending` told before a restart."""
        self._pending = [Fault(**fault) for fault in pending]

    def take(self, *, write: bool) -> list[Fault]:
        """The faults of one call: any delay, and the first other one. Counted down."""
        taken: list[Fault] = []
        with self._lock:
            for fault in list(self._pending):
                delay = fault.kind in ("slow", "hold")
                matches = fault.calls == "any" or (fault.calls == "write") == write
                if not matches or (not delay and any(other.kind not in ("slow", "hold") for other in taken)):
                    continue
                taken.append(fault)
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._pending.remove(fault)
        if taken:
            self._changed()
        return taken

    def _add(self, kind: str, times: int | None, calls: Calls, argument: Any = None) -> None:
        with self._lock:
            self._pending.append(Fault(kind, times, calls, argument))
        self._changed()


def canned(fault: Fault, call: Call) -> Answer:
    """The reply of a fault that does nothing but answer."""
    log: list[Any] = ["mailbox", "edit", "mailbox", {}, None]
    deadlock = (
        "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock; "
        "try restarting transaction"
    )
    wrong = {"type": "error", "msg": "authentication failed"}
    denied = {"type": "error", "msg": "API read/write access denied"}
    elsewhere = {"Location": "https://elsewhere.example" + call.path}
    outage = 405 if call.method == "POST" else 502
    answers: dict[str, Callable[[], Answer]] = {
        "answer_500": lambda: Answer(500, b"<center>Connection to database failed.</center>\n", HTML),
        "html_error_page": lambda: Answer(outage, b"<html><body><h1>Bad Gateway</h1></body></html>\r\n", HTML),
        "empty_200": lambda: Answer(200, b""),
        "redirect": lambda: Answer(301, b"", HTML, elsewhere),
        "wrong_key": lambda: Answer.of(wrong, 401, HTML),
        "read_only": lambda: Answer.of(denied, 403),
        "deadlock": lambda: Answer.of([{"type": "danger", "log": log, "msg": deadlock}]),
        "reject": lambda: Answer.of([{"type": "danger", "log": log, "msg": fault.argument}]),
        "false_success": lambda: Answer.of(
            [{"type": "success", "log": log, "msg": ["mailbox_modified", item]} for item in _items(call)]
        ),
    }
    return answers[fault.kind]()


def _items(call: Call) -> list[Any]:
    document = json.loads(call.body)
    items = document.get("items") if isinstance(document, dict) else document
    return items if isinstance(items, list) else [items]
