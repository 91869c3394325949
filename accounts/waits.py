"""The wait after each further wrong try with one mailed link. Only who has the link can cause it, or meets it."""

from datetime import timedelta
from math import ceil

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from .attempts import Attempts, Bucket, committed

# From this many wrong tries in a row with one link on, each is followed by a wait: one second, then twice the last one.
WAIT_FROM, DOUBLED = 5, 6
LONGEST_WAIT = timedelta(minutes=1)


class TooEarly(Exception):
    """The wait after the last wrong try is not over: nothing was counted, and nothing may be looked at."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def wait_after(count: int) -> timedelta:
    """How long after so many tries in a row none is looked at: nothing at first, then 1, 2, 4 … 60 seconds."""
    if count < WAIT_FROM:
        return timedelta(0)
    return min(LONGEST_WAIT, timedelta(seconds=1 << min(count - WAIT_FROM, DOUBLED)))


def spend_in_turn(bucket: Bucket) -> int:
    """Count one try as `spend` does, in a bucket without a window, and let the next one wait. Returns the new count.

    Nobody sleeps: the row says when the next try may come. Of many at once the first sets the wait, so the others come
    too early. Raises TooEarly, and RuntimeError inside a transaction.
    """
    with committed(statements=1):
        count = _count_in_turn(bucket)
    if count is None:
        raise TooEarly(_seconds_left(bucket))
    return count


def _count_in_turn(bucket: Bucket) -> int | None:
    """The new count, or None if it is too early for one. One statement, so that of many at once each sees the last."""
    table = connection.ops.quote_name(Attempts._meta.db_table)
    last = WAIT_FROM + DOUBLED
    waits = [f"WHEN {count - 1} THEN {_clock(wait_after(count))}" for count in range(WAIT_FROM, last)]
    # Nobody waits longer because the clock was set back.
    sql = f"""
        INSERT INTO {table} AS kept (bucket, count, since) VALUES (%s, 1, %s)
        ON CONFLICT (bucket) DO UPDATE SET
            count = kept.count + 1,
            not_before = CASE kept.count {" ".join(waits)}
                ELSE CASE WHEN kept.count >= {last - 1} THEN {_clock(LONGEST_WAIT)} END END
        WHERE kept.not_before IS NULL OR kept.not_before <= {_clock(timedelta(0))}
            OR kept.not_before > {_clock(LONGEST_WAIT)}
        RETURNING count
    """  # noqa: S608 - all that is put in is ours: table, numbers, the clock
    with connection.cursor() as cursor:
        cursor.execute(sql, [bucket.key, connection.ops.adapt_datetimefield_value(timezone.now())])
        counted = cursor.fetchone()
    return int(counted[0]) if counted else None


def _seconds_left(bucket: Bucket) -> int:
    """How long to wait, rounded up. Without a row a success of another request has just ended the wait."""
    row = Attempts.objects.filter(bucket=bucket.key).values_list("not_before", Now()).first()
    left = row[0] - row[1] if row and row[0] else timedelta(0)
    return max(1, ceil(left.total_seconds()))


def _clock(later: timedelta) -> str:
    """So much later than now by the database's clock, as SQL and as SQLite's Now() is written by Django.

    On PostgreSQL the clock itself and not the statement's begin: of two tries at once the one that had to wait for the
    row began earlier, and would take the other's wait for one of a clock that was set back since.
    """
    if connection.vendor == "sqlite":
        return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '+{later.seconds} seconds')"
    return f"CLOCK_TIMESTAMP() + INTERVAL '{later.seconds} seconds'"
