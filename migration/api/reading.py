"""From rows to answers. The number of queries does not depend on the number of rows."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from migration import campaign, plan, reports, restore_guard
from migration.addresses import masked
from migration.models import Case, Domain, Event, Mailbox, Mailing, Push, Target
from migration.reports import Completion

from .schemas import Stage

# What another process writes at this moment may get a lower number than what is to be seen already: nobody who asks for
# what came since may miss it. No transaction of ours that writes events takes as long.
SETTLED = timedelta(seconds=30)
# More than this between "due" and "taken", and no worker is working (as for /readyz).
BEHIND_SECONDS = 180
CODES = frozenset(Push.Reason.values)
CLOSED = (*Mailbox.DONE, Mailbox.State.EXCLUDED)


def overdue(domains: QuerySet[Domain]) -> QuerySet[Domain]:
    """Those with open mailboxes after their deadline."""
    open_ones = Mailbox.objects.filter(domain=OuterRef("pk")).exclude(state__in=CLOSED)
    return domains.filter(Exists(open_ones), deadline__lt=timezone.localdate(), ended_at=None)


def at_stage(domains: QuerySet[Domain], stage: str) -> QuerySet[Domain]:
    """Those at this point of their way; the same as `_stage`, asked of the database."""
    begun = Exists(Mailing.objects.filter(domain=OuterRef("pk"), kind__in=Mailing.WITH_SECRET))
    sent = Mailing.objects.filter(domain=OuterRef("pk"), kind=Mailing.Kind.ANNOUNCEMENT, state=Mailing.State.SENT)
    told = Exists(sent.filter(bounced_at=None))
    open_ones = domains.filter(ended_at=None)
    return {
        "finished": domains.filter(ended_at__isnull=False),
        "cut_over": open_ones.filter(cut_over_at__isnull=False),
        "inviting": open_ones.filter(begun, cut_over_at=None),
        "announced": open_ones.filter(told, ~begun, cut_over_at=None),
        "planned": open_ones.filter(~told, ~begun, cut_over_at=None, planned_at__isnull=False),
        "imported": open_ones.filter(~told, ~begun, cut_over_at=None, planned_at=None),
    }[stage]


def changed_since(domains: QuerySet[Domain], since: datetime) -> QuerySet[Domain]:
    """Those to which, or to a mailbox of which, something has happened since."""
    return domains.filter(Exists(Event.objects.filter(domain=OuterRef("pk"), at__gte=since)))


def domains_of(rows: Sequence[Domain]) -> list[dict[str, Any]]:
    """The answers about these domains, in their order."""
    pks = [row.pk for row in rows]
    known, today = plan.facts(rows), timezone.localdate()
    numbers = {row.pk: row for row in reports.completion(domains=Domain.objects.filter(pk__in=pks))} if pks else {}
    events = Event.objects.filter(domain__in=pks).order_by().values_list("domain")
    happened = dict(events.annotate(at=Max("at")))
    return [_domain(row, numbers[row.pk], known[row.pk], happened.get(row.pk) or row.created_at, today) for row in rows]


def _domain(row: Domain, numbers: Completion, known: plan.Facts, at: datetime, today: Any) -> dict[str, Any]:
    codes = [plan.hindrance(row, one.kind, known) for one in plan.due(row, known, today)]
    return {
        "name": row.name,
        "display_name": row.display_name,
        "customer": row.customer.name,
        "stage": _stage(row, announced=numbers.announced_at is not None, begun=known.begun_at is not None),
        "paused": row.paused_at is not None,
        "overdue": bool(row.deadline and row.deadline < today and numbers.open and not row.ended_at),
        "plan": row,
        "plan_problems": [code for code in dict.fromkeys(codes) if code],
        "announced_at": _utc(numbers.announced_at),
        "cut_over_at": _utc(row.cut_over_at),
        "finished_at": _utc(row.ended_at),
        "updated_at": _utc(at),
        "mailboxes": figures(numbers),
        "desk_url": settings.BASE_URL + reverse("desk:domain", args=[row.pk]),
    }


def _stage(row: Domain, *, announced: bool, begun: bool) -> Stage:
    if row.ended_at:
        return "finished"
    if row.cut_over_at:
        return "cut_over"
    if begun or announced:
        return "inviting" if begun else "announced"
    return "planned" if row.planned_at else "imported"


def figures(numbers: Completion) -> dict[str, Any]:
    """The numbers of one domain, or of several together."""
    own = ("total", "taking_part", "done", "open", "percent")
    told = {name: getattr(numbers, name) for name in own}
    return told | {"needing_attention": numbers.attention, "by_state": {str(key): n for key, n in numbers.states}}


def campaign_of(domains: QuerySet[Domain], customer: str | None) -> dict[str, Any]:
    """All these domains together."""
    rows = list(domains.select_related("customer"))
    known = plan.facts(rows)
    numbers = {row.pk: row for row in reports.completion(domains=domains)}
    stages = Counter(
        _stage(row, announced=numbers[row.pk].announced_at is not None, begun=known[row.pk].begun_at is not None)
        for row in rows
    )
    return {
        "customer": customer,
        "domains": len(rows),
        "domains_by_stage": {stage: stages[stage] for stage in Stage.__args__},  # type: ignore[attr-defined]
        "domains_overdue": overdue(domains).count(),
        "domains_paused": sum(row.paused_at is not None for row in rows),
        "paused": campaign.paused() is not None,
        "mailboxes": figures(reports.together(list(numbers.values()))),
    }


def health() -> dict[str, Any]:
    """Whether things move, of the whole portal."""
    target = Target.objects.first()
    stopped = target is not None and target.breaker_opened_at is not None
    slow = target is not None and target.probe_after is not None and not stopped
    oldest, restored = reports.oldest_due_seconds(), restore_guard.stopped_since() is not None
    paused, attention = campaign.paused() is not None, reports.needing_attention().count()
    status = "attention" if attention or slow or oldest > BEHIND_SECONDS else "ok"
    status = "paused" if paused else status
    return {
        "status": "stopped" if stopped or restored else status,
        "oldest_due_seconds": oldest,
        "restore_waits": restored,
        "breaker": "open" if stopped else "half_open" if slow else "closed",
        "breaker_reason": target.breaker_reason if target and stopped else "",
        "paused": paused,
        "pushes": _in_state(Push.objects.all(), "queued", "waiting", "blocked", "in_flight"),
        "mails": _in_state(Mailing.objects.all(), "queued", "waiting", "sending"),
        "mailboxes_needing_attention": attention,
        "cases_open": Case.objects.filter(closed_at=None).count(),
    }


def _in_state(rows: QuerySet[Any], *states: str) -> dict[str, int]:
    counted = rows.filter(state__in=states).order_by().values_list("state").annotate(n=Count("pk"))
    return dict.fromkeys(states, 0) | dict(counted)


def mailboxes_of(rows: QuerySet[Mailbox], *, with_names: bool) -> list[dict[str, Any]]:
    """The answers about these mailboxes, in their order."""
    newest = Event.objects.filter(mailbox=OuterRef("pk")).order_by("-pk").values("at")[:1]
    told = reports.with_badges(rows.select_related("domain").defer("legacy_hash")).annotate(at=Subquery(newest))
    return [_mailbox(row, with_names=with_names) for row in told]


def _mailbox(row: Any, *, with_names: bool) -> dict[str, Any]:
    waits_for_mail = row.state in (Mailbox.State.INVITED, Mailbox.State.SIGNED_IN)
    badges = ["mail_not_delivered"] if waits_for_mail and row.mail_state in reports.UNDELIVERED else []
    if row.push_state in (Push.State.WAITING, Push.State.BLOCKED):
        badges.append(f"push_{row.push_state}")
    return {
        "address": row.address,
        "name": row.name if with_names else None,
        "state": row.state,
        "kind": row.kind,
        "badges": badges,
        "push_reason": row.push_reason or None,
        "bounce_code": (row.mail_code or None) if "mail_not_delivered" in badges else None,
        "imported_at": _utc(row.created_at),
        "updated_at": _utc(max(row.at or row.created_at, row.created_at)),
        "desk_url": settings.BASE_URL + reverse("desk:mailbox", args=[row.pk]),
    }


def settled_events() -> QuerySet[Event]:
    """The events nothing can be put between any more, in their order."""
    events = Event.objects.filter(at__lte=timezone.now() - SETTLED).order_by("pk")
    return events.select_related("domain", "mailbox__domain").defer("mailbox__legacy_hash")


def event(row: Event, *, with_addresses: bool) -> dict[str, Any]:
    """One event, without what was typed and where from."""
    address = row.mailbox.address if row.mailbox else None
    code = str(row.detail.get("reason") or row.detail.get("code") or "")
    is_code = code in CODES or (row.action == Event.Action.BOUNCED and code.replace(".", "").isdecimal())
    return {
        "id": row.pk,
        "at": _utc(row.at),
        "action": row.action,
        "by": row.actor.partition(":")[0],
        "domain": row.domain.name if row.domain else None,
        "mailbox": address if with_addresses or not address else masked(address),
        "reason": code if is_code else None,
    }


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
