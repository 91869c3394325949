"""What a verb would do to many mailboxes now: to how many, and who is left out for which reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from . import mailboxes, reminders
from .models import BulkRun, FirstLogin, Mailbox, Push
from .refusals import SENTENCES
from .states import TRANSITIONS

Verb = BulkRun.Verb


@dataclass(frozen=True)
class Outlook:
    """What a verb would do now: to how many, and who is left out for which reason in words, most first."""

    number: int
    left_out: Sequence[tuple[str, int]]


def look(chosen: QuerySet[Mailbox], verb: BulkRun.Verb) -> Outlook:
    """What the verb would do to these mailboxes. One query."""
    whens = [When(condition, then=Value(code)) for code, condition in _refusals(verb)]
    why = Case(*whens, default=Value("")) if whens else Value("")
    numbers: Counter[str] = Counter()
    for code, state, number in chosen.order_by().values_list(why, "state").annotate(number=Count("pk")):
        numbers[_words(code, state)] += number
    number = numbers.pop("", 0)
    return Outlook(number, numbers.most_common())


def _refusals(verb: BulkRun.Verb) -> list[tuple[str, Q]]:
    """Whom the verb would leave out and why, the reason that comes first being told. The verb has the last word."""
    nobody = Q(kind=Mailbox.Kind.MACHINE, responsible="", domain__customer__contact_email="")
    if verb == Verb.INVITE:
        states = TRANSITIONS["invite"][0] | TRANSITIONS["re_invite"][0]
        lately = Q(_mailed_within(mailboxes.INVITE_AGAIN_AFTER)) & ~Q(state=Mailbox.State.IMPORTED)
        return [("wrong_state", ~Q(state__in=states)), ("no_recipient", nobody), ("too_soon", lately)]
    if verb == Verb.REMIND:
        on_request = Q(kind__in=Mailbox.ON_REQUEST)
        lately = Q(_mailed_within(reminders.AFTER))
        known = [("on_request", on_request), ("no_recipient", nobody), ("written_lately", lately)]
        return [("wrong_state", ~Q(state__in=reminders.STATES)), *known]
    if verb == Verb.RETRY:
        has_open = Exists(Push.objects.filter(mailbox=OuterRef("pk"), state__in=Push.OPEN))
        return [("nothing_to_retry", ~Q(has_open))]
    if verb == Verb.SET_KIND:
        return []
    return [("wrong_state", ~Q(state__in=TRANSITIONS[str(verb)][0]))]


def _mailed_within(time_: timedelta) -> Exists:
    return Exists(FirstLogin.objects.filter(mailbox=OuterRef("pk"), created_at__gt=timezone.now() - time_))


def _words(code: str, state: str) -> str:
    """A state says more than that it is the wrong one."""
    return str(Mailbox.State(state).label if code == "wrong_state" else SENTENCES[code]) if code else ""
