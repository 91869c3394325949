"""What came back: match a report to its mail and note it, once. The report itself is never kept nor logged."""

from collections.abc import Iterable
from enum import StrEnum

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from migration.models import Event, Mailing

from . import dsn, verp

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    """What became of a mail that came to an address of ours."""

    NOTED = "noted"
    KNOWN = "known already"
    NO_REPORT = "no report"
    NOT_OURS = "no mail of ours"


# By the second and third number of the code (RFC 3463), else by the second alone.
_CLASSES: dict[str, str | Promise] = {
    "1.1": _("The old server knows no such mailbox. Check the address, or how its mail is routed."),
    "1.2": _("The domain of the address cannot be reached. Check the old server's address."),
    "1.10": _("The domain of the address takes no mail."),
    "2.1": _("The mailbox is switched off on the old server."),
    "2.2": _("The mailbox is full. The owner has to make room first."),
    "2.3": _("The mail is too big for the mailbox."),
    "3.4": _("The mail is too big for the old server."),
    "4": _("The old server could not be reached, or sends mail in a circle. Check how its mail is routed."),
    "7": _("The old server's rules or its spam filter turned the mail away. Let mails of the portal pass."),
}
OTHER = _("The mail came back; the words of the other server say why.")


def words(code: str) -> str | Promise:
    """What a status code means for whoever has to act, such as 5.2.2 for a full mailbox."""
    subject = code.partition(".")[2]
    return _CLASSES.get(subject) or _CLASSES.get(subject.partition(".")[0]) or OTHER


def take(content: bytes, *, recipients: Iterable[str] = ()) -> Outcome:
    """Note what a report says about one of our mails. `recipients` are those of its envelope, if they are known.

    The same report may come twice.
    """
    report = dsn.read(content)
    if report is None:
        return _told(Outcome.NO_REPORT)
    for address in (*recipients, *report.addresses):
        mailing = _named_by(address)
        if mailing:
            return _told(_note(mailing, report), mailing.pk, report)
    return _told(Outcome.NOT_OURS)


def _named_by(address: str) -> Mailing | None:
    named = verp.named_by(address)
    if named is None:
        return None
    number, is_proven = named
    mailings = Mailing.objects.select_related("domain", "mailbox").filter(pk=number)
    # Without a MAC anybody could say so; only mails of before there was one are believed.
    return (mailings if is_proven else mailings.filter(plain_sender=True)).first()


def _note(mailing: Mailing, report: dsn.Report) -> Outcome:
    told = {"bounce_code": report.code, "bounce_text": report.text}
    with transaction.atomic():
        ours = Mailing.objects.filter(pk=mailing.pk, bounced_at=None)
        if not report.failed:
            return Outcome.NOTED if ours.update(delayed_at=timezone.now(), **told) else Outcome.KNOWN
        if not ours.update(bounced_at=timezone.now(), **told):
            return Outcome.KNOWN
        Event.record(
            Event.Action.BOUNCED,
            actor="worker",
            mailbox=mailing.mailbox,
            domain=mailing.domain,
            mail=mailing.kind,
            mailing=mailing.pk,
            code=report.code,
        )
    return Outcome.NOTED


def _told(outcome: Outcome, mailing: int | None = None, report: dsn.Report | None = None) -> Outcome:
    failed, code = (report.failed, report.code) if report else (None, None)
    log.info("bounce_read", outcome=str(outcome), mailing=mailing, failed=failed, code=code)
    return outcome
