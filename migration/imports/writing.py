"""Rows of a file into the database, in the transaction of their batch: many at once, each with its event.

New mailboxes go in without a model object each, and changed ones by one prepared UPDATE: a quarter of the time of
bulk_create(). Names of tables and columns are the models' own; what a file says is never part of a statement's text.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Model

from migration.models import Domain, Event, Mailbox
from migration.secrets import Purpose, seal

from .compare import FIELDS
from .judging import STATED
from .outcome import PASSWORD
from .parsed import MailboxRow

# What a row of a file fills in; every other column of a new mailbox starts as the model says.
_FILLED = ("local_part", *FIELDS.values(), "kind_reason", "legacy_hash", "legacy_scheme")


def add(domain: Domain, rows: Sequence[MailboxRow], *, actor: str) -> None:
    """Make these mailboxes, none of which may exist, and write that they were imported."""
    if not rows:
        return
    columns, start = _start(Mailbox(domain=domain), _FILLED)
    names = [*columns, *_FILLED]
    time_of = connection.ops.adapt_datetimefield_value
    values = [
        (
            *start,
            row.address.local_part,
            *(getattr(row, column) for column in _PLAIN),
            time_of(row.last_login) if row.last_login else None,
            row.kind_reason,
            _sealed(row),
            row.legacy_scheme,
        )
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_insert(Mailbox, names), values)
    _tell(domain, [row.address.local_part for row in rows], actor)


def change(domain: Domain, changed: Sequence[tuple[Mailbox, MailboxRow, tuple[str, ...]]], *, actor: str) -> None:
    """Take over these columns of the rows and write which; never the state. All of the mailboxes are locked."""
    if not changed:
        return
    fields = [
        Mailbox._meta.get_field(name) for name in (*FIELDS.values(), "kind_reason", "legacy_hash", "legacy_scheme")
    ]
    columns, start = _start(Event(action=Event.Action.UPDATED, actor=actor, domain=domain), ("mailbox_id", "detail"))
    for mailbox, row, names in changed:
        _take_over(row, mailbox, names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {_quoted(Mailbox._meta.db_table)} SET {', '.join(f'{_quoted(each.name)} = %s' for each in fields)}"  # noqa: S608
            " WHERE id = %s",
            [(*(_stored(each, mailbox) for each in fields), mailbox.pk) for mailbox, _row, _names in changed],
        )
        cursor.executemany(
            _insert(Event, [*columns, "mailbox_id", "detail"]),
            [(*start, mailbox.pk, json.dumps({"columns": names})) for mailbox, _row, names in changed],
        )


# The columns that are stored as they are: all but the last of FIELDS, the time.
_PLAIN = tuple(FIELDS)[:-1]


def _take_over(row: MailboxRow, mailbox: Mailbox, columns: Sequence[str]) -> None:
    for column in columns:
        if column == PASSWORD:
            mailbox.legacy_hash, mailbox.legacy_scheme = _sealed(row), row.legacy_scheme
        else:
            setattr(mailbox, FIELDS[column], getattr(row, column))
        if column == "kind":
            mailbox.kind_reason = STATED


def _sealed(row: MailboxRow) -> bytes | None:
    return seal(Purpose.LEGACY_HASH, str(row.address), row.legacy_hash.encode()) if row.legacy_hash else None


def _tell(domain: Domain, local_parts: Sequence[str], actor: str) -> None:
    """An event for each of the new mailboxes, whose keys only the database knows."""
    columns, values = _start(Event(action=Event.Action.IMPORTED, actor=actor, domain=domain), ("mailbox_id",))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_quoted(Event._meta.db_table)} ({', '.join(map(_quoted, columns))}, mailbox_id)"  # noqa: S608
            f" SELECT {', '.join(['%s'] * len(values))}, id"
            f" FROM {_quoted(Mailbox._meta.db_table)}"
            f" WHERE domain_id = %s AND local_part IN ({', '.join(['%s'] * len(local_parts))})"
            " ORDER BY id",
            [*values, domain.pk, *local_parts],
        )


def _start(row: Model, filled: Sequence[str]) -> tuple[list[str], tuple[Any, ...]]:
    """The columns a new row starts with, but for its key and those filled in, and their values for the database."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key and field.column not in filled]
    values = tuple(field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields)
    return [str(field.column) for field in fields], values


def _stored(field: Any, row: Model) -> Any:
    return field.get_db_prep_save(getattr(row, field.attname), connection)


def _insert(model: type[Model], columns: Sequence[str]) -> str:
    """The statement for one row; what goes into its text are names of ours."""
    marks = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {_quoted(model._meta.db_table)} ({', '.join(map(_quoted, columns))}) VALUES ({marks})"  # noqa: S608


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
