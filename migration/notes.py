"""The verbs on a note: staff write it, somebody follows it up. Neither touches the mailbox."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from .cases import plain
from .first_login import ALPHABET, GROUP, LENGTH
from .models import Event, Mailbox, Note
from .refusals import VerbRefused
from .retention import Rule, pks

# A first-login password as it is mailed or typed, and what a Dovecot hash begins with.
_SECRET = re.compile(
    rf"\b[{ALPHABET}]{{{GROUP}}}(?:[\s.\-\u2010-\u2015]?[{ALPHABET}]{{{GROUP}}}){{{LENGTH // GROUP - 1}}}\b"
    r"|\{[A-Z0-9.-]{3,}\}\S|\$(?:argon2|2[abxy]|[156y])\w*\$",
    re.IGNORECASE,
)


def write(mailbox: Mailbox, *, actor: str, text: str, follow_up_on: date | None = None, follow_up_by: str = "") -> Note:
    """Keep a note on the mailbox, to be followed up that day by `follow_up_by` (an actor), else by its author.

    Raises VerbRefused without a text, with one that looks like a password, or for a day that is over.
    """
    text = plain(text)[: Note.LONGEST]
    if not text:
        raise VerbRefused("no_note")
    if _SECRET.search(text):
        raise VerbRefused("note_with_secret")
    if follow_up_on and follow_up_on < timezone.localdate():
        raise VerbRefused("follow_up_over")
    who = (follow_up_by or actor) if follow_up_on else ""
    with transaction.atomic():
        note = Note.objects.create(
            mailbox=mailbox, text=text, written_by=actor, follow_up_on=follow_up_on, follow_up_by=who
        )
        detail: dict[str, Any] = {"follow_up_on": follow_up_on.isoformat()} if follow_up_on else {}
        Event.record(Event.Action.NOTED, actor=actor, mailbox=mailbox, note=note.pk, **detail)
    return note


def follow_up(note: Note, *, actor: str) -> None:
    """Note that somebody looked again. Raises VerbRefused when there is nothing to follow up any more."""
    with transaction.atomic():
        if not to_follow_up().filter(pk=note.pk).update(done_at=timezone.now(), done_by=actor):
            raise VerbRefused("followed_up")
        Event.record(Event.Action.FOLLOWED_UP, actor=actor, mailbox=note.mailbox, note=note.pk)


def to_follow_up() -> QuerySet[Note]:
    """The notes somebody still has to look at again, now or later."""
    return Note.objects.filter(follow_up_on__isnull=False, done_at=None)


def due() -> QuerySet[Note]:
    """The notes whose day has come."""
    return to_follow_up().filter(follow_up_on__lte=timezone.localdate())


def _old(before: datetime) -> list[Any]:
    return pks(Note.objects.filter(Q(follow_up_on=None) | Q(done_at__isnull=False), written_at__lt=before))


def _delete(chosen: Sequence[Any]) -> None:
    Note.objects.filter(pk__in=chosen).delete()


RULES = (
    Rule(
        "note",
        gettext_noop("a note on a mailbox is deleted, unless somebody still has to follow it up"),
        timedelta(days=365),
        _old,
        _delete,
    ),
)
