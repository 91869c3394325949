"""The pace: how many mails a minute one way takes, however many workers and clocks there are.

One row a way says from when on the next mail may leave. Taking moves it on under the row's lock. A way that was idle
saves up a thirtieth of a minute's mails, so that a connection has something to do; the steps between are that much
longer, so that no 60 seconds see more than the pace. All times are the database's.
"""

from datetime import UTC, datetime, timedelta
from math import floor

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from migration.models import Pace

from .route import Way

MINUTE = timedelta(minutes=1)
_SAVED_PER_MINUTE = 30
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# A worker's run and its way through the broker; who has promised and died is forgotten after that.
PROMISE_SECONDS = 75


def granted(free_at: datetime, now: datetime, pace: int, wanted: int) -> tuple[int, datetime]:
    """How many of the wanted mails may leave now, and from when on the next one may."""
    saved, step = _saved(pace), _step(pace)
    first = max(free_at, now - (saved - 1) * step)
    if first > now:
        return 0, free_at
    number = min(wanted, floor((now - first) / step) + 1)
    return number, first + number * step


def take(way: Way, wanted: int) -> int:
    """Take the right to send so many mails, or as many of them as there are."""
    _row(way)
    with transaction.atomic():
        # Under the row's lock: whoever waits for it is told what is left, and nobody is turned away for being second.
        rows = Pace.objects.filter(way=way.key).select_for_update()
        pk, free_at, now = rows.values_list("pk", "free_at", Now()).get()
        number, moved = granted(free_at, now, way.pace, wanted)
        if number:
            Pace.objects.filter(pk=pk).update(free_at=moved)
    return number


def left(way: Way) -> int:
    """How many mails could leave now."""
    _pk, free_at, now = _row(way)
    return granted(free_at, now, way.pace, _saved(way.pace))[0]


def wait(way: Way) -> float:
    """Seconds until the way has saved up as much as it can."""
    _pk, free_at, now = _row(way)
    full = free_at + (_saved(way.pace) - 1) * _step(way.pace)
    return max((full - now).total_seconds(), 0.0)


def wake(way: Way) -> bool:
    """Promise to look after this way; False when somebody else has."""
    _row(way)
    return Pace.objects.filter(way=way.key, woken_until__lte=Now()).update(woken_until=_in(PROMISE_SECONDS)) == 1


def go_on(way: Way, after: float) -> None:
    """Renew the promise: the next run begins after so many seconds."""
    Pace.objects.filter(way=way.key).update(woken_until=_in(PROMISE_SECONDS + after))


def rest(way: Way) -> None:
    """Take the promise back."""
    Pace.objects.filter(way=way.key).update(woken_until=Now())


def _saved(pace: int) -> int:
    return max(1, pace // _SAVED_PER_MINUTE)


def _step(pace: int) -> timedelta:
    return MINUTE / (pace - _saved(pace) + 1)


def _row(way: Way) -> tuple[int, datetime, datetime]:
    rows = Pace.objects.filter(way=way.key).values_list("pk", "free_at", Now())
    found = rows.first()
    if found is None:
        Pace.objects.get_or_create(way=way.key, defaults={"free_at": _LONG_AGO, "woken_until": _LONG_AGO})
        found = rows.get()
    pk, free_at, now = found
    return pk, free_at, now


def _in(seconds: float) -> Combinable:
    return ExpressionWrapper(Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField())
