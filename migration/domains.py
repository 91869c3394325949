"""The verbs on a domain: announce, start, pause, resume, change the plan, cut over, finish."""

from datetime import date
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from . import campaign, dns_checks, mailboxes
from .mailings import layout, outbox
from .models import Domain, Event, Mailbox, Mailing, Push
from .plan import FIELDS
from .refusals import VerbRefused


def announce(domain: Domain, *, actor: str, subject: str, text: str) -> Mailing:
    """Tell the customer's contact what will move. The text is kept as it was sent. Raises VerbRefused."""
    if domain.ended_at:
        raise VerbRefused("ended")
    with transaction.atomic():
        Event.record(Event.Action.ANNOUNCED, actor=actor, domain=domain, recipient=domain.customer.contact_email)
        return outbox.enqueue(
            Mailing.Kind.ANNOUNCEMENT,
            domain=domain,
            recipient=domain.customer.contact_email,
            language=domain.customer.language,
            subject=subject,
            text=text,
        )


def try_announcement(domain: Domain, *, to: str, subject: str, text: str) -> Mailing:
    """Send the pre-announcement to a member of staff, marked as a trial. Nobody is told by it. Raises VerbRefused."""
    campaign.refuse_mails(domain)
    if campaign.paused():
        raise VerbRefused("all_paused")
    with transaction.atomic():
        return outbox.enqueue(
            Mailing.Kind.TEST,
            domain=domain,
            recipient=to,
            language=domain.customer.language,
            subject=subject,
            text=layout.printable(text),
        )


def start(domain: Domain, *, actor: str, reason: str = "") -> int:
    """Invite every mailbox that was imported and not invited yet, but for those invited on request only.

    Returns how many. Raises VerbRefused.
    """
    if campaign.paused():
        raise VerbRefused("all_paused")
    return mailboxes.invite_all(domain, actor=actor, reason=reason)


def pause(domain: Domain, *, actor: str, reason: str = "") -> bool:
    """Hold back every mail, reminder and push of the domain. Returns False when it was paused already."""
    values = {"paused_at": timezone.now(), "paused_by": actor, "paused_reason": reason.strip()}
    with transaction.atomic():
        changed = Domain.objects.filter(pk=domain.pk, paused_at=None).update(**values) == 1
        if changed:
            Event.record(Event.Action.PAUSED, actor=actor, domain=domain, **_why(reason))
    domain.refresh_from_db(fields=[*values])
    return changed


def resume(domain: Domain, *, actor: str) -> bool:
    """Let mails and pushes go on. Returns False when the domain was not paused."""
    values = {"paused_at": None, "paused_by": "", "paused_reason": ""}
    with transaction.atomic():
        changed = Domain.objects.filter(pk=domain.pk, paused_at__isnull=False).update(**values) == 1
        if changed:
            Event.record(Event.Action.RESUMED, actor=actor, domain=domain)
    domain.refresh_from_db(fields=[*values])
    return changed


def change_plan(domain: Domain, *, actor: str, **dates: date | list[int] | None) -> bool:
    """Give the domain other dates, by the names in `plan.FIELDS`; the event keeps what was and what is.

    The first saved plan sets the clock going, even if it has no dates. Returns False if nothing is different.
    Raises VerbRefused once the domain is finished.
    """
    assert set(dates) <= set(FIELDS)  # noqa: S101 - told to programmers
    with transaction.atomic():
        held = Domain.objects.select_for_update(of=("self",)).get(pk=domain.pk)
        if held.ended_at:
            raise VerbRefused("ended")
        changes = {name: [getattr(held, name), to] for name, to in dates.items() if getattr(held, name) != to}
        if held.planned_at and not changes:
            return False
        Domain.objects.filter(pk=domain.pk).update(planned_at=timezone.now(), **dates)
        told = {name: [_plain(value) for value in values] for name, values in changes.items()}
        Event.record(Event.Action.PLAN_CHANGED, actor=actor, domain=domain, changes=told)
    domain.refresh_from_db(fields=["planned_at", *dates])
    return True


def cut_over(domain: Domain, *, actor: str, reason: str = "") -> None:
    """Mark that mail for the domain arrives at the target from now on.

    Owners whose password works there change it there from now on, and reminders say so. Raises VerbRefused, without
    a reason also when completion is below PORTAL_CUT_OVER_SHARE percent, or when the newest check of the name servers
    found a conflict.
    """
    done, all_ = _completion(domain)
    if not reason.strip() and 100 * done < settings.CUT_OVER_SHARE * all_:
        raise VerbRefused("too_few_done")
    if not reason.strip() and dns_checks.in_the_way(domain):
        raise VerbRefused("dns_conflict")
    with transaction.atomic():
        rows = Domain.objects.filter(pk=domain.pk, cut_over_at=None, ended_at=None)
        if not rows.update(cut_over_at=timezone.now()):
            raise VerbRefused("cut_over_already")
        Event.record(Event.Action.CUT_OVER, actor=actor, domain=domain, done=done, all=all_, **_why(reason))
    domain.refresh_from_db(fields=["cut_over_at"])


def undo_cut_over(domain: Domain, *, actor: str, reason: str) -> None:
    """Take the mark back: mail arrives at the source again. Raises VerbRefused without a reason, or once finished."""
    if not reason.strip():
        raise VerbRefused("no_reason")
    with transaction.atomic():
        rows = Domain.objects.filter(pk=domain.pk, cut_over_at__isnull=False, ended_at=None)
        if not rows.update(cut_over_at=None):
            raise VerbRefused("not_cut_over")
        Event.record(Event.Action.CUT_OVER_UNDONE, actor=actor, domain=domain, **_why(reason))
    domain.refresh_from_db(fields=["cut_over_at"])


def finish(domain: Domain, *, actor: str, reason: str = "") -> None:
    """End the move of the domain: no mail leaves any more, and the door tells owners to go to the target.

    Raises VerbRefused before the cut-over, while a push is open, and without a reason while mailboxes are.
    """
    with transaction.atomic():
        held = Domain.objects.select_for_update(of=("self",)).get(pk=domain.pk)
        if held.ended_at:
            raise VerbRefused("ended")
        if held.cut_over_at is None:
            raise VerbRefused("not_cut_over")
        pushes = Push.objects.filter(mailbox__domain=held)
        if pushes.filter(state__in=(*Push.OPEN, Push.State.IN_FLIGHT, Push.State.SETTLING)).exists():
            raise VerbRefused("pushes_open")
        done, all_ = _completion(held)
        if done < all_ and not reason.strip():
            raise VerbRefused("still_open")
        Domain.objects.filter(pk=held.pk).update(ended_at=timezone.now())
        held.mailings.filter(state__in=Mailing.OPEN).update(state=Mailing.State.CANCELLED)
        Event.record(Event.Action.FINISHED, actor=actor, domain=held, done=done, all=all_, **_why(reason))
    domain.refresh_from_db(fields=["ended_at"])


def _completion(domain: Domain) -> tuple[int, int]:
    """Mailboxes that are done, and those that take part."""
    taking_part = Mailbox.objects.filter(domain=domain).exclude(state=Mailbox.State.EXCLUDED)
    numbers = taking_part.aggregate(done=Count("pk", filter=Q(state__in=Mailbox.DONE)), all=Count("pk"))
    return numbers["done"], numbers["all"]


def _why(reason: str) -> dict[str, Any]:
    return {"reason": reason.strip()} if reason.strip() else {}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
