"""Letters with a first-login password: who gets one, and the verb that prints them.

The password is minted at the moment of printing, and the file is the only place that has it. A letter is an invitation
as a mail is one; what was mailed before keeps working as its predecessor.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F, Max, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from . import campaign
from . import first_login as first_logins
from .mailings import letters
from .mailings.letters import Letter
from .models import Domain, Event, FirstLogin, Mailbox, Mailing, Printing
from .refusals import VerbRefused
from .reports import FATE, UNDELIVERED
from .states import TRANSITIONS

AT_MOST = 500
"""Letters in one file; the next printing takes the rest."""

_MAY, _LEADS_TO = TRANSITIONS["print_letter"]


class Group(StrEnum):
    """Whom letters are printed for."""

    UNDELIVERED = "undelivered"
    NEVER = "never"
    SELECTED = "selected"
    AGAIN = "again"


@dataclass(frozen=True)
class Choice:
    """A group, with the mailboxes of a selection or the printing to repeat."""

    group: Group
    pks: Sequence[int] = ()
    printing: int | None = None


@dataclass(frozen=True)
class Wanted:
    """What a printing would do.

    `skipped` are done, have a password or are excluded. `again` counts those whose earlier letter dies, `left` those
    that do not fit into this file.
    """

    letters: list[Mailbox]
    skipped: list[Mailbox]
    again: int = 0
    left: int = 0


def wanted(domain: Domain, choice: Choice) -> Wanted:
    """Who gets a letter by this choice. The groups leave out those with a letter that still works."""
    chosen = list(_chosen(domain, choice))
    able = [mailbox for mailbox in chosen if mailbox.state in _MAY]
    skipped = [mailbox for mailbox in chosen if mailbox.state not in _MAY]
    working = {row.mailbox_id for row in _letters_out(able)}
    if choice.group in (Group.UNDELIVERED, Group.NEVER):
        able = [mailbox for mailbox in able if mailbox.pk not in working]
    here = able[:AT_MOST]
    return Wanted(here, skipped, sum(mailbox.pk in working for mailbox in here), len(able) - len(here))


def refuse(domain: Domain, mailboxes: Iterable[Mailbox] = ()) -> None:
    """Raise VerbRefused if no letter may be printed for these mailboxes of the domain now."""
    if domain.paused_at or campaign.paused():
        raise VerbRefused("paused" if domain.paused_at else "all_paused")
    if domain.ended_at:
        raise VerbRefused("ended")
    if not domain.customer.postal_address.strip():
        raise VerbRefused("no_postal_address")
    if domain.announced_at is None and any(mailbox.state == Mailbox.State.IMPORTED for mailbox in mailboxes):
        raise VerbRefused("not_begun")


def newest(domain: Domain) -> int | None:
    """The number of the domain's newest printing, or None."""
    return Printing.objects.filter(domain=domain).values_list("pk", flat=True).first()


@sensitive_variables()
def print_letters(domain: Domain, choice: Choice, *, actor: str, seen: int | None) -> tuple[Printing, bytes]:
    """Invite these mailboxes by letter: the printing, and its file (PDF), which is kept nowhere else.

    All or nothing: an error in making the file leaves everything as it was. `seen` is the newest printing of the
    domain when the question was asked: a question sent twice prints once, and of two at once the second is asked anew.
    Raises VerbRefused.
    """
    with transaction.atomic():
        row = Domain.objects.select_for_update(of=("self",)).select_related("customer").get(pk=domain.pk)
        if newest(row) != seen:
            raise VerbRefused("printed_meanwhile")
        mailboxes = _locked(wanted(row, choice).letters)
        if not mailboxes:
            raise VerbRefused("nobody_to_print")
        refuse(row, mailboxes)
        printing = Printing.objects.create(domain=row, letters=len(mailboxes))
        _bring(mailboxes)
        printed = _minted(mailboxes, printing)
        Event.objects.bulk_create(
            Event(
                action=Event.Action.LETTER_PRINTED,
                actor=actor,
                mailbox=letter.first_login.mailbox,
                domain=row,
                detail={"printing": printing.pk, "number": letter.first_login.number},
            )
            for letter in printed
        )
        return printing, letters.typeset(printed, number=printing.pk)


def _chosen(domain: Domain, choice: Choice) -> QuerySet[Mailbox]:
    found = Mailbox.objects.filter(domain=domain).select_related("domain__customer").defer("legacy_hash")
    found = found.order_by("local_part")
    if choice.group == Group.SELECTED:
        return found.filter(pk__in=choice.pks)
    if choice.group == Group.AGAIN:
        newest = FirstLogin.objects.filter(mailbox=OuterRef("pk"), printing__isnull=False).order_by("-number")
        return found.annotate(last=Subquery(newest.values("printing")[:1])).filter(last=choice.printing)
    if choice.group == Group.NEVER:
        return found.filter(state=Mailbox.State.INVITED)
    mails = Mailing.objects.filter(mailbox=OuterRef("pk"), kind=Mailing.Kind.INVITATION).order_by("-id")
    invited = found.filter(state__in=(Mailbox.State.INVITED, Mailbox.State.SIGNED_IN))
    return invited.annotate(last=Subquery(mails.values(fate=FATE)[:1])).filter(last__in=UNDELIVERED)


def _letters_out(mailboxes: Iterable[Mailbox]) -> list[FirstLogin]:
    """The letters to these mailboxes that still open the door. One query."""
    by_pk = {mailbox.pk: mailbox for mailbox in mailboxes}
    rows = FirstLogin.objects.filter(
        mailbox__in=by_pk, printing__isnull=False, consumed_at=None, revoked_at=None
    ).order_by("number")
    found = []
    for row in rows:
        row.mailbox = by_pk[row.mailbox_id]
        if first_logins.is_valid(row):
            found.append(row)
    return found


def _locked(mailboxes: list[Mailbox]) -> list[Mailbox]:
    """Those that may still have a letter, held until the end of the transaction; in one order, against deadlocks."""
    rows = Mailbox.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes]).order_by("pk").select_for_update()
    states = dict(rows.values_list("pk", "state"))
    return [mailbox for mailbox in mailboxes if states.get(mailbox.pk) in _MAY]


def _bring(mailboxes: list[Mailbox]) -> None:
    """The guarded transition of them all; the owners' sessions end, as with a further mail."""
    rows = Mailbox.objects.filter(pk__in=[mailbox.pk for mailbox in mailboxes], state__in=_MAY)
    rows.update(state=_LEADS_TO, epoch=F("epoch") + 1)
    for mailbox in mailboxes:
        mailbox.state = _LEADS_TO


@sensitive_variables()
def _minted(mailboxes: list[Mailbox], printing: Printing) -> list[Letter]:
    """A letter for each. One that was never used is made anew in its own row: the mail before it keeps working."""
    pks = [mailbox.pk for mailbox in mailboxes]
    numbers = dict(FirstLogin.objects.filter(mailbox__in=pks).values_list("mailbox").annotate(last=Max("number")))
    again = {row.mailbox_id: row for row in _letters_out(mailboxes) if row.number == numbers[row.mailbox_id]}
    kept = [row.pk for row in again.values()]
    _unspent_letters(pks).exclude(pk__in=kept).update(revoked_at=timezone.now())
    made: list[Letter] = []
    for mailbox in mailboxes:
        row = again.get(mailbox.pk) or FirstLogin(
            mailbox=mailbox, number=numbers.get(mailbox.pk, 0) + 1, locator=first_logins.new_locator()
        )
        row.printing = printing
        made.append(Letter(row, first_logins.fill(row)))
    FirstLogin.objects.bulk_create([letter.first_login for letter in made if letter.first_login.pk is None])
    FirstLogin.objects.bulk_update(again.values(), ["printing", "mac", "minted_at"], batch_size=100)
    return made


def _unspent_letters(pks: Sequence[Any]) -> QuerySet[FirstLogin]:
    return FirstLogin.objects.filter(mailbox__in=pks, printing__isnull=False, consumed_at=None, revoked_at=None)
