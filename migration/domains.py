"""The verbs on a domain: announce, start, pause, resume."""

from django.db import transaction
from django.utils import timezone

from . import mailboxes
from .mailings import outbox
from .models import Domain, Event, Mailing


def announce(domain: Domain, *, actor: str, subject: str, text: str) -> Mailing:
    """Tell the customer's contact what will move. The text is kept as it was sent."""
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


def start(domain: Domain, *, actor: str, reason: str = "") -> int:
    """Invite every mailbox that was imported and not invited yet, but for those invited on request only.

    Returns how many. Raises VerbRefused.
    """
    return mailboxes.invite_all(domain, actor=actor, reason=reason)


def pause(domain: Domain, *, actor: str) -> bool:
    """Hold back every mail and push of the domain. Returns False when it was paused already."""
    return _set_paused(domain, Event.Action.PAUSED, actor)


def resume(domain: Domain, *, actor: str) -> bool:
    """Let mails and pushes go on. Returns False when the domain was not paused."""
    return _set_paused(domain, Event.Action.RESUMED, actor)


def _set_paused(domain: Domain, action: Event.Action, actor: str) -> bool:
    pausing = action == Event.Action.PAUSED
    with transaction.atomic():
        rows = Domain.objects.filter(pk=domain.pk, paused_at__isnull=pausing)
        changed = rows.update(paused_at=timezone.now() if pausing else None) == 1
        if changed:
            Event.record(action, actor=actor, domain=domain)
    domain.refresh_from_db(fields=["paused_at"])
    return changed
