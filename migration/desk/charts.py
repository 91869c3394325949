"""Two pictures for the desk, as numbers for an SVG: completion over time, and what is open today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from migration.models import Mailbox
from migration.reports import Completion

S = Mailbox.State

WIDTH, HEIGHT = 600, 160
DAYS = 60
"""How many days back the picture goes; the table beside it as well."""


@dataclass(frozen=True)
class Segment:
    """One part of the bar: `x` and `width` in percent."""

    code: str
    label: str | Promise
    number: int
    x: float
    width: float


@dataclass(frozen=True)
class Days:
    """The line: points in the picture's own units, and what they stand for."""

    table: Sequence[tuple[date, int]]
    line: str
    area: str
    most: int

    @property
    def first(self) -> date:
        """The day at the left edge."""
        return self.table[0][0]

    @property
    def last(self) -> date:
        """The day at the right edge."""
        return self.table[-1][0]


def open_work(report: Completion) -> list[Segment]:
    """What is open, by who has to do something next; the numbers add up to all that is open.

    A mail that did not arrive is taken from those invited, then from those who signed in; a blocked push from those
    whose password is being transferred.
    """
    lost = min(report.undelivered, report.counts[S.INVITED] + report.counts[S.SIGNED_IN])
    lost_of_invited = min(lost, report.counts[S.INVITED])
    blocked = min(report.blocked, report.counts[S.PASSWORD_SET])
    parts = (
        ("imported", _("to invite"), report.counts[S.IMPORTED]),
        ("invited", _("invited"), report.counts[S.INVITED] - lost_of_invited),
        ("signed-in", _("signed in"), report.counts[S.SIGNED_IN] - (lost - lost_of_invited)),
        ("transfer", _("being transferred"), report.counts[S.PASSWORD_SET] - blocked),
        ("blocked", _("transfer blocked"), blocked),
        ("undelivered", _("not delivered"), lost),
    )
    all_, x, segments = sum(number for *_names, number in parts) or 1, 0.0, []
    for code, label, number in parts:
        width = 100 * number / all_
        segments.append(Segment(code, label, number, round(x, 3), round(width, 3)))
        x += width
    return segments


def completion_over_time(reached: Sequence[tuple[date, int]], taking_part: int) -> Days | None:
    """The line of how many mailboxes were done by the end of each day; None before there are two days to join."""
    table = list(reached)[-DAYS:]
    if len(table) < 2:
        return None
    most = max(taking_part, table[-1][1], 1)
    span = max((table[-1][0] - table[0][0]).days, 1)
    points = [
        f"{round(WIDTH * (day - table[0][0]).days / span, 1)},{round(HEIGHT - HEIGHT * done / most, 1)}"
        for day, done in table
    ]
    return Days(table, " ".join(points), " ".join((f"0,{HEIGHT}", *points, f"{WIDTH},{HEIGHT}")), most)
