"""The one switch for all domains together: while it is off, no mail leaves, nothing is transferred, no clock runs."""

from django.db import transaction
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.utils import timezone

from .models import Campaign, Domain, Event
from .refusals import VerbRefused

RUNS = "NOT EXISTS (SELECT 1 FROM migration_campaign WHERE paused_at IS NOT NULL)"
"""The condition of every claim: the whole move is not paused."""


def runs() -> RawSQL:
    """The same for a claim that is no plain statement."""
    return RawSQL(RUNS, (), output_field=BooleanField())  # noqa: S611 - our own text


def paused() -> Campaign | None:
    """Since when, by whom and why everything is paused; None if it is not."""
    return Campaign.objects.filter(paused_at__isnull=False).first()


def refuse_mails(domain: Domain) -> None:
    """Raise VerbRefused if no mail may be queued for people of the domain: it is paused or finished."""
    if domain.paused_at or domain.ended_at:
        raise VerbRefused("paused" if domain.paused_at else "ended")


def pause(*, actor: str, reason: str = "") -> bool:
    """Hold back every mail, reminder and push of all domains. Returns False when that was so already."""
    Campaign.objects.get_or_create(pk=Campaign.ONLY)
    values = {"paused_at": timezone.now(), "paused_by": actor, "paused_reason": reason.strip()}
    with transaction.atomic():
        changed = Campaign.objects.filter(pk=Campaign.ONLY, paused_at=None).update(**values) == 1
        if changed:
            Event.record(Event.Action.PAUSED, actor=actor, reason=reason.strip())
    return changed


def resume(*, actor: str) -> bool:
    """Let all domains go on that are not paused by themselves. Returns False when nothing was paused."""
    with transaction.atomic():
        rows = Campaign.objects.filter(paused_at__isnull=False)
        changed = rows.update(paused_at=None, paused_by="", paused_reason="") == 1
        if changed:
            Event.record(Event.Action.RESUMED, actor=actor)
    return changed
