"""How far the move is: completion per domain, what needs attention, and whether the outboxes move.

Completion is active or moved ÷ mailboxes not excluded. The number of queries does not depend on the number
of rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from . import campaign, restore_guard
from .addresses import domain_to_unicode
from .counting import tally
from .models import Domain, Mailbox, Mailing, Push, Target

S = Mailbox.State

# Mails that somebody has to look at: nothing will happen by itself any more.
UNDELIVERED = (Mailing.State.FAILED, Mailing.State.UNCLEAR)
# A mail that the server took and that came back is as good as one it refused.
FATE = Case(When(bounced_at__isnull=False, then=Value(Mailing.State.FAILED.value)), default=F("state"))


@dataclass(frozen=True)
class Completion:
    """How far a domain is, or several together. `counts` has every state and adds up to `total`."""

    counts: Mapping[Mailbox.State, int]
    blocked: int = 0
    undelivered: int = 0
    pk: int | None = None
    name: str = ""
    customer: str = ""
    deadline: date | None = None
    announced_at: datetime | None = None
    paused_at: datetime | None = None

    @property
    def attention(self) -> int:
        """Mailboxes where nothing goes on by itself: the push is blocked, or the invitation did not arrive."""
        return self.blocked + self.undelivered

    @property
    def display_name(self) -> str:
        """The domain as people write it, with umlauts."""
        return domain_to_unicode(self.name)

    @property
    def total(self) -> int:
        """All mailboxes, the excluded ones too."""
        return sum(self.counts.values())

    @property
    def taking_part(self) -> int:
        """Mailboxes that move: all but the excluded."""
        return self.total - self.counts[S.EXCLUDED]

    @property
    def done(self) -> int:
        """Mailboxes whose password works on the target."""
        return sum(self.counts[state] for state in Mailbox.DONE)

    @property
    def open(self) -> int:
        """Mailboxes that take part and are not done."""
        return self.taking_part - self.done

    @property
    def percent(self) -> int:
        """Completion in whole percent, rounded down: 100 means all of them."""
        return 100 * self.done // self.taking_part if self.taking_part else 0

    @property
    def states(self) -> list[tuple[Mailbox.State, int]]:
        """Each state with its number, in the order of the move."""
        return [(state, self.counts[state]) for state in S]


def completion(*, domain: Domain | None = None, domains: QuerySet[Domain] | None = None) -> list[Completion]:
    """Completion of all domains, of those given or the one, in the order of a reader. Three queries.

    The numbers are those the database keeps (`counting`), so a domain of any size costs the same.
    """
    domains = (Domain.objects.all() if domains is None else domains).select_related("customer")
    if domain is not None:
        domains = domains.filter(pk=domain.pk)
    rows = list(domains.order_by("folded", "name"))
    numbers, announced = tally.of(row.pk for row in rows), _announced(rows)
    return [
        Completion(
            counts=numbers[row.pk].counts,
            blocked=numbers[row.pk].blocked,
            undelivered=numbers[row.pk].undelivered,
            pk=row.pk,
            name=row.name,
            customer=row.customer.name,
            deadline=row.deadline,
            announced_at=announced.get(row.pk),
            paused_at=row.paused_at,
        )
        for row in rows
    ]


def together(rows: list[Completion]) -> Completion:
    """The sum of several domains."""
    return Completion(
        counts={state: sum(row.counts[state] for row in rows) for state in S},
        blocked=sum(row.blocked for row in rows),
        undelivered=sum(row.undelivered for row in rows),
    )


def with_badges(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    """Annotate what is derived and never stored: how the newest invitation fared, and why a push is held up.

    `mail_state` is the state of the newest invitation, failed when it came back, and `mail_code` what was told of it;
    `push_state` and `push_reason` those of the open push.
    """
    invitations = Mailing.objects.filter(mailbox=OuterRef("pk"), kind__in=Mailing.WITH_SECRET).order_by("-id")
    pushes = Push.objects.filter(mailbox=OuterRef("pk"), state__in=Push.OPEN)
    return mailboxes.annotate(
        mail_state=Subquery(invitations.values(fate=FATE)[:1]),
        mail_code=Subquery(invitations.values("bounce_code")[:1]),
        push_state=Subquery(pushes.values("state")[:1]),
        push_reason=Subquery(pushes.values("reason")[:1]),
    )


def needing_attention() -> QuerySet[Mailbox]:
    """Mailboxes where nothing goes on by itself: a blocked push, or an invitation that did not arrive."""
    blocked = Push.objects.filter(mailbox=OuterRef("pk"), state=Push.State.BLOCKED)
    newest = Mailing.objects.filter(mailbox=OuterRef("pk"), kind__in=Mailing.WITH_SECRET).order_by("-id")
    return Mailbox.objects.annotate(newest_mail=Subquery(newest.values(fate=FATE)[:1])).filter(
        Exists(blocked) | Q(state__in=(S.INVITED, S.SIGNED_IN), newest_mail__in=UNDELIVERED)
    )


def oldest_due_seconds() -> int:
    """How long the oldest outbox row has been due without anybody working on it, in seconds; 0 when none is.

    A row counts from the moment it was due, or from the moment its worker's lease ran out. Mails leave at a fixed
    pace, so thousands may be due in good order: as long as some leave, they count from the newest one sent. Rows of
    a paused domain wait on purpose, pushes wait for a person while a breaker is open, and all after a restore
    or while the whole move is paused.
    """
    if restore_guard.stopped_since() or campaign.paused():
        return 0
    pushes = Push.objects.filter(mailbox__domain__paused_at=None)
    stopped = Target.objects.filter(breaker_opened_at__isnull=False).exists()
    waits = [] if stopped else [_oldest(pushes, Push.DUE, Push.State.IN_FLIGHT)]
    mails = Mailing.objects.filter(domain__paused_at=None)
    due = _oldest(mails, Mailing.OPEN, Mailing.State.SENDING)
    last_sent = Mailing.objects.aggregate(at=Max("sent_at"))["at"]
    waits.append(max(due, last_sent) if due and last_sent else due)
    now = timezone.now()
    return max((int((now - since) / timedelta(seconds=1)) for since in waits if since and since < now), default=0)


def _oldest(rows: QuerySet[Any], waiting: tuple[str, ...], working: str) -> datetime | None:
    due = rows.filter(state__in=waiting, due_at__lte=Now()).aggregate(at=Min("due_at"))["at"]
    dead = rows.filter(state=working, lease_until__lt=Now()).aggregate(at=Min("lease_until"))["at"]
    return min((at for at in (due, dead) if at is not None), default=None)


def _announced(rows: list[Domain]) -> dict[int, datetime]:
    sent = Mailing.objects.filter(kind=Mailing.Kind.ANNOUNCEMENT, state=Mailing.State.SENT, bounced_at=None)
    sent = sent.filter(domain__in=[row.pk for row in rows])
    return dict(sent.order_by().values_list("domain").annotate(at=Max("sent_at")))
