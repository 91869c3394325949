"""The verbs on a token: make, revoke; and the look at one that a program sends.

A token is `umzug_`, eight characters by which its row is found, and 32 that nobody keeps. The row has an HMAC of the
whole under a derived key. A request is looked at by two statements: one finds the row, one notes and counts the use.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from migration import retention
from migration.models import ApiToken, Customer, Event
from migration.secrets import Purpose, mac, mac_matches

PREFIX = "umzug_"
SECRET_BYTES = 24  # 32 characters, 192 bits
_TOKEN = re.compile(PREFIX + r"([\w-]{8})[\w-]{32}", re.ASCII)

REQUESTS = 120
WINDOW = timedelta(minutes=1)


def make(
    *, name: str, scopes: Sequence[str], customer: Customer | None, expires_at: datetime, actor: str
) -> tuple[ApiToken, str]:
    """Make a token. Returns its row and the token itself, which is to be shown once and nowhere kept."""
    lookup = secrets.token_urlsafe(6)
    text = PREFIX + lookup + secrets.token_urlsafe(SECRET_BYTES)
    with transaction.atomic():
        row = ApiToken.objects.create(
            name=name,
            lookup=lookup,
            mac=mac(Purpose.API_TOKEN, text.encode()),
            scopes=[str(scope) for scope in ApiToken.Scope if scope in scopes],
            customer=customer,
            made_by=actor,
            expires_at=expires_at,
        )
        told: dict[str, Any] = {"customer": customer.name} if customer else {}
        Event.record(Event.Action.TOKEN_MADE, actor=actor, number=row.pk, name=name, scopes=row.scopes, **told)
    return row, text


def revoke(row: ApiToken, *, actor: str) -> bool:
    """Let it open nothing from now on. Returns False if it was revoked already."""
    with transaction.atomic():
        changes = {"revoked_at": timezone.now(), "revoked_by": actor}
        revoked = ApiToken.objects.filter(pk=row.pk, revoked_at=None).update(**changes) == 1
        if revoked:
            Event.record(Event.Action.TOKEN_REVOKED, actor=actor, number=row.pk, name=row.name)
    return revoked


def find(text: str) -> ApiToken | None:
    """The row of this token if it is one and opens something now. Whatever is asked, one comparison is made."""
    form = _TOKEN.fullmatch(text)
    row = ApiToken.objects.select_related("customer").filter(lookup=form[1]).first() if form else None
    stored = bytes(row.mac) if row else mac(Purpose.API_TOKEN, b"nobody's")
    fits = mac_matches(Purpose.API_TOKEN, text.encode("utf-8", "surrogatepass"), stored)
    return row if fits and row and row.is_valid else None


def count(row: ApiToken) -> int:
    """Note that the token is used today, and count this request. Returns the seconds to wait; 0 if it may go on.

    One statement, so that it is exact however many ask at once: at most REQUESTS in each WINDOW, from the first on.
    """
    now = timezone.now()
    adapt = connection.ops.adapt_datetimefield_value
    over = adapt(now - WINDOW)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE migration_apitoken SET
                last_used_on = %s,
                counted = CASE WHEN counted_since IS NULL OR counted_since <= %s THEN 1 ELSE counted + 1 END,
                counted_since = CASE WHEN counted_since IS NULL OR counted_since <= %s THEN %s ELSE counted_since END
            WHERE id = %s RETURNING counted
            """,
            [connection.ops.adapt_datefield_value(timezone.localdate(now)), over, over, adapt(now), row.pk],
        )
        counted = int(cursor.fetchone()[0])
    if counted <= REQUESTS:
        return 0
    since = ApiToken.objects.values_list("counted_since", flat=True).get(pk=row.pk) or now
    return max(1, int((since + WINDOW - now) / timedelta(seconds=1)) + 1)


def _ended(before: datetime) -> list[Any]:
    return retention.pks(ApiToken.objects.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before)))


def _delete(chosen: Sequence[Any]) -> None:
    ApiToken.objects.filter(pk__in=chosen).delete()


RULES = (
    retention.Rule(
        "api_token",
        gettext_noop("a token for the API is deleted after it was revoked or had ended"),
        timedelta(days=90),
        _ended,
        _delete,
    ),
)
