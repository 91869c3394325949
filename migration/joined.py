"""Rows of several tables read by one plain statement: a first-login password with its mailbox, domain and customer.

The owner's door asks for these four rows with every page, a worker for three others with every push (`pushes`). Django
built the same wide SELECT anew each time, which was most of what the query cost. The objects are Django's all the same:
a column that was not asked for is loaded when it is looked at.
"""

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, cast

from django.db import connections, models, router

from .models import Customer, Domain, FirstLogin, Mailbox

_FROM = """
    FROM migration_firstlogin f
    JOIN migration_mailbox m ON m.id = f.mailbox_id
    JOIN migration_domain d ON d.id = m.domain_id
    JOIN migration_customer c ON c.id = d.customer_id
"""


class Joined:
    """The columns to read of each of the four tables, by their names; their keys are read in any case.

    Without a name the customer is left out, and loaded when looked at. Raises KeyError for a name that is no column.
    """

    def __init__(self, *, first_login: str = "", mailbox: str = "", domain: str = "", customer: str = "") -> None:
        self._parts = (
            Part(FirstLogin, f"id mailbox_id {first_login}"),
            Part(Mailbox, f"id domain_id {mailbox}"),
            Part(Domain, f"id customer_id {domain}"),
            *([Part(Customer, f"id {customer}")] if customer else []),
        )
        columns = [f"{table}.{name}" for table, part in zip("fmdc", self._parts, strict=False) for name in part.names]
        self._select = f"SELECT {', '.join(columns)} {_FROM}"

    def first(self, where: str, *values: str | int) -> FirstLogin | None:
        """The row that this condition is true of, or None. The tables are `f`, `m`, `d` and `c`, each value a `%s`."""
        database = router.db_for_read(FirstLogin)
        with connections[database].cursor() as cursor:
            cursor.execute(f"{self._select} WHERE {where}", values)
            row = cursor.fetchone()
        if row is None:
            return None
        rest = iter(row)
        first_login, mailbox, domain, *customer = (part.made(database, rest) for part in self._parts)
        mailbox.domain, first_login.mailbox = domain, mailbox
        if customer:
            domain.customer = customer[0]
        return cast(FirstLogin, first_login)


class Part:
    """One table's share of a joined row. The names are in the order of the model's fields, as `from_db` expects."""

    def __init__(self, model: type[models.Model], names: str) -> None:
        order = [field.attname for field in model._meta.concrete_fields]
        if unknown := set(names.split()).difference(order):
            raise KeyError(*unknown)
        fields = [field for field in model._meta.concrete_fields if field.attname in names.split()]
        self.model, self.names = model, [field.attname for field in fields]
        self.readers = [_READERS.get(field.get_internal_type()) for field in fields]

    def rows(self, which: str, *values: str | int) -> list[Any]:
        """The objects that the rest of a statement, from its WHERE on, chooses; each value is a `%s` in it."""
        database = router.db_for_read(self.model)
        table = self.model._meta.db_table
        with connections[database].cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(self.names)} FROM {table} WHERE {which}", values)  # noqa: S608 - our own
            return [self.made(database, iter(row)) for row in cursor.fetchall()]

    def made(self, database: str, rest: Iterator[object]) -> Any:
        """The object, made of as many of the values left as there are names."""
        values = [read(value) if read else value for read, value in zip(self.readers, rest, strict=False)]
        return self.model.from_db(database, self.names, values)


def _moment(value: Any) -> Any:
    """With its zone; Django's connection to SQLite gives a moment in UTC without one."""
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


_READERS: dict[str, Callable[[Any], object]] = {"DateTimeField": _moment, "BooleanField": bool}
