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
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from migration import campaign, restore_guard
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
        wanted = [rows[pk] for pk in pks if pk in rows and pk not in useless]
        return [Claim(row, _mint(row)) for row in wanted]


def mark_end(mailing: Mailing) -> bool:
    """Note that the dot goes out now, under a renewed lease; False if the lease is no longer ours."""
    ours = Mailing.objects.filter(pk=mailing.pk, state=S.SENDING, lease=mailing.lease, lease_until__gt=Now())
    return ours.update(sent_at=Now(), lease_until=_from_now(LEASE)) == 1


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
    changes: dict[str, object] = {"state": state, "error": answer.text}
    if state == S.SENT:
        changes |= {"sent_at": Now(), "error": ""}
    elif state != S.UNCLEAR:
        changes |= {"sent_at": None, "lease": "", "lease_until": None}
    if state == S.WAITING:
        changes["due_at"] = _from_now(backoff(mailing.attempts))
    with transaction.atomic():
        ours = Mailing.objects.filter(pk=mailing.pk, lease=mailing.lease, state__in=[S.SENDING, S.UNCLEAR])
        if not ours.update(**changes):
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


def _mint(mailing: Mailing) -> str:
    if mailing.first_login:
        return first_logins.mint(mailing.first_login)
    return codes.mint(mailing.review) if mailing.review else ""


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
