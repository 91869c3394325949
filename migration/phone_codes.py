"""Phone codes: eight digits that support reads to an owner who cannot get at our mail.

A code opens the door of one mailbox, once, for a quarter of an hour and five wrong tries. Support has to say how the
caller was checked. As with first-login passwords only an HMAC is kept, under a key that is not in the database.
"""

import re
import secrets as random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop
from django.views.decorators.debug import sensitive_variables

from . import campaign
from .keys import Value, key_named_by
from .models import Event, Mailbox, PhoneCode
from .refusals import VerbRefused
from .retention import Rule, pks
from .secrets import Purpose, mac, mac_matches
from .states import handed_over

DIGITS = 8
VALID_FOR = timedelta(minutes=15)
TRIES = 5
MAX_TYPED = 100

_IGNORED = re.compile(r"[\s\u00ad\u200b-\u200d\u2060\ufeff.\-\u2010-\u2015\u2212]+")


def show(code: str) -> str:
    """The code as it is read aloud: two groups of four."""
    return f"{code[:4]} {code[4:]}"


def normalise(typed: str) -> str:
    """The digits of what somebody typed: blanks, dots, dashes and the width of the digits do not matter."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", typed))


def refuse(mailbox: Mailbox) -> None:
    """Raise VerbRefused if the mailbox may have no code now.

    It may before it was invited, once its customer's contact was told, and after a password was saved here.
    """
    if mailbox.domain.paused_at or campaign.paused():
        raise VerbRefused("paused" if mailbox.domain.paused_at else "all_paused")
    if mailbox.state == Mailbox.State.EXCLUDED:
        raise VerbRefused("wrong_state")
    if handed_over(mailbox):
        raise VerbRefused("handed_over")
    if mailbox.state == Mailbox.State.IMPORTED and mailbox.domain.announced_at is None:
        raise VerbRefused("not_begun")


@sensitive_variables("code")
def give(mailbox: Mailbox, *, actor: str, checked: str, note: str, seen: int | None) -> str:
    """Make a code and return its digits; an earlier one of this mailbox dies.

    `checked` is a value of PhoneCode.Checked. `seen` is the newest code there was when the question was asked, so that
    a question sent twice gives one code. The caller shows the result once and keeps it nowhere. Raises VerbRefused.
    """
    code = f"{random.randbelow(10**DIGITS):0{DIGITS}}"
    with transaction.atomic():
        row = Mailbox.objects.select_for_update(of=("self",)).select_related("domain").get(pk=mailbox.pk)
        refuse(row)
        if newest(row) != seen:
            raise VerbRefused("code_shown")
        revoke_all(row)
        PhoneCode.objects.create(mailbox=row, mac=mac(Purpose.PHONE_CODE, _message(row.pk, code)), checked=checked)
        detail: dict[str, Any] = {"checked": checked} | ({"reason": note.strip()} if note.strip() else {})
        Event.record(Event.Action.CODE_GIVEN, actor=actor, mailbox=row, **detail)
    return code


def newest(mailbox: Mailbox) -> int | None:
    """The number of the mailbox's newest code, or None."""
    return PhoneCode.objects.filter(mailbox=mailbox).values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True)
class Answer:
    """The code that was typed, or why there is none: a key of the desk's SIGN_IN sentences."""

    code: PhoneCode | None
    reason: str = ""


@sensitive_variables("typed")
def check(mailbox: Mailbox | None, typed: str) -> Answer:
    """Count one try and compare; for whichever mailbox or none the same work is done.

    The try is counted, and committed, before anything is compared, so that of many at once five are looked at. The
    right code takes its own try back. Raises RuntimeError inside a transaction, which could undo the count.
    """
    message = _message(mailbox.pk if mailbox else 0, normalise(typed[:MAX_TYPED]))
    with transaction.atomic(durable=True):
        tried = _count_try(mailbox.pk if mailbox else 0)
    matches = mac_matches(Purpose.PHONE_CODE, message, tried.mac if tried else mac(Purpose.PHONE_CODE, b"nobody"))
    if tried is None or mailbox is None:
        return Answer(None, "code_none")
    if not matches:
        return Answer(None, "code_dead" if tried.tries >= TRIES else "code_wrong")
    PhoneCode.objects.filter(pk=tried.pk, tries__gt=0).update(tries=F("tries") - 1)
    found = PhoneCode.objects.defer("mac").get(pk=tried.pk)
    found.mailbox = mailbox
    return Answer(found)


def behind_session(pk: int, *, mailbox: int, epoch: int) -> PhoneCode | None:
    """The code an owner's session began with, with its mailbox and domain; None if that is over.

    Over it is once the mailbox's epoch was raised, another code given, or the mailbox excluded. One query.
    """
    rows = PhoneCode.objects.defer("mac").select_related("mailbox__domain__customer")
    found = rows.filter(pk=pk, revoked_at=None).first()
    if found is None or (found.mailbox_id, found.mailbox.epoch) != (mailbox, epoch):
        return None
    return found if found.mailbox.state != Mailbox.State.EXCLUDED else None


def is_valid(code: PhoneCode) -> bool:
    """Not used up, not revoked, not too old, and not tried wrong too often."""
    unspent = code.consumed_at is None and code.revoked_at is None
    return unspent and code.tries < TRIES and timezone.now() < code.given_at + VALID_FOR


def living(mailbox: Mailbox) -> PhoneCode | None:
    """The code of the mailbox that still opens the door, or None."""
    found = PhoneCode.objects.filter(mailbox=mailbox).defer("mac").first()
    return found if found and is_valid(found) else None


def consume_all(mailbox: Mailbox) -> int:
    """Use up the code of a mailbox; part of saving the new password. Returns how many were left."""
    sql = """
        UPDATE migration_phonecode SET consumed_at = %s
        WHERE mailbox_id = %s AND consumed_at IS NULL AND revoked_at IS NULL
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.adapt_datetimefield_value(timezone.now()), mailbox.pk])
        return int(cursor.rowcount)


def revoke_all(mailbox: Mailbox) -> int:
    """Make the code of a mailbox worthless, and end the session that began with it. Returns how many were left."""
    return PhoneCode.objects.filter(mailbox=mailbox, revoked_at=None).update(revoked_at=timezone.now())


def in_use() -> Iterator[Value]:
    """The codes that still open the door, for the exchange of keys. Nothing can be made anew."""
    unspent = PhoneCode.objects.filter(consumed_at=None, revoked_at=None, given_at__gt=timezone.now() - VALID_FOR)
    for row in unspent.order_by("pk"):
        yield Value(f"phone code {row.pk}", key_named_by(row.mac))


def _due(before: datetime) -> list[Any]:
    return pks(PhoneCode.objects.filter(given_at__lt=before))


def _delete(chosen: Sequence[Any]) -> None:
    PhoneCode.objects.filter(pk__in=chosen).delete()


RULES = (
    Rule(
        "phone_code", gettext_noop("a phone code's row is deleted after it was given"), timedelta(days=1), _due, _delete
    ),
)


@dataclass(frozen=True, slots=True)
class _Tried:
    pk: int
    tries: int
    mac: bytes = field(repr=False)


def _count_try(mailbox: int) -> _Tried | None:
    """The living code of the mailbox with this try counted, in one statement; None if there is none."""
    sql = """
        UPDATE migration_phonecode SET tries = tries + 1
        WHERE mailbox_id = %s AND consumed_at IS NULL AND revoked_at IS NULL AND given_at > %s AND tries < %s
        RETURNING id, tries, mac
    """
    since = connection.ops.adapt_datetimefield_value(timezone.now() - VALID_FOR)
    with connection.cursor() as cursor:
        cursor.execute(sql, [mailbox, since, TRIES])
        row = cursor.fetchone()
    return _Tried(row[0], row[1], bytes(row[2])) if row else None


def _message(mailbox_id: int, code: str) -> bytes:
    return f"{mailbox_id}\0{code}".encode("utf-8", "surrogatepass")
