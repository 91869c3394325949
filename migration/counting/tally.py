"""Read the numbers that the triggers keep, fold what they added, and compare all with a plain count."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Count

from migration.models import Domain, Mailbox, Push

from .triggers import STATES, TABLE, recount, standing, undelivered

log = structlog.get_logger(__name__)

NUMBERS = (*STATES, "blocked", "undelivered")
AT_ONCE = 20_000
"""Rows one fold takes; the next sweep takes the rest."""


def tally() -> str:
    """SQL for the numbers of every domain: `domain_id` and the columns of NUMBERS.

    Only of domains with rows that were not folded anything is added up, and their mails are counted, for states or
    mails of them changed since. All others are read as they stand.
    """
    names = (*STATES, "blocked")
    if connection.vendor != "postgresql":
        lost = f"CASE WHEN undelivered IS NULL THEN ({undelivered(f'{TABLE}.domain_id')}) ELSE undelivered END"
        return f"SELECT domain_id, {', '.join(names)}, {lost} AS undelivered FROM {TABLE}"  # noqa: S608 - our own names
    return f"""
        SELECT domain_id, {", ".join(names)}, undelivered FROM {TABLE}
        WHERE is_base AND domain_id NOT IN (SELECT domain_id FROM {TABLE} WHERE NOT is_base)
        UNION ALL SELECT domain_id, {", ".join(f"sum({name})" for name in names)}, ({undelivered("part.domain_id")})
        FROM {TABLE} part WHERE domain_id IN (SELECT domain_id FROM {TABLE} WHERE NOT is_base) GROUP BY domain_id
    """  # noqa: S608 - our own names


# A lock of PostgreSQL's by number: one fold at a time, or an older look at the mails could win over a newer one.
_FOLDING = 7_032_001


@dataclass(frozen=True)
class Numbers:
    """The numbers of one domain: mailboxes by state, and how many need attention for which reason."""

    counts: dict[Mailbox.State, int]
    blocked: int = 0
    undelivered: int = 0


def nothing() -> Numbers:
    """The numbers of a domain without mailboxes."""
    return Numbers(dict.fromkeys(Mailbox.State, 0))


def of(domains: Iterable[int]) -> dict[int, Numbers]:
    """The numbers of each of the domains, by its number. One query."""
    wanted = sorted(set(domains))
    found = {pk: nothing() for pk in wanted}
    if not wanted:
        return found
    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(wanted))
        cursor.execute(f"SELECT * FROM ({tally()}) tally WHERE domain_id IN ({places})", wanted)  # noqa: S608
        for pk, *numbers in cursor.fetchall():
            found[pk] = numbers_of(numbers)
    return found


def numbers_of(columns: Iterable[Any]) -> Numbers:
    """Make `Numbers` of the columns of a row, in the order of `NUMBERS`."""
    *states, blocked, lost = (int(value or 0) for value in columns)
    return Numbers(dict(zip(Mailbox.State, states, strict=True)), blocked, lost)


def fold() -> int:
    """Put what the triggers added into each domain's one row. Returns how many rows went.

    Nobody waits for it, and the numbers are the same before and after. On SQLite there is one row a domain anyway; only
    the mails of domains that were touched are counted.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            mails = undelivered(f"{TABLE}.domain_id")
            cursor.execute(f"UPDATE {TABLE} SET undelivered = ({mails}) WHERE undelivered IS NULL")  # noqa: S608
            return int(cursor.rowcount)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_FOLDING])
        if not cursor.fetchone()[0]:
            return 0
        # Just after a large import the planner knows nothing of its rows; every look here is for a few of them.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(_FOLD)
        return int(cursor.fetchone()[0])


def differences() -> list[str]:
    """What a plain count of the rows says otherwise than the numbers, a line each; empty when all is well."""
    if not standing():
        return ["the triggers are not there: run manage.py migrate"]
    names = dict(Domain.objects.values_list("pk", "name"))
    found, counted = of(names), _counted(names)
    return [
        f"{names[pk]}: kept {_line(found[pk])}, counted {_line(counted[pk])}"
        for pk in names
        if _line(found[pk]) != _line(counted[pk])
    ]


def rebuild() -> None:
    """Count everything anew. Whoever changes a mailbox meanwhile waits."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in ("migration_mailbox", "migration_push", "migration_mailing", TABLE):
                cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        recount(cursor)
    log.info("counts_rebuilt")


def _counted(names: Iterable[int]) -> dict[int, Numbers]:
    found = {pk: nothing() for pk in names}
    for pk, state, number in Mailbox.objects.order_by().values_list("domain_id", "state").annotate(n=Count("pk")):
        found[pk].counts[Mailbox.State(state)] = number
    held = Push.objects.filter(state=Push.State.BLOCKED).order_by().values_list("mailbox__domain")
    blocked = dict(held.annotate(n=Count("pk")))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, ({undelivered('domain.id')}) FROM migration_domain domain")  # noqa: S608
        lost: dict[int, int] = dict(cursor.fetchall())
    return {pk: Numbers(one.counts, blocked.get(pk, 0), lost.get(pk, 0)) for pk, one in found.items()}


def _line(numbers: Numbers) -> str:
    states = [(str(state), number) for state, number in numbers.counts.items()]
    shown = [*states, ("blocked", numbers.blocked), ("undelivered", numbers.undelivered)]
    return " ".join(f"{name}={number}" for name, number in shown if number)


_SUMS = ", ".join(f"sum(gone.{name})" for name in (*STATES, "blocked"))
_RAISED = ", ".join(f"{name} = {TABLE}.{name} + EXCLUDED.{name}" for name in (*STATES, "blocked"))
_FOLD = f"""
    WITH gone AS (
        DELETE FROM {TABLE} WHERE id IN (SELECT id FROM {TABLE} WHERE NOT is_base ORDER BY id LIMIT {AT_ONCE}
            FOR UPDATE SKIP LOCKED)
        RETURNING *
    ), folded AS (
        INSERT INTO {TABLE} (domain_id, is_base, {", ".join((*STATES, "blocked"))}, undelivered)
        SELECT gone.domain_id, TRUE, {_SUMS}, ({undelivered("gone.domain_id")})
        FROM gone JOIN migration_domain domain ON domain.id = gone.domain_id
        GROUP BY gone.domain_id ORDER BY gone.domain_id
        ON CONFLICT (domain_id) WHERE is_base DO UPDATE SET {_RAISED}, undelivered = EXCLUDED.undelivered
    )
    SELECT count(*) FROM gone
"""  # noqa: S608 - our own names
