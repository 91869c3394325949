"""Everything that happened to one mailbox, day by day, the newest first: events, mails, logins, notes.

That a mailed link was opened is not among it, on purpose: opening changes nothing and is not recorded, since scanners
open links too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migration.models import Event, Mailbox, Mailing, SourceLogin, TargetLogin

from . import actors, timeline

Action = Event.Action
PER_PAGE = 100
ALL, OWNER, STAFF, TRANSFER, MAILS = "all", "owner", "staff", "transfer", "mails"

FILTERS: dict[str, str | Promise] = {
    ALL: gettext_lazy("all"),
    OWNER: gettext_lazy("the owner"),
    STAFF: gettext_lazy("the staff"),
    TRANSFER: gettext_lazy("transfers"),
    MAILS: gettext_lazy("mails"),
}

_TRANSFERS = (
    Action.PASSWORD_SET,
    Action.PUSH_DELIVERED,
    Action.PUSH_WAITING,
    Action.PUSH_BLOCKED,
    Action.PUSH_RETRIED,
    Action.SETTLE_REPUSH,
    Action.ACTIVE,
    Action.MOVED,
    Action.MADE_THERE,
)
_MAILS = (
    Action.INVITED,
    Action.REMINDED,
    Action.MAIL_SENT,
    Action.MAIL_FAILED,
    Action.MAIL_UNCLEAR,
    Action.BOUNCED,
    Action.LETTER_PRINTED,
    Action.REPLACED,
)
_CHOSEN = {
    ALL: Q(),
    OWNER: Q(actor__in=("owner", "contact")),
    STAFF: Q(actor__startswith="staff"),
    TRANSFER: Q(action__in=_TRANSFERS),
    MAILS: Q(action__in=_MAILS),
}


@dataclass(frozen=True)
class Moment:
    """One thing that happened."""

    at: datetime
    what: str
    who: str
    why: str = ""
    ip: str | None = None


@dataclass(frozen=True)
class Story:
    """One page of it: the days with what happened on each, and from which event on there is more."""

    days: Sequence[tuple[date, list[Moment]]]
    chosen: str
    older: int | None
    newest: bool


def of(mailbox: Mailbox, *, chosen: str = ALL, before: int | None = None) -> Story:
    """A page of what happened, of the kind chosen. The number of queries does not depend on how much there is."""
    chosen = chosen if chosen in _CHOSEN else ALL
    found = mailbox.events.filter(_CHOSEN[chosen]).order_by("-pk")
    events = list((found.filter(pk__lt=before) if before else found)[: PER_PAGE + 1])
    more, events = len(events) > PER_PAGE, events[:PER_PAGE]
    told = _told_by(mailbox, events)
    moments = [
        Moment(line.event.at, str(line.event.get_action_display()), line.who, told(line), line.event.ip)
        for line in timeline.lines(events)
    ]
    if chosen in (ALL, OWNER):
        since = events[-1].at if more else None
        until = events[0].at if before and events else None
        moments += [
            moment
            for moment in _logins(mailbox)
            if (since is None or moment.at >= since) and (until is None or moment.at <= until)
        ]
    moments.sort(key=lambda moment: moment.at, reverse=True)
    days = [(day, list(of_day)) for day, of_day in groupby(moments, lambda moment: timezone.localdate(moment.at))]
    return Story(days, chosen, events[-1].pk if more else None, newest=before is None)


def _told_by(mailbox: Mailbox, events: Sequence[Event]) -> Callable[[timeline.Line], str]:
    """Why, with which mail an event is about, and what a note says. One query each."""
    mails = dict(Mailing.objects.filter(pk__in=_numbers(events, "mailing")).values_list("pk", "kind").order_by())
    notes = dict(mailbox.notes.filter(pk__in=_numbers(events, "note")).values_list("pk", "text").order_by())

    def told(line: timeline.Line) -> str:
        kind = mails.get(line.event.detail.get("mailing"))
        parts = [str(Mailing.Kind(kind).label) if kind else "", line.why, notes.get(line.event.detail.get("note"), "")]
        return " · ".join(part for part in parts if part)

    return told


def _numbers(events: Iterable[Event], name: str) -> set[int]:
    return {number for event in events if isinstance(number := event.detail.get(name), int)}


def _logins(mailbox: Mailbox) -> Iterable[Moment]:
    """The newest login on the old server and those on the new one: of others nothing is known."""
    owner = str(actors.WORDS["owner"])
    for old in SourceLogin.objects.filter(mailbox=mailbox):
        yield Moment(old.at, _("newest login on the old server"), owner, old.protocol, old.ip)
    for new in TargetLogin.objects.filter(mailbox=mailbox):
        for protocol, at in (("IMAP", new.imap_at), ("POP3", new.pop3_at), ("SMTP", new.smtp_at)):
            if at:
                yield Moment(at, _("newest login on the new server"), owner, protocol)
