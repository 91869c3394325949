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

from .tally import NUMBERS, Numbers, numbers_of, tally

PER_PAGE = 25
COMING = 4
"""How many of the domains are told for which something is planned next."""
SORTS = ("name", "customer", "completion", "open", "next", "deadline")
"""What the list can be sorted by; with a minus before it the other way round."""

_DATES = ("announce_on", "invite_on", "deadline", "cut_over_on", "ends_on")
_NEVER = "'9999-12-31'"
_DONE = " + ".join(Mailbox.DONE)
_TAKING_PART = " + ".join(state for state in Mailbox.State.values if state != Mailbox.State.EXCLUDED)
_OPEN = " + ".join(state for state in Mailbox.State.values if state not in (*Mailbox.DONE, Mailbox.State.EXCLUDED))
# What a date was for can be done although its day is ahead: then it is no step any more.
_STEP = (
    "EXISTS (SELECT 1 FROM migration_planstep s WHERE s.domain_id = domain.id AND s.kind = '{kind}' AND s.day = {day})"
)
_WAS_DONE = {
    "announce_on": "EXISTS (SELECT 1 FROM migration_mailing m WHERE m.domain_id = domain.id"
    " AND m.kind = 'announcement' AND m.state = 'sent')",
    "invite_on": f"((imported = 0 AND {_TAKING_PART} > 0) OR {_STEP.format(kind='invite', day='domain.invite_on')})",
    "cut_over_on": "domain.cut_over_at IS NOT NULL",
}
_ORDERS = {
    "name": "domain.folded",
    "customer": "customer.folded",
    "completion": f"({_DONE}) * 100.0 / CASE WHEN {_TAKING_PART} = 0 THEN 1 ELSE {_TAKING_PART} END",
    "open": _OPEN,
    "next": "NULL",  # the date is worked out once for each domain: `_by`
    "deadline": f"COALESCE(domain.deadline, {_NEVER})",
}
_OVERDUE = f"domain.deadline < {{today}} AND {_OPEN} > 0 AND domain.ended_at IS NULL"
_CLOCKWORK = "domain.planned_at IS NOT NULL AND domain.ended_at IS NULL AND domain.paused_at IS NULL"
_LIKE = "(domain.folded LIKE %s ESCAPE '\\' OR customer.folded LIKE %s ESCAPE '\\' OR domain.name LIKE %s ESCAPE '\\')"


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
    chosen, values = _chosen(wanted)
    shown = {
        "clockwork": f"CASE WHEN {_CLOCKWORK} THEN 1 ELSE 0 END",
        "dates": ", ".join(map(_still, _DATES)),
        "numbers": ", ".join(f"few.{name}" for name in NUMBERS),
    }
    sql = f"""
        {chosen}
        SELECT 0, 0, count(*), NULL, NULL, NULL, sum(paused), NULL, sum(overdue), {", ".join(["NULL"] * len(_DATES))},
            NULL, {", ".join(f"sum({name})" for name in NUMBERS)} FROM chosen
        UNION ALL {_FEW.format(part=1, by=_by(wanted.sort), where="TRUE", **shown)}
        UNION ALL {_FEW.format(part=2, by="next_on", where="next_on IS NOT NULL", **shown)}
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


# All domains go through `chosen`, which therefore is narrow; what else is shown of a few is joined to those.
_FEW = """
    SELECT {part}, row_number() OVER (ORDER BY {by}, few.folded, few.id), few.id, domain.name, domain.customer_id,
        customer.name, few.paused, {clockwork}, few.overdue, {dates}, few.next_on, {numbers}
    FROM (SELECT * FROM chosen WHERE {where} ORDER BY {by}, folded, id LIMIT %s OFFSET %s) few
        JOIN migration_domain domain ON domain.id = few.id
        JOIN migration_customer customer ON customer.id = domain.customer_id
"""


def _by(sort: str) -> str:
    """What the page is sorted by; a domain of which nothing is planned is as one of which it is for the end of time."""
    turned = "DESC" if sort.startswith("-") else "ASC"
    return f"next_on IS NULL {turned}, next_on {turned}" if sort.endswith("next") else f"sorted_by {turned}"


def _chosen(wanted: Wanted) -> tuple[str, list[Any]]:
    """The domains that match, with their numbers, and the values for its places."""
    conditions, values = ["TRUE"], list[Any]()
    if text := folded(wanted.text.strip()):
        part = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append(_LIKE)
        values += [part] * 3
    if wanted.customer:
        conditions.append("domain.customer_id = %s")
        values.append(wanted.customer)
    if wanted.paused:
        conditions.append("domain.paused_at IS NOT NULL")
    overdue = _OVERDUE.format(today=_today())
    if wanted.state in Mailbox.State.values:
        conditions.append(f"{wanted.state} > 0")
    if wanted.overdue:
        conditions.append(overdue)
    if wanted.attention:
        conditions.append("blocked + undelivered > 0")
    order = _ORDERS[wanted.sort.removeprefix("-")]
    needs_customer = "customer." in order or text
    sql = f"""
        WITH tally AS ({tally()}), chosen AS {"MATERIALIZED" if connection.vendor == "postgresql" else ""} (
            SELECT domain.id, domain.folded, {order} AS sorted_by,
                CASE WHEN domain.paused_at IS NULL THEN 0 ELSE 1 END AS paused,
                CASE WHEN {overdue} THEN 1 ELSE 0 END AS overdue, {_next_on()} AS next_on, {", ".join(NUMBERS)}
            FROM migration_domain domain JOIN tally ON tally.domain_id = domain.id
                {"JOIN migration_customer customer ON customer.id = domain.customer_id" if needs_customer else ""}
            WHERE {" AND ".join(conditions)}
        )
    """  # noqa: S608 - our own names and expressions
    return sql, values


def _today() -> str:
    return f"'{timezone.localdate()}'"


def _next_on() -> str:
    """The first date of the plan from today on; reminders are so many days before the deadline."""
    postgres, today = connection.vendor == "postgresql", _today()
    before = "domain.deadline - {days}::int" if postgres else "date(domain.deadline, '-' || {days} || ' days')"
    dates = [f"CASE WHEN domain.{name} >= {today} THEN {_still(name)} END" for name in _DATES]
    for days in settings.REMIND_DAYS:
        day = before.format(days=f"'{days}'")
        dates.append(f"CASE WHEN domain.remind_days IS NULL AND {_is_ahead(day)} THEN {day} END")
    own = before.format(days="own.value")
    each = "jsonb_array_elements_text(domain.remind_days) own" if postgres else "json_each(domain.remind_days) own"
    first_own = f"SELECT min({own}) FROM {each} WHERE {_is_ahead(own)}"  # noqa: S608 - our own names
    dates.append(f"CASE WHEN domain.remind_days IS NOT NULL THEN ({first_own}) END")
    if postgres:
        first = f"LEAST({', '.join(dates)})"
    else:
        first = f"NULLIF(min({', '.join(f'COALESCE({one}, {_NEVER})' for one in dates)}), {_NEVER})"
    return f"CASE WHEN domain.ended_at IS NULL THEN {first} END"


def _still(name: str) -> str:
    """The date of the plan, or NULL when what it is for was done."""
    done = _WAS_DONE.get(name)
    return f"CASE WHEN {done} THEN NULL ELSE domain.{name} END" if done else f"domain.{name}"


def _is_ahead(day: str) -> str:
    """Whether a reminder's day is to come, or is today and nobody was reminded yet."""
    return f"({day} > {_today()} OR ({day} = {_today()} AND NOT {_STEP.format(kind='remind', day=day)}))"


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
