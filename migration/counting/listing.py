"""All domains, narrowed, sorted and paged by the database: the list of the desk and its sums."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from migration.models import Mailbox
from migration.models.customers import folded

from .tally import NUMBERS, Numbers, kept, numbers_of

PER_PAGE = 50
COMING = 4
"""How many of the domains are told for which something is planned next."""
SORTS = ("name", "customer", "completion", "open", "next", "deadline")
"""What the list can be sorted by; with a minus before it the other way round."""

_DATES = ("announce_on", "invite_on", "deadline", "cut_over_on", "ends_on")
_NEVER = "'9999-12-31'"
_DONE = " + ".join(Mailbox.DONE)
_TAKING_PART = " + ".join(state for state in Mailbox.State.values if state != Mailbox.State.EXCLUDED)
_OPEN = " + ".join(state for state in Mailbox.State.values if state not in (*Mailbox.DONE, Mailbox.State.EXCLUDED))
_ORDERS = {
    "name": "folded",
    "customer": "customer_folded",
    "completion": f"({_DONE}) * 100.0 / CASE WHEN {_TAKING_PART} = 0 THEN 1 ELSE {_TAKING_PART} END",
    "open": _OPEN,
    "next": f"COALESCE(next_on, {_NEVER})",
    "deadline": f"COALESCE(deadline, {_NEVER})",
}
_OVERDUE = f"deadline < {{today}} AND {_OPEN} > 0 AND ended_at IS NULL"


@dataclass(frozen=True)
class Wanted:
    """Which domains, and in which order. `state` is one of a mailbox: domains that have some in it."""

    text: str = ""
    customer: int | None = None
    state: str = ""
    overdue: bool = False
    attention: bool = False
    paused: bool = False
    sort: str = "name"

    @property
    def narrows(self) -> bool:
        """Whether it leaves any domain out."""
        return replace(self, sort="name") != Wanted()


@dataclass(frozen=True)
class Line:
    """One domain of the list. With `clockwork` the clock looks after its plan."""

    pk: int
    name: str
    customer_pk: int
    customer: str
    numbers: Numbers
    deadline: date | None
    paused: bool
    clockwork: bool
    overdue: bool
    next_on: date | None
    next_step: str


@dataclass(frozen=True)
class Sums:
    """The numbers of all domains that match, not only of those on the page."""

    domains: int
    overdue: int
    paused: int
    numbers: Numbers


@dataclass(frozen=True)
class Found:
    """What matches: a page of it, all of it added up, and for which of it something is planned next."""

    lines: list[Line]
    sums: Sums
    coming: list[Line]


def find(wanted: Wanted, page: int = 1) -> Found:
    """One query, which goes through all domains once, however many match."""
    sql, values = _from(wanted)
    overdue = f"CASE WHEN {_OVERDUE.format(today=_today())} THEN 1 ELSE 0 END"
    order = _ORDERS[wanted.sort.removeprefix("-")] + (" DESC" if wanted.sort.startswith("-") else "")
    paused = "CASE WHEN paused_at IS NULL THEN 0 ELSE 1 END"
    dates, numbers = ", ".join((*_DATES, "next_on")), ", ".join(NUMBERS)
    clockwork = "CASE WHEN planned_at IS NULL OR ended_at IS NOT NULL OR paused_at IS NOT NULL THEN 0 ELSE 1 END"
    line = f"id, name, customer_id, customer, {paused}, {clockwork}, {overdue}, {dates}, {numbers}"
    nothing = ", ".join(["NULL"] * (len(_DATES) + 1))
    ranked = (
        "SELECT {part}, row_number() OVER (ORDER BY {by}, folded, id), {line} FROM "
        "(SELECT * FROM chosen WHERE {where} ORDER BY {by}, folded, id LIMIT %s OFFSET %s) few"
    )
    sql = f"""
        {sql}, chosen AS {"MATERIALIZED" if connection.vendor == "postgresql" else ""} (
            SELECT * FROM listed WHERE {_of_numbers(wanted)}
        )
        SELECT 0, 0, count(*), NULL, NULL, NULL, sum({paused}), NULL, sum({overdue}), {nothing},
            {", ".join(f"sum({name})" for name in NUMBERS)} FROM chosen
        UNION ALL {ranked.format(part=1, by=order, line=line, where="TRUE")}
        UNION ALL {ranked.format(part=2, by="next_on", line=line, where="next_on IS NOT NULL")}
        ORDER BY 1, 2
    """  # noqa: S608 - our own names and expressions
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, PER_PAGE, (page - 1) * PER_PAGE, COMING, 0])
        summed, *rows = cursor.fetchall()
    found: dict[int, list[Line]] = {1: [], 2: []}
    for part, _place, *row in rows:
        found[part].append(_line(row))
    _part, _place, domains, _name, _customer_pk, _customer, held, _clock, late, *rest = summed
    return Found(found[1], Sums(domains, late or 0, held or 0, numbers_of(rest[len(_DATES) + 1 :])), found[2])


def _from(wanted: Wanted) -> tuple[str, list[Any]]:
    """The domains that match by what their own row says, with their numbers, and the values for its places."""
    conditions, values = ["TRUE"], list[Any]()
    if text := folded(wanted.text.strip()):
        part = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append(
            "(domain.folded LIKE %s ESCAPE '\\' OR customer.folded LIKE %s ESCAPE '\\' "
            "OR domain.name LIKE %s ESCAPE '\\')"
        )
        values += [part] * 3
    if wanted.customer:
        conditions.append("domain.customer_id = %s")
        values.append(wanted.customer)
    if wanted.paused:
        conditions.append("domain.paused_at IS NOT NULL")
    columns, joins = kept("domain.id")
    sql = f"""
        WITH listed AS (
            SELECT domain.id, domain.name, domain.folded, domain.customer_id, customer.name AS customer,
                customer.folded AS customer_folded, domain.paused_at, domain.planned_at, domain.ended_at,
                {", ".join(f"domain.{column}" for column in _DATES)}, {_next_on()} AS next_on, {columns}
            FROM migration_domain domain JOIN migration_customer customer ON customer.id = domain.customer_id {joins}
            WHERE {" AND ".join(conditions)}
        )
    """  # noqa: S608 - our own names and expressions
    return sql, values


def _of_numbers(wanted: Wanted) -> str:
    conditions = ["TRUE"]
    if wanted.state in Mailbox.State.values:
        conditions.append(f"{wanted.state} > 0")
    if wanted.overdue:
        conditions.append(_OVERDUE.format(today=_today()))
    if wanted.attention:
        conditions.append("blocked + undelivered > 0")
    return " AND ".join(conditions)


def _today() -> str:
    return f"'{timezone.localdate()}'"


def _next_on() -> str:
    """The first date of the plan from today on; reminders are so many days before the deadline."""
    postgres, today = connection.vendor == "postgresql", _today()
    before = "domain.deadline - {days}::int" if postgres else "date(domain.deadline, '-' || {days} || ' days')"
    columns = [f"domain.{name}" for name in _DATES]
    dates = [f"CASE WHEN {column} >= {today} THEN {column} END" for column in columns]
    for days in settings.REMIND_DAYS:
        day = before.format(days=f"'{days}'")
        dates.append(f"CASE WHEN domain.remind_days IS NULL AND {day} >= {today} THEN {day} END")
    own = before.format(days="own.value")
    each = "jsonb_array_elements_text(domain.remind_days) own" if postgres else "json_each(domain.remind_days) own"
    first_own = f"SELECT min({own}) FROM {each} WHERE {own} >= {today}"  # noqa: S608 - our own names
    dates.append(f"CASE WHEN domain.remind_days IS NOT NULL THEN ({first_own}) END")
    if postgres:
        first = f"LEAST({', '.join(dates)})"
    else:
        first = f"NULLIF(min({', '.join(f'COALESCE({one}, {_NEVER})' for one in dates)}), {_NEVER})"
    return f"CASE WHEN domain.ended_at IS NULL THEN {first} END"


def _line(row: Sequence[Any]) -> Line:
    pk, name, customer_pk, customer, paused, clockwork, overdue, *rest = row
    *days, next_on = [date.fromisoformat(day) if isinstance(day, str) else day for day in rest[: len(_DATES) + 1]]
    numbers = numbers_of(rest[len(_DATES) + 1 :])
    step = next((column for column, day in zip(_DATES, days, strict=True) if day == next_on), "remind")
    deadline = days[_DATES.index("deadline")]
    shown = step if next_on else ""
    return Line(
        pk, name, customer_pk, customer, numbers, deadline, bool(paused), bool(clockwork), bool(overdue), next_on, shown
    )
