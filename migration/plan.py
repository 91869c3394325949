"""The plan of a domain: what is due when, what was done, what holds it up. It only reads; `clock` carries it out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import cast

from django.conf import settings
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from . import reminders, restore_guard
from .models import Domain, Mailbox, Mailing, PlanStep, Printing, Push, Target

FIELDS = ("announce_on", "invite_on", "deadline", "remind_days", "cut_over_on", "ends_on")


class Kind(StrEnum):
    """What can be in a plan."""

    ANNOUNCE = "announce"
    INVITE = "invite"
    REMIND = "remind"
    SUMMARY = "summary"
    CUT_OVER = "cut_over"
    END = "end"


# Why the clock waits for a person, and what he can do.
HINDRANCES: dict[str, str | Promise] = {
    "restored": _("The database was restored from a backup: an operator has to confirm it first."),
    "breaker": _("The new server refuses our transfers. Remove the cause and allow transfers again; it goes on then."),
    "nothing_imported": _("The domain has no mailboxes yet. Import them first."),
    "not_announced": _("The contact has not been told yet. Send the pre-announcement, or invite with a reason."),
    "announcement_open": _("The pre-announcement has not been accepted by the contact's server yet."),
    "announcement_failed": _(
        "The pre-announcement did not reach the contact. Check the address and send it again, or invite with a reason."
    ),
    "no_recipient": _("A machine's mailbox has nobody to write to. Enter a responsible person or the contact."),
    "cut_over_by_hand": _("The cut-over is due. Change the MX record, then mark the cut-over here."),
    "not_cut_over": _("The move was to end, but the cut-over is not marked. Mark it, or choose a later end."),
    "pushes_open": _("The move was to end, but passwords are still on their way to the new server."),
    "still_open": _("The move was to end, but mailboxes are open. Choose a later end, or finish with a reason."),
}


@dataclass(frozen=True)
class Due:
    """A step whose day has come, and the day it was planned for."""

    kind: Kind
    day: date


@dataclass
class Facts:
    """What is known of one domain beside its own row; dates are local days."""

    announcement: str | None = None
    announced_at: datetime | None = None
    steps: dict[tuple[str, date], PlanStep] = field(default_factory=dict)
    begun_at: datetime | None = None
    mailboxes: int = 0
    to_invite: int = 0
    to_remind: int = 0
    open: int = 0
    without_recipient: int = 0
    pushes: int = 0
    stopped: str = ""

    @property
    def announcement_failed(self) -> bool:
        """The newest pre-announcement did not arrive, and none before it did."""
        return self.announced_at is None and self.announcement in (Mailing.State.FAILED, Mailing.State.UNCLEAR)


def running() -> QuerySet[Domain]:
    """The domains the clock looks after: with a plan, and not finished."""
    return Domain.objects.filter(planned_at__isnull=False, ended_at=None).select_related("customer")


def in_hours(now: datetime) -> bool:
    """Whether the clock may act: by day, in local time."""
    return bool(settings.PLAN_FROM_HOUR <= timezone.localtime(now).hour < settings.PLAN_UNTIL_HOUR)


def remind_days(domain: Domain) -> list[int]:
    """How many days before the deadline owners are reminded, the earliest first."""
    days = settings.REMIND_DAYS if domain.remind_days is None else domain.remind_days
    return sorted(set(days), reverse=True)


def reminder_dates(domain: Domain) -> list[date]:
    """The days on which owners are reminded; none without a deadline."""
    deadline = domain.deadline
    return [deadline - timedelta(days=days) for days in remind_days(domain)] if deadline else []


def monday(day: date) -> date:
    """The Monday of that day's week."""
    return day - timedelta(days=day.weekday())


def facts(domains: Sequence[Domain]) -> dict[int, Facts]:
    """What is known of each of the domains. The number of queries does not depend on how many there are."""
    found = {domain.pk: Facts() for domain in domains}
    for row in Mailing.objects.filter(domain__in=found, kind=Mailing.Kind.ANNOUNCEMENT).order_by("pk").defer("text"):
        found[row.domain_id].announcement = row.state
        if row.state == Mailing.State.SENT:
            found[row.domain_id].announced_at = row.sent_at
    for step in PlanStep.objects.filter(domain__in=found):
        found[step.domain_id].steps[step.kind, step.day] = step
    for pk, mailed, printed in _begun(found):
        found[pk].begun_at = min((at for at in (mailed, printed) if at), default=None)
    for numbers in _counted(found):
        found[numbers.pop("domain_id")].__dict__.update(numbers)
    ending = [domain.pk for domain in domains if domain.ends_on and domain.ends_on <= timezone.localdate()]
    held = Push.objects.filter(state__in=(*Push.OPEN, Push.State.IN_FLIGHT, Push.State.SETTLING))
    for pk, number in held.filter(mailbox__domain__in=ending).values_list("mailbox__domain").annotate(n=Count("pk")):
        found[pk].pushes = number
    stopped = _stopped()
    for one in found.values():
        one.stopped = stopped
    return found


def due(domain: Domain, known: Facts, today: date) -> list[Due]:
    """The steps whose day has come and that were not done; of several reminders the newest only."""
    if domain.ended_at or not domain.planned_at:
        return []
    found = []
    waits_for_it = known.announcement is None or known.announcement_failed
    if domain.announce_on and domain.announce_on <= today and waits_for_it:
        found.append(Due(Kind.ANNOUNCE, domain.announce_on))
    if domain.invite_on and domain.invite_on <= today and (Kind.INVITE, domain.invite_on) not in known.steps:
        found.append(Due(Kind.INVITE, domain.invite_on))
    if reminder := _reminder_due(domain, known, today):
        found.append(Due(Kind.REMIND, reminder))
    week = monday(today)
    begun = known.begun_at is not None and timezone.localdate(known.begun_at) < week
    if begun and known.open and (Kind.SUMMARY, week) not in known.steps:
        found.append(Due(Kind.SUMMARY, week))
    if domain.cut_over_on and domain.cut_over_on <= today and domain.cut_over_at is None:
        found.append(Due(Kind.CUT_OVER, domain.cut_over_on))
    if domain.ends_on and domain.ends_on <= today:
        found.append(Due(Kind.END, domain.ends_on))
    return found


def hindrance(domain: Domain, kind: Kind, known: Facts) -> str:
    """Why the clock cannot do this step now, a key of HINDRANCES; "" if it can."""
    found = {
        Kind.ANNOUNCE: _first(
            ("announcement_failed", known.announcement_failed), ("nothing_imported", not known.mailboxes)
        ),
        Kind.INVITE: _first(
            ("nothing_imported", not known.mailboxes),
            ("announcement_failed", known.announcement_failed),
            ("not_announced", known.announcement is None),
            ("announcement_open", known.announced_at is None),
            ("no_recipient", known.without_recipient > 0),
            ("breaker", known.stopped == "breaker"),
        ),
        Kind.REMIND: _first(("breaker", known.stopped == "breaker")),
        Kind.SUMMARY: "",
        Kind.CUT_OVER: "cut_over_by_hand",
        Kind.END: _first(
            ("not_cut_over", domain.cut_over_at is None),
            ("pushes_open", known.pushes > 0),
            ("still_open", known.open > 0),
        ),
    }
    return "restored" if known.stopped == "restored" else found[kind]


def attention(among: Sequence[int] | None = None) -> dict[int, str]:
    """For each domain, of these or of all, whose plan waits for a person, the first reason in words.

    Paused ones wait on purpose.
    """
    running_on = running().filter(paused_at=None)
    domains = list(running_on if among is None else running_on.filter(pk__in=among))
    found, today = facts(domains), timezone.localdate()
    waiting = {domain.pk: problems(domain, found[domain.pk], today) for domain in domains}
    return {pk: sentences[0] for pk, sentences in waiting.items() if sentences}


def problems(domain: Domain, known: Facts, today: date) -> list[str]:
    """What the clock could not do of this domain's plan, in words; each reason once."""
    codes = [hindrance(domain, one.kind, known) for one in due(domain, known, today)]
    return [str(HINDRANCES[code]) for code in dict.fromkeys(codes) if code]


def _reminder_due(domain: Domain, known: Facts, today: date) -> date | None:
    """The newest day that has come, unless it or a later one was done.

    A day before the plan was made or the owners were invited is not made up for, nor one after the deadline.
    """
    if not (domain.deadline and domain.planned_at and known.begun_at and today <= domain.deadline):
        return None
    after = timezone.localdate(known.begun_at) + timedelta(days=1)
    after = max(after, timezone.localdate(domain.planned_at))
    come = max((day for day in reminder_dates(domain) if after <= day <= today), default=None)
    done = max((day for kind, day in known.steps if kind == Kind.REMIND), default=date.min)
    return come if come and done < come else None


def _begun(pks: Iterable[int]) -> Iterable[tuple[int, datetime | None, datetime | None]]:
    """For each domain when its first invitation was queued, and when its first letters were printed."""
    mails = Mailing.objects.filter(domain=OuterRef("pk"), kind=Mailing.Kind.INVITATION).order_by("created_at")
    letters = Printing.objects.filter(domain=OuterRef("pk")).order_by("printed_at")
    mailed, printed = Subquery(mails.values("created_at")[:1]), Subquery(letters.values("printed_at")[:1])
    return Domain.objects.filter(pk__in=pks).order_by().values_list("pk", mailed, printed)


def _counted(pks: Iterable[int]) -> Iterator[dict[str, int]]:
    """The numbers of `Facts` about mailboxes, with the domain's."""
    on_request = Q(kind__in=Mailbox.ON_REQUEST)
    nobody = Q(kind=Mailbox.Kind.MACHINE, responsible="", domain__customer__contact_email="")
    closed = (*Mailbox.DONE, Mailbox.State.EXCLUDED)
    counted = Mailbox.objects.filter(domain__in=pks).order_by().values("domain_id")
    for row in counted.annotate(
        mailboxes=Count("pk"),
        to_invite=Count("pk", filter=Q(state=Mailbox.State.IMPORTED) & ~on_request),
        to_remind=Count("pk", filter=Q(state__in=reminders.STATES) & ~on_request),
        open=Count("pk", filter=~Q(state__in=closed)),
        without_recipient=Count("pk", filter=nobody & ~Q(state=Mailbox.State.EXCLUDED)),
    ):
        yield cast(dict[str, int], row)


def _stopped() -> str:
    if restore_guard.stopped_since():
        return "restored"
    return "breaker" if Target.objects.filter(breaker_opened_at__isnull=False).exists() else ""


def _first(*reasons: tuple[str, bool]) -> str:
    return next((code for code, applies in reasons if applies), "")
