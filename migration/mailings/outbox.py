"""The mail outbox: every mail at most once, every failure visible.

The row is the job. A worker claims it with a lease, mints the first-login password in the same transaction, talks
SMTP outside any, and settles the row in another. How far it got is kept in the row itself:

* `sending` without `sent_at`: the end of the mail (SMTP's final dot) was not sent. Nothing was delivered, so once the
  lease is over the mail is tried again, with a fresh secret.
* `sending` with `sent_at`: the dot was about to go out. A worker lost after that leaves `unclear`, which nobody
  repeats by himself. `sent_at` is only set under a living lease, so a worker that slept past its own sends no dot.
"""

import math
import secrets as random
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from migration import first_login as first_logins
from migration import restore_guard
from migration.addresses import InvalidAddress, parse
from migration.doorbell import ring
from migration.models import Domain, Event, FirstLogin, Mailbox, Mailing
from migration.review import codes

from . import compose, route
from .route import Answer, Verdict

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


@dataclass(frozen=True, slots=True)
class _Claim:
    """A row that is ours, and the secret it will carry ("" for mails without one)."""

    mailing: Mailing
    secret: str = field(repr=False)


def enqueue(
    kind: Mailing.Kind,
    *,
    domain: Domain,
    recipient: str,
    language: str,
    mailbox: Mailbox | None = None,
    first_login: FirstLogin | None = None,
    subject: str = "",
    text: str = "",
) -> Mailing:
    """Queue a mail in the caller's transaction; the doorbell rings when that commits."""
    mailing = Mailing.objects.create(
        kind=kind,
        domain=domain,
        mailbox=mailbox,
        first_login=first_login,
        recipient=recipient,
        language=language,
        subject=compose.one_line(subject, compose.MAX_SUBJECT),
        text=text,
    )
    ring("send_mail", mailing.pk)
    return mailing


def notify_active(mailbox: Mailbox) -> None:
    """Queue the notice for the new mailbox that its password is active, if the settings name a way there.

    A machine reads no notices, and whoever looks after it has his mailbox elsewhere.
    """
    if route.target() and mailbox.kind != Mailbox.Kind.MACHINE:
        enqueue(
            Mailing.Kind.PASSWORD_ACTIVE,
            domain=mailbox.domain,
            mailbox=mailbox,
            recipient=mailbox.address,
            language=mailbox.mail_language,
        )


def due() -> list[int]:
    """The mails to send now, longest due first, no more than the pace allows until the next sweep.

    Settles the rows of lost workers on the way.
    """
    reap_leases()
    at_once = math.ceil(settings.MAILS_PER_MINUTE * settings.SWEEP_SECONDS / 60)
    return list(_ready().order_by("due_at", "pk").values_list("pk", flat=True)[:at_once])


def send(pk: int) -> None:
    """Send this mail if it is due and nobody else has it. Safe to call twice, late, or for a row that is gone."""
    claim = _claim(pk) if restore_guard.watch() else None
    if claim is None:
        return
    mailing = claim.mailing
    try:
        to = str(parse(mailing.recipient))
    except InvalidAddress:
        _settle(mailing, Answer(Verdict.REFUSED, text="the recipient is no mail address"))
        return
    way = route.for_mailing(mailing)
    if way is None:
        _settle(mailing, Answer(Verdict.REFUSED, text="the settings name no SMTP host of the new server"))
        return
    answer = route.deliver(
        way,
        compose.message(compose.of(mailing, claim.secret), to=to, mailing_id=mailing.pk),
        sender=compose.sender(mailing.pk),
        to=to,
        before_end=partial(_mark_end, mailing),
        hide=claim.secret,
    )
    _settle(mailing, answer)


def reap_leases() -> int:
    """Settle the rows whose worker was lost. Returns how many there were."""
    lost = Mailing.objects.filter(state=S.SENDING, lease_until__lt=Now()).select_related("domain", "mailbox")
    rows = list(lost)
    for mailing in rows:
        verdict = Verdict.UNCLEAR if mailing.sent_at else Verdict.AGAIN
        _settle(mailing, Answer(verdict, text="the worker that had this mail was lost"))
    return len(rows)


def backoff(tries: int) -> timedelta:
    """How long to wait after so many tries: 5 minutes, doubled each time, at most 4 hours."""
    doublings: int = 2 ** min(tries - 1, 10)
    return min(FIRST_WAIT * doublings, LONGEST_WAIT)


def _ready() -> QuerySet[Mailing]:
    # No join: PostgreSQL would not look again at the row's state after waiting for another claim's lock.
    running = Domain.objects.filter(paused_at__isnull=True)
    due = Mailing.objects.filter(restore_guard.is_open(), state__in=Mailing.OPEN, due_at__lte=Now())
    return due.filter(domain__in=running)


def _claim(pk: int) -> _Claim | None:
    """Take the row and mint its secret, both or neither: a secret already mailed is never replaced by accident."""
    lease = random.token_hex(16)
    with transaction.atomic():
        taken = (
            _ready()
            .filter(pk=pk)
            .update(
                state=S.SENDING,
                lease=lease,
                lease_until=_from_now(LEASE),
                attempts=F("attempts") + 1,
                sent_at=None,
            )
        )
        if not taken:
            return None
        mailing = Mailing.objects.select_related(
            "domain__customer",
            "mailbox__domain__customer",
            "first_login__mailbox__domain__customer",
            "review__customer",
        ).get(pk=pk)
        invitation, review = mailing.first_login, mailing.review
        if (invitation and (invitation.consumed_at or invitation.revoked_at)) or (review and review.revoked_at):
            # Saved, excluded or revoked since it was queued: nobody needs this mail.
            Mailing.objects.filter(pk=pk).update(state=S.CANCELLED, lease="", lease_until=None)
            return None
        return _Claim(mailing, _mint(mailing))


def _mint(mailing: Mailing) -> str:
    if mailing.first_login:
        return first_logins.mint(mailing.first_login)
    return codes.mint(mailing.review) if mailing.review else ""


def _mark_end(mailing: Mailing) -> bool:
    """Note that the dot goes out now, under a renewed lease; False if the lease is no longer ours."""
    ours = Mailing.objects.filter(pk=mailing.pk, state=S.SENDING, lease=mailing.lease, lease_until__gt=Now())
    return ours.update(sent_at=Now(), lease_until=_from_now(LEASE)) == 1


def _settle(mailing: Mailing, answer: Answer) -> None:
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
