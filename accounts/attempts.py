"""Attempt budgets: how many tries one link, one address and one network have.

A try is counted before anything is verified, in a transaction of its own, so that no later exception can give it back.
The counters are rows: all web processes share them, and they survive a restart.
"""

import ipaddress
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

import structlog
from django.db import connection, models, transaction
from django.utils import timezone

from migration.secrets import Purpose, mac

log = structlog.get_logger(__name__)

# "30/15m": thirty tries in fifteen minutes, counted from the first. "20": twenty, until reset() or for ever.
BUDGETS = {
    # Wrong tries in a row with the link of one invitation. A stranger has no link, so he cannot use them up; a fresh
    # invitation brings a fresh budget.
    "link": "20",
    # Tries for one address without a link; unknown addresses have a bucket just the same.
    "address": "5/15m",
    # Of these the ones in a row that were looked at: then the address alone opens nothing until its link was used.
    "address_row": "100",
    # Tries for one address with a code from the phone, which has five of its own.
    "phone": "15/15m",
    # Failures from one network, a success never clears them.
    "network": "30/15m",
    "network_long": "200/h",
    # Tries with a link do not count for the network up to here: thirty people of one office may each be wrong thrice.
    "network_link": "120/h",
    # Failures for addresses we do not have: counted, so that they cost what a line on a timeline costs; no limit.
    "unlisted": "5/15m",
    # A fresh mail in place of one whose link had too many wrong tries, for one mailbox.
    "replace": "1/d",
    # All failures of an hour. Refuses nobody; below this many nobody is alarmed either.
    "all": "100/7d",
    # "Send me a new mail", for one address and from one network; for a mailbox that has its new password already.
    "again": "1/15m",
    "network_again": "30/h",
    "another": "1/d",
    # "Something is not right with this mailbox", for one mailbox.
    "case": "3/d",
    # Wrong codes in a row with the link of a contact's list; the next code mailed brings a fresh budget.
    "contact": "20",
    # "Is it your old password?" in one owner session.
    "old_password": "5",
}

# A counter without a window belongs to an invitation or a session; both are over long before.
KEPT_WITHOUT_END = timedelta(days=180)

# An hour with this many times the failures of the week's median hour is an attack, or a mail that went wrong.
UNUSUAL = 10
ALARM_STEP = 50
HOURS_OF_A_WEEK = 7 * 24

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Attempts(models.Model):
    """The counter of one bucket: how many tries since when."""

    bucket = models.CharField(max_length=80, unique=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(db_index=True)
    # By the database's clock, the only one that all web processes share.
    not_before = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "attempts"
        verbose_name_plural = "attempts"

    def __str__(self) -> str:
        return f"{self.bucket}: {self.count}"


@dataclass(frozen=True, order=True)
class Bucket:
    """What is counted: a key of BUDGETS, and whose tries they are."""

    budget: str
    subject: str

    @property
    def key(self) -> str:
        """The name of its row."""
        return f"{self.budget}:{self.subject}"

    @property
    def limit(self) -> int:
        """How many tries it allows."""
        return int(BUDGETS[self.budget].partition("/")[0])

    @property
    def window(self) -> timedelta | None:
        """After how long it starts again; None for never."""
        amount = re.fullmatch(r"\d+/(\d*)([mhd])", BUDGETS[self.budget])
        return timedelta(**{_UNITS[amount[2]]: int(amount[1] or 1)}) if amount else None


def address_bucket(address: str) -> Bucket:
    """The bucket of a typed address, whether we have such a mailbox or not. The table does not tell which it is."""
    return Bucket("address", mac(Purpose.ADDRESS_BUCKET, address.encode("utf-8", "surrogatepass"))[-32:].hex())


def network(ip: str) -> str:
    """The network an IP address counts for: the address itself (IPv4) or its /56 (IPv6, what one household has)."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(address), 56), strict=False).network_address)
    return str(address)


def spend(*buckets: Bucket) -> dict[Bucket, int]:
    """Count one try in each bucket and return the new counts; committed when it returns.

    Exact however many ask at once: each count is one statement. Rows are taken in one order, so that two requests
    never wait for each other in a circle. Raises RuntimeError inside a transaction, which could undo the count.
    """
    if not buckets:
        return {}
    with committed(statements=len(buckets)):
        return {bucket: _count(bucket) for bucket in sorted(buckets)}


def committed(*, statements: int) -> AbstractContextManager[None]:
    """What so many statements need to be committed together when the block ends; one alone is so by itself.

    Raises RuntimeError inside a transaction.
    """
    alone = statements == 1 and not connection.in_atomic_block
    return nullcontext() if alone else transaction.atomic(durable=True)


def give_back(*buckets: Bucket) -> None:
    """Take this one try out of the count: it turned out to be no failure. Earlier failures stay counted."""
    _change("UPDATE {} SET count = count - 1 WHERE count > 0 AND", buckets)


def reset(*buckets: Bucket) -> None:
    """Start again: the tries of these buckets were followed by a success."""
    _change("DELETE FROM {} WHERE", buckets)


def count_failure() -> None:
    """Count one failed sign-in, whoever's, and log an alarm when this hour has unusually many; it locks nobody out."""
    hour = Bucket("all", f"{timezone.now():%Y-%m-%dT%H}")
    count = spend(hour)[hour]
    if count % ALARM_STEP:
        return
    usual = _median_hour(hour)
    alarming = max(hour.limit, UNUSUAL * usual)
    if count - ALARM_STEP < alarming <= count:
        log.warning("sign_in_failures_unusual", failures=count, usual=usual)


def outdated() -> "models.QuerySet[Attempts]":
    """The counters that can refuse nobody any more; the retention run deletes them."""
    now = timezone.now()
    over = models.Q()
    for budget in BUDGETS:
        kept = Bucket(budget, "").window or KEPT_WITHOUT_END
        over |= models.Q(bucket__startswith=f"{budget}:", since__lt=now - kept)
    return Attempts.objects.filter(over)


def _change(statement: str, buckets: tuple[Bucket, ...]) -> None:
    """Run the beginning of a statement for the rows of these buckets; nothing without any."""
    if not buckets:
        return
    table = connection.ops.quote_name(Attempts._meta.db_table)
    among = ", ".join(["%s"] * len(buckets))
    with connection.cursor() as cursor:
        cursor.execute(f"{statement.format(table)} bucket IN ({among})", [bucket.key for bucket in buckets])


def _median_hour(but: Bucket) -> float:
    """The failures of the median hour of the last week; hours without any count too."""
    week = Attempts.objects.filter(bucket__startswith="all:", since__gt=timezone.now() - timedelta(days=7))
    counts = list(week.exclude(bucket=but.key).values_list("count", flat=True))
    return median(counts + [0] * (HOURS_OF_A_WEEK - len(counts)))


def _count(bucket: Bucket) -> int:
    # Django's ORM has no "insert, or else increase and tell me the result" in one statement.
    now = timezone.now()
    over = now - bucket.window if bucket.window else None
    adapt = connection.ops.adapt_datetimefield_value
    table = connection.ops.quote_name(Attempts._meta.db_table)
    sql = f"""
        INSERT INTO {table} AS kept (bucket, count, since) VALUES (%s, 1, %s)
        ON CONFLICT (bucket) DO UPDATE SET
            count = CASE WHEN kept.since <= %s THEN 1 ELSE kept.count + 1 END,
            since = CASE WHEN kept.since <= %s THEN excluded.since ELSE kept.since END
        RETURNING count
    """  # noqa: S608 - the only thing put in is the name of our own table
    # A window that never ends is one that would have had to begin before the year 2.
    before = adapt(over or now.replace(year=2, month=1, day=2))
    with connection.cursor() as cursor:
        cursor.execute(sql, [bucket.key, adapt(now), before, before])
        return int(cursor.fetchone()[0])
