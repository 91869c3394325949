"""First-login passwords: mint, show, check, expire, revoke.

16 symbols of an alphabet of 25 without vowels and look-alikes: 74 random bits. So many need no slow hash: what is kept
is an HMAC-SHA-256 under a key that is not in the database, and a check costs well under a millisecond for right, wrong
and unknown alike.
"""

import re
import secrets as random
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from .joined import Joined, Part
from .models import FirstLogin, Mailbox
from .secrets import Purpose, mac, mac_matches

ALPHABET = "bcdfghjkmnpqrstvwxyz34679"
LENGTH = 16
GROUP = 4
LOCATOR_BYTES = 8

_LOCATOR = re.compile(r"[A-Za-z0-9_-]{11}")
_IGNORED = re.compile(r"[\s\u00ad\u200b-\u200d\u2060\ufeff.\-\u2010-\u2015\u2212]+")
# What the link and what the session look at; the rest of the wide rows is loaded where it is needed.
_OF_A_LINK = Joined(first_login="revoked_at", mailbox="local_part state epoch", domain="name deadline")
_OF_A_SESSION = Joined(
    first_login="mac revoked_at",
    mailbox="local_part kind language legacy_hash state version epoch",
    domain="name cut_over_at ended_at",
    customer="language",
)
_TO_CHECK = Part(FirstLogin, "id mailbox_id locator mac created_at minted_at consumed_at revoked_at printing_id")


def new_locator() -> str:
    """64 random bits as 11 URL-safe characters. No secret: it names an invitation in a link."""
    return random.token_urlsafe(LOCATOR_BYTES)


def new_secret() -> str:
    """A first-login password in its canonical form: lower case, without dashes.

    Drawn again until it has two letters and a digit, so that as shown (first letter capital) it also satisfies the
    composition rule of the new password.
    """
    while True:
        secret = "".join(random.choice(ALPHABET) for _ in range(LENGTH))
        digits = sum(symbol.isdigit() for symbol in secret)
        if digits >= 1 and LENGTH - digits >= 2:
            return secret


def show(secret: str) -> str:
    """The secret as a mail prints it: four groups of four, the first letter a capital."""
    first = next(place for place, symbol in enumerate(secret) if symbol.isalpha())
    secret = secret[:first] + secret[first].upper() + secret[first + 1 :]
    return "-".join(secret[place : place + GROUP] for place in range(0, len(secret), GROUP))


def normalise(typed: str) -> str:
    """The canonical form of what somebody typed: case, blanks, dots and any kind of dash do not matter."""
    return _IGNORED.sub("", typed).lower()


def mint(first_login: FirstLogin) -> str:
    """Give the invitation a fresh secret, save its MAC, and return the secret; any earlier one of this row dies.

    Called by the mail worker just before SMTP. The caller keeps the result in one local variable.
    """
    secret = fill(first_login)
    first_login.save(update_fields=["mac", "minted_at"])
    return secret


def mint_all(first_logins: Sequence[FirstLogin]) -> list[str]:
    """`mint` for several rows by one statement. Returns the secrets in the order of the rows."""
    if not first_logins:
        return []
    secrets = [fill(row) for row in first_logins]
    rows = ", ".join(["(%s, %s, %s)"] * len(first_logins))
    sql = f"""
        UPDATE migration_firstlogin SET mac = given.column2, minted_at = given.column3
        FROM (VALUES {rows}) AS given WHERE migration_firstlogin.id = given.column1
    """  # noqa: S608 - places for values only
    adapted = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        values: list[Any] = [one for row in first_logins for one in (row.pk, row.mac, adapted(row.minted_at))]
        cursor.execute(sql, values)
    return secrets


def fill(first_login: FirstLogin) -> str:
    """Put a fresh secret's MAC into the object and return the secret; the caller saves the row, and keeps no copy."""
    secret = new_secret()
    first_login.mac = mac(Purpose.FIRST_LOGIN, _message(first_login.mailbox_id, secret))
    first_login.minted_at = timezone.now()
    return secret


def find(locator: str) -> FirstLogin | None:
    """The invitation a mailed link names, with its mailbox and domain; None if there is none."""
    if not _LOCATOR.fullmatch(locator):  # PostgreSQL would raise for a NUL
        return None
    return _OF_A_LINK.first("f.locator = %s", locator)


def behind_session(pk: int, *, mailbox: int, epoch: int) -> FirstLogin | None:
    """The first-login password an owner's session began with, with its mailbox and domain; None if that is over.

    Over it is once the mailbox's epoch was raised, the password revoked, or the mailbox excluded. One query.
    """
    found = _OF_A_SESSION.first("f.id = %s", pk)
    if found is None or (found.mailbox_id, found.mailbox.epoch) != (mailbox, epoch):
        return None
    return found if found.revoked_at is None and found.mailbox.state != Mailbox.State.EXCLUDED else None


def check(mailbox: Mailbox | None, typed: str) -> FirstLogin | None:
    """The valid first-login password that was typed, or None.

    The newest that was mailed and its predecessor count. Whoever asks, for whichever mailbox or none, the same work is
    done: one query and two comparisons.
    """
    message = _message(mailbox.pk if mailbox else 0, normalise(typed))
    candidates = _newest_two(mailbox)
    found = None
    for place in range(2):
        candidate = candidates[place] if place < len(candidates) else None
        stored = bytes(candidate.mac) if candidate and candidate.mac else _nobodys_mac()
        matches = mac_matches(Purpose.FIRST_LOGIN, message, stored)
        if matches and candidate and is_valid(candidate) and found is None:
            found = candidate
    return found


def is_secret_of(first_login: FirstLogin, typed: str) -> bool:
    """Whether this is the secret of the invitation, still valid or not: nobody may take it as the new password."""
    message = _message(first_login.mailbox_id, normalise(typed))
    return bool(first_login.mac) and mac_matches(Purpose.FIRST_LOGIN, message, bytes(first_login.mac or b""))


def is_valid(first_login: FirstLogin) -> bool:
    """Minted, not used up, not revoked, not too old, and its mailbox takes part in the move."""
    return (
        first_login.minted_at is not None
        and first_login.consumed_at is None
        and first_login.revoked_at is None
        and timezone.now() < expires_at(first_login)
        and first_login.mailbox.state != Mailbox.State.EXCLUDED
    )


def expires_at(first_login: FirstLogin) -> datetime:
    """The end of the domain's deadline plus grace; without a deadline, FIRST_LOGIN_DAYS after the mail.

    A domain whose deadline has passed and was not moved gives a later invitation its FIRST_LOGIN_DAYS all the same:
    support sent it on purpose.
    """
    born = first_login.minted_at or first_login.created_at
    by_age = born + timedelta(days=settings.FIRST_LOGIN_DAYS)
    deadline = first_login.mailbox.domain.deadline
    if deadline is None:
        return by_age
    last_day = deadline + timedelta(days=settings.DEADLINE_GRACE_DAYS)
    end = datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=timezone.get_default_timezone())
    return by_age if end <= born else end


def consume_all(mailbox: Mailbox) -> int:
    """Use up every first-login password of a mailbox; part of saving the new password. Returns how many were left."""
    sql = """
        UPDATE migration_firstlogin SET consumed_at = %s
        WHERE mailbox_id = %s AND consumed_at IS NULL AND revoked_at IS NULL
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.adapt_datetimefield_value(timezone.now()), mailbox.pk])
        return int(cursor.rowcount)


def revoke_all(mailbox: Mailbox) -> int:
    """Make every first-login password of a mailbox worthless. Returns how many were left."""
    unspent = FirstLogin.objects.filter(mailbox=mailbox, consumed_at=None, revoked_at=None)
    return unspent.update(revoked_at=timezone.now())


def _newest_two(mailbox: Mailbox | None) -> list[FirstLogin]:
    which = "mailbox_id = %s AND mac IS NOT NULL ORDER BY number DESC LIMIT 2"
    newest: list[FirstLogin] = _TO_CHECK.rows(which, mailbox.pk if mailbox else 0)
    if mailbox:
        for first_login in newest:
            first_login.mailbox = mailbox
    return newest


def _message(mailbox_id: int, secret: str) -> bytes:
    return f"{mailbox_id}\0{secret}".encode("utf-8", "surrogatepass")


def _nobodys_mac() -> bytes:
    return mac(Purpose.FIRST_LOGIN, b"nobody")
