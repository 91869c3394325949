"""The time line of a plan: what happened, what comes next, and how many people it will reach."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from migration import plan
from migration.models import Domain
from migration.plan import Facts, Kind

from .timeline import DATES


@dataclass(frozen=True)
class PlanLine:
    """One step. `state` is done, waits (its day has come), ahead, or skipped."""

    day: date
    what: str
    state: str
    text: str
    problem: str = ""


def lines(domain: Domain, known: Facts, today: date) -> list[PlanLine]:
    """The steps in the order of their days."""
    found = [_announcement(domain, known, today), _invitations(domain, known, today)]
    found += [_reminder(domain, known, today, day) for day in plan.reminder_dates(domain)]
    if domain.deadline:
        state = "done" if domain.deadline < today else "ahead"
        found.append(PlanLine(domain.deadline, str(DATES["deadline"]), state, _open(known)))
    found += [_cut_over(domain, known, today), _end(domain, known, today)]
    return sorted((line for line in found if line), key=lambda line: line.day)


def _announcement(domain: Domain, known: Facts, today: date) -> PlanLine | None:
    what, contact = str(DATES["announce_on"]), {"address": domain.customer.contact_email}
    if known.announced_at:
        text = _("The server of %(address)s accepted it.") % contact
        return PlanLine(timezone.localdate(known.announced_at), what, "done", text)
    if known.announcement and not known.announcement_failed:
        return PlanLine(domain.announce_on or today, what, "waits", _("It is on its way to %(address)s.") % contact)
    if domain.announce_on is None:
        return None
    text = _("%(address)s will be told.") % contact
    return _planned(domain, known, today, (Kind.ANNOUNCE, domain.announce_on), what, text)


def _invitations(domain: Domain, known: Facts, today: date) -> PlanLine | None:
    what = str(DATES["invite_on"])
    step = known.steps.get((Kind.INVITE, domain.invite_on)) if domain.invite_on else None
    if domain.invite_on is None or step or (known.begun_at and not known.to_invite):
        if known.begun_at is None and step is None:
            return None
        begun = timezone.localdate(known.begun_at or (step.at if step else None))
        return PlanLine(begun, what, "done", _more_to_invite(known))
    number = known.to_invite
    text = ngettext(
        "On %(day)s %(n)d owner will be invited.", "On %(day)s %(n)d owners will be invited.", number
    ) % _of(domain.invite_on, number)
    return _planned(domain, known, today, (Kind.INVITE, domain.invite_on), what, text)


def _more_to_invite(known: Facts) -> str:
    if not known.to_invite:
        return _("Everybody was invited, but for those invited on request only.")
    number = known.to_invite
    return ngettext("%(n)d is not invited yet.", "%(n)d are not invited yet.", number) % {"n": number}


def _reminder(domain: Domain, known: Facts, today: date, day: date) -> PlanLine:
    what = _("Reminder")
    if step := known.steps.get((Kind.REMIND, day)):
        text = ngettext("%(n)d owner was reminded.", "%(n)d owners were reminded.", step.number) % {"n": step.number}
        return PlanLine(day, what, "done", text)
    pending = {one.day for one in plan.due(domain, known, today) if one.kind == Kind.REMIND}
    if day <= today and day not in pending:
        invited = known.begun_at is None
        text = _("Left out: nobody had been invited.") if invited else _("Left out: another mail was closer.")
        return PlanLine(day, what, "skipped", text)
    number = known.to_remind + (known.to_invite if domain.invite_on and domain.invite_on < day else 0)
    text = ngettext(
        "On %(day)s %(n)d owner will be reminded, as of today.",
        "On %(day)s %(n)d owners will be reminded, as of today.",
        number,
    ) % _of(day, number)
    return _planned(domain, known, today, (Kind.REMIND, day), what, text)


def _cut_over(domain: Domain, known: Facts, today: date) -> PlanLine | None:
    what = str(DATES["cut_over_on"])
    if domain.cut_over_at:
        return PlanLine(timezone.localdate(domain.cut_over_at), what, "done", _("Mail arrives at the new server."))
    if domain.cut_over_on is None:
        return None
    text = _("Change the MX record, then mark it here.")
    return _planned(domain, known, today, (Kind.CUT_OVER, domain.cut_over_on), what, text)


def _end(domain: Domain, known: Facts, today: date) -> PlanLine | None:
    what = str(DATES["ends_on"])
    if domain.ended_at:
        return PlanLine(timezone.localdate(domain.ended_at), what, "done", _("No mail leaves any more."))
    if domain.ends_on is None:
        return None
    return _planned(domain, known, today, (Kind.END, domain.ends_on), what, _("The portal closes for this domain."))


def _planned(domain: Domain, known: Facts, today: date, step: tuple[Kind, date], what: str, text: str) -> PlanLine:
    kind, day = step
    if day > today:
        return PlanLine(day, what, "ahead", text)
    code = plan.hindrance(domain, kind, known)
    return PlanLine(day, what, "waits", text, str(plan.HINDRANCES[code]) if code else "")


def _open(known: Facts) -> str:
    return ngettext("%(n)d mailbox is open today.", "%(n)d mailboxes are open today.", known.open) % {"n": known.open}


def _of(day: date, number: int) -> dict[str, Any]:
    return {"day": formats.date_format(day, "DATE_FORMAT"), "n": number}
