"""Sessions in the database as Django keeps them, looked up with one plain statement.

Every page of a signed-in owner reads his session, so what the lookup costs is paid several times a visit.
"""

from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import connections, router
from django.utils import timezone
from django.utils.crypto import get_random_string

KEY_LENGTH = 32
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
        # 165 random bits: nobody has it already, and the insert would refuse it.
        return get_random_string(KEY_LENGTH, VALID_KEY_CHARS)
