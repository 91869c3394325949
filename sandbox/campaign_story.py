"""The clock of the demo's story: what happens when, told in that order."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from unittest import mock

from django.utils import timezone


class Story:
    """Steps with their times. While one happens, the clock of Django shows its time."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.steps: list[tuple[datetime, int, Callable[[], object]]] = []
        self.noted = 0

    def at(self, when: datetime, happens: Callable[[], object]) -> None:
        """Note it. What lies ahead has not happened."""
        if when <= self.now:
            self.noted += 1
            self.steps.append((when, self.noted, happens))

    def later(self, happens: Callable[[], object], **wait: float) -> None:
        """Note what follows on the step that happens now."""
        self.at(timezone.now() + timedelta(**wait), happens)

    def day(self, days: int, hour: float = 9) -> datetime:
        """That day at that hour in local time; of today, an hour and a half ago at the latest."""
        midnight = timezone.localtime(self.now).replace(hour=0, minute=0, second=0, microsecond=0)
        when = midnight + timedelta(days=days, hours=hour)
        return min(when, self.now - timedelta(minutes=90)) if days == 0 else when

    def date(self, days: int) -> date:
        """That day."""
        return timezone.localtime(self.now).date() + timedelta(days=days)

    def tell(self) -> None:
        """Let everything happen. A step may note further ones."""
        while self.steps:
            self.steps.sort(reverse=True, key=lambda step: step[:2])
            when, _number, happens = self.steps.pop()
            with mock.patch("django.utils.timezone.now", lambda at=when: at):
                happens()
