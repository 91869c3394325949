"""Events to seal, and the hand of somebody with all rights on the database, past the triggers that keep them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from migration.append_only import guard, unguard
from migration.audit.verifying import verify
from migration.models import Event

from . import factories


class _Editor:
    """As much of a schema editor as the guards need; Django's own would end the test's transaction."""

    connection = connection

    def execute(self, sql: str, params: Any = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)


@contextmanager
def unguarded() -> Iterator[None]:
    """Events and seals can be changed and deleted meanwhile."""
    if connection.vendor == "postgresql":
        # ALTER TABLE … DISABLE TRIGGER would wait for foreign keys that are checked when the transaction ends.
        _Editor().execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            _Editor().execute("SET session_replication_role = DEFAULT")
        return
    unguard(None, _Editor())
    try:
        yield
    finally:
        guard(None, _Editor())


def events(number: int = 6) -> list[Event]:
    """A mailbox's events, written as the application does it."""
    mailbox = factories.make_mailbox()
    return [
        Event.record(Event.Action.SIGNED_IN, actor="staff:eva@x.example", mailbox=mailbox, ip="192.0.2.7", number=place)
        for place in range(number)
    ]


def tampered(sql: str, *values: Any) -> None:
    """What somebody with all rights on the database does."""
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount > 0


def found() -> str:
    """What a check finds; empty when all is well."""
    return str(verify().broken or "")
