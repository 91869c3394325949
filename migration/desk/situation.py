"""The first thing support asks about a mailbox: has its owner set the password, why does it not work, what now?

Derived from what is known whenever the page is shown; nothing of it is stored.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from migration import campaign
from migration.mailings import bounces
from migration.models import Ban, Event, Mailbox, Mailing, Push, SourceLogin, Target, TargetLogin

from . import timeline

S, Action = Mailbox.State, Event.Action
AT_THE_DOOR = (
    Action.SIGNED_IN,
    Action.SIGN_IN_FAILED,
    Action.SIGN_IN_REFUSED,
    Action.PASSWORD_REFUSED,
    Action.PASSWORD_SET,
)
LOOKED_AT = 50


@dataclass(frozen=True)
class Situation:
    """One sentence with yes or no, what stands in the way, and what to do now."""

    answer: str
    now: str
    tone: str = ""
    hints: list[str] = field(default_factory=list)
    is_banned: bool = False


@dataclass(frozen=True)
class _Known:
    mailbox: Mailbox
    newest_mail: Mailing | None
    push: Push | None
    visits: list[Event]
    works: bool
    seen: TargetLogin | None

    def last(self, *actions: Event.Action) -> Event | None:
        """The newest visit of one of these kinds."""
        return next((event for event in self.visits if event.action in actions), None)


def of(mailbox: Mailbox, *, works: bool) -> Situation:
    """How it stands with this mailbox. `works`: a first-login password or code of it is valid now.

    The number of queries depends on neither events nor mails nor pushes.
    """
    visits = mailbox.events.filter(action__in=AT_THE_DOOR, actor="owner").order_by("-pk")[:LOOKED_AT]
    known = _Known(
        mailbox,
        mailbox.mailings.filter(kind__in=Mailing.WITH_SECRET).defer("text").order_by("-pk").first(),
        mailbox.pushes.defer("payload").order_by("-version").first(),
        list(visits),
        works,
        TargetLogin.objects.filter(mailbox=mailbox).first(),
    )
    answer, now, tone = _ANSWERS[S(mailbox.state)](known)
    banned = _banned(known)
    hints = [*_wrong_tries(known), *_held_up(known), *banned]
    return Situation(answer, now, tone, hints, is_banned=bool(banned))


def _at(when: datetime | None) -> str:
    return date_format(timezone.localtime(when), "SHORT_DATETIME_FORMAT") if when else "–"


Answer = tuple[str, str, str]


def _imported(known: _Known) -> Answer:
    if known.mailbox.domain.announced_at is None:
        return (
            _("No: the owner has not been invited yet, and the customer's contact has not been told either."),
            _("Wait for the pre-announcement, or invite with a reason."),
            "",
        )
    return _("No: the owner has not been invited yet."), _("Invite, or give a code on the phone."), ""


def _invited(known: _Known) -> Answer:
    mail = known.newest_mail
    by_phone = _("Give a code on the phone, or invite again.")
    if mail and (mail.bounced_at or mail.state in (Mailing.State.FAILED, Mailing.State.UNCLEAR)):
        why = bounces.words(mail.bounce_code) if mail.bounce_code else mail.error
        sentence = _("No: the mail with the first-login password did not arrive. %(why)s") % {"why": why}
        return sentence.strip(), _("Remove the cause, then invite again; or give a code on the phone."), "bad"
    if mail and mail.state in (*Mailing.OPEN, Mailing.State.SENDING):
        return _("No: the mail with the first-login password is still on its way."), _("Wait for it."), ""
    if not known.works:
        return (
            _("No: the first-login password no longer works."),
            _("Invite again, or give a code on the phone."),
            "warn",
        )
    if mail is None or mail.sent_at is None:
        return _("No: a first-login password was given, and nobody has signed in with it yet."), by_phone, ""
    sentence = _("No: the mail with the first-login password was accepted on %(at)s, and nobody has signed in yet.")
    return sentence % {"at": _at(mail.sent_at)}, by_phone, ""


def _signed_in(known: _Known) -> Answer:
    visit, refused = known.last(Action.SIGNED_IN), known.last(Action.PASSWORD_REFUSED)
    sentence = _("No: the owner signed in on %(at)s but has not saved a new password.") % {
        "at": _at(visit.at if visit else None)
    }
    if refused and (visit is None or refused.pk > visit.pk):
        sentence += " " + _("The last one he tried was refused: %(why)s.") % {"why": timeline.why(refused)}
    works = known.works
    now = (
        _("Help him choose one; the link in the mail still works.")
        if works
        else _("His first-login password no longer works: invite again, or give a code on the phone.")
    )
    return sentence, now, "" if works else "warn"


def _password_set(known: _Known) -> Answer:
    push = known.push
    saved = _at(push.created_at if push else None)
    if push and push.state == Push.State.BLOCKED:
        sentence = _("Yes, on %(at)s, but it does not work on the new server: %(why)s")
        why = push.get_reason_display()
        return sentence % {"at": saved, "why": why}, _("Remove the cause, then transfer again."), "bad"
    if push and push.state == Push.State.WAITING:
        sentence = _("Yes, on %(at)s, but it has not arrived on the new server yet: %(why)s")
        return sentence % {"at": saved, "why": push.get_reason_display()}, _("It is repeated by itself."), "warn"
    return _("Yes, on %(at)s. It is on its way to the new server.") % {"at": saved}, _("Wait a minute."), ""


def _active(known: _Known) -> Answer:
    push = known.push
    sentence = _("Yes, on %(at)s. It works on the new server; the owner has not been seen there yet.")
    cut_over = known.mailbox.domain.cut_over_at
    now = (
        _("Help him set up his mail program with the new server; if he has lost the password, reopen.")
        if cut_over
        else _(
            "Mail still arrives on the old server, where the old password counts. If he has lost the new one, reopen."
        )
    )
    return sentence % {"at": _at(push.created_at if push else None)}, now, "good"


def _moved(known: _Known) -> Answer:
    read_at = known.seen.read_at if known.seen else None
    sentence = _("Yes, and the owner has read his mail on the new server, last on %(at)s.") % {"at": _at(read_at)}
    return sentence, _("Nothing. If he has lost the password, reopen."), "good"


def _excluded(known: _Known) -> Answer:
    last = known.mailbox.events.filter(action=Action.EXCLUDED).order_by("-pk").first()
    sentence = _("No: the mailbox is excluded from the move.")
    return f"{sentence} {timeline.why(last) if last else ''}".strip(), _("Include it again if it shall move."), ""


_ANSWERS: dict[Mailbox.State, Callable[[_Known], Answer]] = {
    S.IMPORTED: _imported,
    S.INVITED: _invited,
    S.SIGNED_IN: _signed_in,
    S.PASSWORD_SET: _password_set,
    S.ACTIVE: _active,
    S.MOVED: _moved,
    S.EXCLUDED: _excluded,
}


def _wrong_tries(known: _Known) -> Iterable[str]:
    """The wrong tries since the owner was last let in."""
    tries = []
    for event in known.visits:
        if event.action in (Action.SIGNED_IN, Action.PASSWORD_SET):
            break
        if event.action in (Action.SIGN_IN_FAILED, Action.SIGN_IN_REFUSED):
            tries.append(event)
    if tries:
        sentence = ngettext(
            "%(number)s wrong try since, on %(at)s.", "%(number)s wrong tries since, the last on %(at)s.", len(tries)
        )
        why = timeline.why(tries[0]) or str(tries[0].get_action_display())
        yield sentence % {"number": len(tries), "at": _at(tries[0].at)} + f" {why}"


def _held_up(known: _Known) -> Iterable[str]:
    domain = known.mailbox.domain
    if campaign.paused():
        yield _("The whole move is paused: no mail leaves, no password is transferred.")
    elif domain.paused_at:
        yield _("The domain is paused: no mail leaves, no password is transferred.")
    if domain.ended_at:
        yield _("The move of this domain is finished.")
    is_open = known.push is not None and known.push.state in Push.OPEN
    if is_open and (target := Target.objects.filter(breaker_opened_at__isnull=False).first()):
        yield str(dict(Push.Reason.choices).get(target.breaker_reason, _("All transfers have stopped.")))


def _banned(known: _Known) -> list[str]:
    """Bans of the new server that hit where this owner came from lately."""
    origin = SourceLogin.objects.filter(mailbox=known.mailbox, ip__isnull=False).values_list("ip", flat=True)
    ips = {ipaddress.ip_address(ip) for ip in [*origin, *(event.ip for event in known.visits)] if ip}
    if not ips:
        return []
    lasting = Ban.objects.filter(Q(until=None) | Q(until__gt=timezone.now())).values_list("network", flat=True)
    hit = [name for name in lasting if any(ip in ipaddress.ip_network(name) for ip in ips)]
    sentence = _("The new server keeps out %(networks)s, where the owner came from.")
    return [sentence % {"networks": ", ".join(hit)}] if hit else []
