"""How many mailboxes were done by which day: the first `active` of each, from the events.

A day that is over is counted once more and then kept, because events lose their mailbox after a year. The sweep counts
from the day it counted last; a rebuild goes through all events.
"""

from datetime import date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from migration.models import DayCount, Event

# Of an event without a mailbox nobody can tell whether it was the first; what a day said before is not lowered by it.
_FIRST = """
    SELECT count(*) FROM migration_event event
    WHERE event.action = 'active' AND event.at >= %s AND event.at < %s AND event.mailbox_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM migration_event earlier WHERE earlier.mailbox_id = event.mailbox_id
            AND earlier.action = 'active' AND earlier.id < event.id)
"""


def count(*, everything: bool = False) -> None:
    """Bring the table up to now."""
    today, now = timezone.localdate(), timezone.now()
    newest = DayCount.objects.aggregate(at=Max("counted_at"))["at"]
    if newest and not everything:
        day = timezone.localdate(newest)
    else:
        first = Event.objects.filter(action=Event.Action.ACTIVE).order_by("at").values_list("at", flat=True).first()
        day = timezone.localdate(first) if first else today
    while day <= today:
        _count(day, now)
        day += timedelta(days=1)


def reached() -> list[tuple[date, int]]:
    """Each day with how many mailboxes had been done by its end. One query."""
    sum_, found = 0, []
    for day, done in DayCount.objects.order_by("day").values_list("day", "done"):
        sum_ += done
        found.append((day, sum_))
    return found


def _count(day: date, now: datetime) -> None:
    begin, end = (timezone.make_aware(datetime.combine(one, time.min)) for one in (day, day + timedelta(days=1)))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FIRST, [begin, end])
        done = cursor.fetchone()[0]
        row, made = DayCount.objects.get_or_create(day=day, defaults={"done": done, "counted_at": now})
        if not made:
            DayCount.objects.filter(pk=row.pk).update(done=max(done, row.done), counted_at=now)
