"""After a restore: what the open pushes of the backup would do, and an operator's yes.

Until then `restore_guard` keeps both outboxes still. Afterwards each push of the backup is compared with mailcow before
it is written: where mailcow was given a password later, it is blocked. A mail that was open in the backup may have left
since; like every mail of which nobody knows that, it is `unclear` and not repeated by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from . import breaker, doorbell, restore_guard
from .mailcow.client import Client
from .mailcow.errors import MailcowError, Refused
from .mailcow.replies import MailboxFacts
from .models import Domain, Event, HighWaterMark, Mailing, Push, Target
from .target import client

log = structlog.get_logger(__name__)


class Verdict(Enum):
    """What mailcow says about a push of the backup; the value is what the command prints."""

    GOES = "would be pushed: mailcow knows nothing newer"
    OVERTAKEN = "stays back: the mailbox has a newer password on mailcow"
    MISSING = "would wait: there is no such mailbox on mailcow"
    UNKNOWN = "would be compared first: mailcow could not be asked"


@dataclass(frozen=True)
class Confirmed:
    """What an operator's yes did: pushes that will be compared, and mails of which nobody knows whether they left."""

    pushes: int
    mails: int


def findings() -> Iterator[tuple[Push, Verdict]]:
    """What would become of each open push of the backup, domain by domain. mailcow is asked once a domain."""
    rows = _pushes().select_related("mailbox__domain").defer("payload", "mailbox__legacy_hash")
    mailcow = _mailcow()
    for domain, pushes in groupby(rows.order_by("mailbox__domain__name", "pk"), lambda push: push.mailbox.domain):
        told, mailcow = _told(domain, mailcow)
        for push in pushes:
            yield push, _verdict(push, told)


def open_mails() -> QuerySet[Mailing]:
    """The mails of the backup that had not left by then."""
    return Mailing.objects.filter(
        state__in=(*Mailing.OPEN, Mailing.State.SENDING), created_at__lte=restore_guard.stopped_since()
    )


def confirm(*, actor: str) -> Confirmed | None:
    """Let the outboxes work again. None when nobody waits for it."""
    with transaction.atomic():
        row = HighWaterMark.objects.select_for_update().filter(restored_at__isnull=False).first()
        if row is None:
            return None
        pushes = _pushes().update(from_backup=True)
        mails = sum(_leave_unclear(mailing) for mailing in open_mails().select_related("domain", "mailbox"))
        now = int(HighWaterMark.objects.values_list(Now(), flat=True).get(pk=row.pk).timestamp())
        mark = max(now, restore_guard.highest(row.at) + 1)
        HighWaterMark.objects.filter(pk=row.pk).update(at=mark, restored_at=None)
        Event.record(Event.Action.RESTORE_CONFIRMED, actor=actor, pushes=pushes, mails=mails)
    restore_guard.keep(mark)
    log.warning("restore_confirmed", pushes=pushes, mails=mails)
    if first := _pushes().values_list("pk", flat=True).first():
        doorbell.ring("deliver_push", first)
    return Confirmed(pushes, mails)


def _leave_unclear(mailing: Mailing) -> bool:
    """Nobody knows whether it left after the backup was made. Whether it still was open."""
    still = Mailing.objects.filter(pk=mailing.pk, state=mailing.state, lease=mailing.lease)
    why = "open in a backup that was restored"
    if not still.update(state=Mailing.State.UNCLEAR, error=why, lease="", lease_until=None):
        return False
    Event.record(
        Event.Action.MAIL_UNCLEAR,
        actor="worker",
        mailbox=mailing.mailbox,
        domain=mailing.domain,
        mail=mailing.kind,
        mailing=mailing.pk,
    )
    return True


def _pushes() -> QuerySet[Push]:
    return Push.objects.filter(state__in=(*Push.OPEN, Push.State.IN_FLIGHT, Push.State.SETTLING))


def _mailcow() -> Client | None:
    """The client, if there is a key here and nothing is known to turn us away."""
    if Target.objects.filter(breaker_opened_at__isnull=False).exists():
        return None
    try:
        return client()
    except ValueError:
        return None


def _told(domain: Domain, mailcow: Client | None) -> tuple[dict[str, MailboxFacts] | None, Client | None]:
    """Mailcow's mailboxes of the domain by address, and the client if it may be asked again."""
    if mailcow is None:
        return None, None
    try:
        return {facts.address: facts for facts in mailcow.mailboxes(domain.name)}, mailcow
    except Refused as error:
        with transaction.atomic():
            breaker.locked_target()  # made here if no push was ever claimed
            breaker.trip(error.reason)
        return None, None
    except MailcowError:
        return None, mailcow


def _verdict(push: Push, told: dict[str, MailboxFacts] | None) -> Verdict:
    if told is None:
        return Verdict.UNKNOWN
    facts = told.get(push.mailbox.address)
    if facts is None:
        return Verdict.MISSING
    return Verdict.OVERTAKEN if restore_guard.is_overtaken(push, facts) else Verdict.GOES
