"""A mailcow stand-in that remembers more than mailcow would: every hash it was given, and whom it turned away when."""

import hashlib
import json
import threading
import time

from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.api import Answer, Call

TURNED_AWAY = 401


class Watched(MailcowStandIn):
    """`given` is every password hash by its digest; `answered` every (time, status) of the API, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, str] = {}
        self.answered: list[tuple[float, int]] = []
        self.mended: list[float] = []
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()

    def answer(self, call: Call) -> Answer:
        came, status = time.monotonic(), 0
        with self._counting:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            if call.is_write:
                text = json.loads(call.body)["attr"]["password"]
                self.given[hashlib.sha256(text.encode()).hexdigest()] = text
        try:
            answer = super().answer(call)
            status = answer.status
            return answer
        finally:
            with self._counting:
                self.at_once -= 1
                self.answered.append((came, status))

    def mend(self) -> None:
        """Somebody puts right what was wrong here: calls that are turned away later begin a new count."""
        self.faults.clear()
        with self._counting:
            self.mended.append(time.monotonic())

    def calls_after_turned_away(self) -> list[int]:
        """How many calls came after each first one that was turned away, until somebody mended it."""
        counts: list[int] = []
        first: float | None = None
        mended = iter([*self.mended, float("inf")])
        until = next(mended)
        for came, status in sorted(self.answered):
            while came > until:
                first, until = None, next(mended)
            if first is not None:
                counts[-1] += 1
            elif status == TURNED_AWAY:
                first = came
                counts.append(0)
        return counts
