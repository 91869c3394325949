"""Sessions in the database as Django keeps them, read and written with one plain statement each.

Every page of a signed-in owner reads his session, so what the lookup costs is paid several times a visit.
"""

import secrets
from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connections, router
from django.utils import timezone

KEY_BYTES = 20
_KNOWN = frozenset(VALID_KEY_CHARS)


class SessionStore(DatabaseStore):
    """Django's session store; the rows are its own (SESSION_ENGINE)."""

    def load(self) -> dict[str, Any]:
        """The session's data; empty, and the key forgotten, if there is none or it has expired."""
        data = self._stored()
        if data is None:
            self._session_key = None
            return {}
        return self.decode(data)

    def save(self, must_create: bool = False) -> None:
        """Write the session. Raises CreateError if the key is taken, UpdateError if the row to change is gone."""
        if self.session_key is None:
            self.create()
            return
        database = router.db_for_write(self.model)
        connection = connections[database]
        data = self.encode(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        values = [data, connection.ops.adapt_datetimefield_value(self.get_expiry_date()), self.session_key]
        table = connection.ops.quote_name(self.model._meta.db_table)
        if not must_create:
            sql = f"UPDATE {table} SET session_data = %s, expire_date = %s WHERE session_key = %s"  # noqa: S608 - own table
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                if cursor.rowcount == 0:
                    raise UpdateError
            return
        # A key that is taken is no error of the database's, which would end the transaction around it.
        sql = f"""
            INSERT INTO {table} (session_data, expire_date, session_key) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
        """  # noqa: S608 - own table
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            if cursor.rowcount == 0:
                raise CreateError

    def _stored(self) -> str | None:
        key = self.session_key
        if not key or not _KNOWN.issuperset(key):  # never one of ours; PostgreSQL would raise for a NUL
            return None
        connection = connections[router.db_for_read(self.model)]
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        table = connection.ops.quote_name(self.model._meta.db_table)
        sql = f"SELECT session_data FROM {table} WHERE session_key = %s AND expire_date > %s"  # noqa: S608 - own table
        with connection.cursor() as cursor:
            cursor.execute(sql, [key, now])
            row = cursor.fetchone()
        return row[0] if row else None

    def _get_new_session_key(self) -> str:
        # 160 random bits: nobody has it already, and the insert would refuse it. Forty characters fill the column.
        return secrets.token_hex(KEY_BYTES)
