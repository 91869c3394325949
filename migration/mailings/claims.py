"""Claims on mails: whose a mail is now, how far it got, and how it ended.

How far it got is kept in the row itself:

* `sending` without `sent_at`: the end of the mail (SMTP's final dot) was not sent. Nothing was delivered, so once the
  lease is over the mail is tried again, with a fresh secret.
* `sending` with `sent_at`: the dot was about to go out. A worker lost after that leaves `unclear`, which nobody
  repeats by himself. `sent_at` is only set under a living lease, so a worker that slept past its own sends no dot.
"""

import secrets as random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from migration import campaign, moments, restore_guard
from migration import first_login as first_logins
from migration.models import Domain, Event, Mailing
from migration.review import codes

from .smtp import Answer, Verdict

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=120)
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=4)
# 5 + 10 + … + 160 minutes, then 4 hours each: the last try is just under three days after the first.
TRIES = 23

S = Mailing.State
_ACTIONS = {
    S.SENT: Event.Action.MAIL_SENT,
    S.FAILED: Event.Action.MAIL_FAILED,
    S.UNCLEAR: Event.Action.MAIL_UNCLEAR,
}
_WITH_ROWS = (
    "domain__customer",
    "mailbox__domain__customer",
    "first_login__mailbox__domain__customer",
    "review__customer",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that is ours, and the secret it will carry ("" for mails without one)."""

    mailing: Mailing
    secret: str = field(repr=False)


def ready() -> QuerySet[Mailing]:
    """The mails that may leave now; who waits for one comes first, then the longest due."""
    # No join: PostgreSQL would not look again at the row's state after waiting for another claim's lock.
    running = Domain.objects.filter(paused_at__isnull=True)
    due = Mailing.objects.filter(restore_guard.is_open(), campaign.runs(), state__in=Mailing.OPEN, due_at__lte=Now())
    return due.filter(domain__in=running).order_by("is_bulk", "due_at", "pk")


def claim(pks: Sequence[int]) -> list[Claim]:
    """Take those of the rows that are ready and nobody else is taking, and mint their secrets: all or nothing.

    In one transaction, so a secret already mailed is never replaced by accident.
    """
    lease = random.token_hex(16)
    with transaction.atomic():
        # In the order of their numbers, so that two workers cannot wait for each other.
        free = ready().filter(pk__in=pks).order_by("pk").select_for_update(skip_locked=True)
        mine = list(free.values_list("pk", flat=True))
        if not mine:
            return []
        Mailing.objects.filter(pk__in=mine).update(
            state=S.SENDING, lease=lease, lease_until=_from_now(LEASE), attempts=F("attempts") + 1, sent_at=None
        )
        rows = {row.pk: row for row in Mailing.objects.filter(pk__in=mine).select_related(*_WITH_ROWS)}
        useless = [pk for pk, row in rows.items() if _is_useless(row)]
        if useless:
            # Saved, excluded or revoked since it was queued, or the move is finished: nobody needs this mail.
            Mailing.objects.filter(pk__in=useless).update(state=S.CANCELLED, lease="", lease_until=None)
        return _with_secrets([rows[pk] for pk in pks if pk in rows and pk not in useless])


def mark_end(mailing: Mailing, *, wording: int | None = None) -> bool:
    """Note that the dot goes out now, under a renewed lease; False if the lease is no longer ours.

    `wording` is the number of the customer's wording the mail was made from.
    """
    sql = f"""
        UPDATE migration_mailing SET sent_at = {moments.now()}, lease_until = {moments.later(LEASE)}, wording_id = %s
        WHERE id = %s AND state = 'sending' AND lease = %s AND lease_until > {moments.now()}
    """  # noqa: S608 - our own text, values beside it
    with connection.cursor() as cursor:
        cursor.execute(sql, (wording, mailing.pk, mailing.lease))
        return int(cursor.rowcount) == 1


def release(claims: Iterable[Claim]) -> None:
    """Give back what was claimed and not begun, as if it had not been."""
    for given in claims:
        ours = Mailing.objects.filter(pk=given.mailing.pk, lease=given.mailing.lease, state=S.SENDING, sent_at=None)
        ours.update(state=S.QUEUED, lease="", lease_until=None, attempts=F("attempts") - 1)


def settle(mailing: Mailing, answer: Answer) -> None:
    """Write down how it ended, unless the row is another worker's by now.

    A row already taken for `unclear` still believes its own worker's late but clear answer.
    """
    if answer.verdict == Verdict.STOPPED:
        return
    state = {Verdict.ACCEPTED: S.SENT, Verdict.REFUSED: S.FAILED, Verdict.UNCLEAR: S.UNCLEAR}.get(
        answer.verdict, S.WAITING if mailing.attempts < TRIES else S.FAILED
    )
    with transaction.atomic():
        if not _write_end(mailing, state, answer):
            return
        if state != S.WAITING:
            _record(mailing, state, answer)
    log.info("mail_settled", mailing=mailing.pk, state=str(state), code=answer.code, tries=mailing.attempts)


def reap_leases() -> int:
    """Settle the rows whose worker was lost. Returns how many there were."""
    lost = Mailing.objects.filter(state=S.SENDING, lease_until__lt=Now()).select_related("domain", "mailbox")
    rows = list(lost)
    for mailing in rows:
        verdict = Verdict.UNCLEAR if mailing.sent_at else Verdict.AGAIN
        settle(mailing, Answer(verdict, text="the worker that had this mail was lost"))
    return len(rows)


def backoff(tries: int) -> timedelta:
    """How long to wait after so many tries: 5 minutes, doubled each time, at most 4 hours."""
    doublings: int = 2 ** min(tries - 1, 10)
    return min(FIRST_WAIT * doublings, LONGEST_WAIT)


def _is_useless(mailing: Mailing) -> bool:
    invitation, review = mailing.first_login, mailing.review
    spent = invitation and (invitation.consumed_at or invitation.revoked_at)
    return bool(spent or (review and review.revoked_at) or mailing.domain.ended_at)


def _with_secrets(mailings: Sequence[Mailing]) -> list[Claim]:
    """The claims, each with the secret minted for it: first-login passwords all by one statement."""
    invitations = [mailing.first_login for mailing in mailings if mailing.first_login]
    minted = dict(zip((row.pk for row in invitations), first_logins.mint_all(invitations), strict=True))
    return [Claim(row, minted[row.first_login.pk] if row.first_login else _code(row)) for row in mailings]


def _code(mailing: Mailing) -> str:
    return codes.mint(mailing.review) if mailing.review else ""


def _write_end(mailing: Mailing, state: Mailing.State, answer: Answer) -> bool:
    """Write how it ended into the row; False if it is another worker's by now."""
    also = ", sent_at = NULL, lease = '', lease_until = NULL"
    if state == S.SENT:
        also = f", sent_at = {moments.now()}"
    elif state == S.UNCLEAR:
        also = ""
    elif state == S.WAITING:
        also += f", due_at = {moments.later(backoff(mailing.attempts))}"
    sql = f"""
        UPDATE migration_mailing SET state = %s, error = %s{also}
        WHERE id = %s AND lease = %s AND state IN ('sending', 'unclear')
    """  # noqa: S608 - our own text, values beside it
    words = "" if state == S.SENT else answer.text
    with connection.cursor() as cursor:
        cursor.execute(sql, (state, words, mailing.pk, mailing.lease))
        return int(cursor.rowcount) == 1


def _record(mailing: Mailing, state: Mailing.State, answer: Answer) -> None:
    detail: dict[str, Any] = {} if state == S.SENT else {"code": answer.code}
    Event.record(
        _ACTIONS[state],
        actor="worker",
        mailbox=mailing.mailbox,
        domain=mailing.domain,
        mail=mailing.kind,
        mailing=mailing.pk,
        **detail,
    )


def _from_now(wait: timedelta) -> Combinable:
    """A time on the database's clock: the workers' clocks may differ."""
    return ExpressionWrapper(Now() + Value(wait), output_field=DateTimeField())
