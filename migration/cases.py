"""The verbs on a case: an owner opens it, support closes it. Neither touches the mailbox."""

import re

from django.db import IntegrityError, transaction
from django.utils import timezone

from .models import Case, Event, Mailbox
from .refusals import VerbRefused

# Control characters but line ends, and marks that are invisible or turn the direction of writing.
_UNPRINTABLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)


def open_case(mailbox: Mailbox, *, kind: Case.Kind, note: str, ip: str | None) -> Case:
    """Tell support. While a case of this kind is open, saying it again adds nothing and returns the open one."""
    if said := _open(mailbox, kind):
        return said
    try:
        with transaction.atomic():
            case = Case.objects.create(mailbox=mailbox, kind=kind, note=plain(note)[: Case.LONGEST_NOTE])
            Event.record(Event.Action.CASE_OPENED, actor="owner", mailbox=mailbox, ip=ip, kind=str(kind), case=case.pk)
    except IntegrityError:
        # Said twice at once, and the other one was quicker.
        if said := _open(mailbox, kind):
            return said
        raise
    return case


def close(case: Case, *, actor: str, answer: str) -> None:
    """Close the case with a sentence on what was done. Raises VerbRefused without one, or if it is closed already."""
    answer = plain(answer)[: Case.LONGEST_NOTE]
    if not answer:
        raise VerbRefused("no_answer")
    with transaction.atomic():
        still_open = Case.objects.filter(pk=case.pk, closed_at=None)
        if not still_open.update(closed_at=timezone.now(), closed_by=actor, answer=answer):
            raise VerbRefused("case_closed")
        Event.record(Event.Action.CASE_CLOSED, actor=actor, mailbox=case.mailbox, kind=case.kind, case=case.pk)
    case.refresh_from_db()


def plain(text: str) -> str:
    """The text with one kind of line end, without control characters and blanks around it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub("", lines.replace("\t", " ")).strip()


def _open(mailbox: Mailbox, kind: Case.Kind) -> Case | None:
    return Case.objects.filter(mailbox=mailbox, kind=kind, closed_at=None).first()
