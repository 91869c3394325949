"""A new row by one plain statement, for what every owner's visit writes: events, pushes, mails.

Django builds the same INSERT anew for each row, which is most of what it costs. What a field makes of its value is
still Django's; signals are not sent, and nobody here listens to any.
"""

from functools import cache

from django.db import connections, models, router
from django.db.models.expressions import DatabaseDefault


def insert(row: models.Model) -> None:
    """Write the object as a new row and give it its key. What the database fills in is loaded when it is looked at."""
    model, database = type(row), router.db_for_write(type(row))
    connection = connections[database]
    fields = [field for field in model._meta.concrete_fields if not (field.primary_key or field.generated)]
    given = [field for field in fields if not isinstance(getattr(row, field.attname), DatabaseDefault)]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in given]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, tuple(field.column for field in given)), values)
        row.pk = cursor.fetchone()[0]
    for field in fields:
        if field not in given:
            del row.__dict__[field.attname]
    row._state.adding, row._state.db = False, database


@cache
def _statement(model: type[models.Model], columns: tuple[str, ...]) -> str:
    into = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join(["%s"] * len(columns))
    return f'INSERT INTO "{model._meta.db_table}" ({into}) VALUES ({places}) RETURNING id'  # noqa: S608 - our own names
