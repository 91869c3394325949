"""The breaker: once mailcow turns us away, no call is made until a person says so.

Every 401 counts towards a ban of our address, so nothing here ever probes.
"""

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from .mailcow.errors import Reason
from .models import Event, Target

log = structlog.get_logger(__name__)


def locked_target() -> Target:
    """The row of the one mailcow we push to, locked until the caller's transaction ends."""
    Target.objects.get_or_create(name=_name())
    return Target.objects.select_for_update().get(name=_name())


def trip(reason: Reason) -> None:
    """Open the breaker, unless it is open; part of the transaction that gives the push back."""
    closed = Target.objects.filter(name=_name(), breaker_opened_at=None)
    if closed.update(breaker_opened_at=Now(), breaker_reason=reason.value):
        Event.record(Event.Action.BREAKER_OPENED, actor="worker", target=_name(), reason=reason.value)
        log.error("breaker_opened", reason=reason.value)


def close(target: Target, *, actor: str) -> None:
    """Let transfers go on: what was wrong has been mended."""
    with transaction.atomic():
        Target.objects.filter(pk=target.pk).update(breaker_opened_at=None, breaker_reason="")
        Event.record(Event.Action.BREAKER_CLOSED, actor=actor, target=target.name)
    target.refresh_from_db()


def _name() -> str:
    return settings.MAILCOW_URL.partition("://")[2][:40]
