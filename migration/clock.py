"""The clock: carries out what is due of the plans, by day, each step once however many clocks run.

What makes a step happen once lies in the rows it changes: the pre-announcement is queued under the domain's lock,
an invitation needs a mailbox nobody has invited, a reminder one nobody has written to in the last hours. So a run may
stop at any point; the next one goes on. The row of the step only says that it is complete.
"""

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from . import campaign, domains, plan, reminders
from .mailings import compose
from .models import Domain, Mailing, PlanStep
from .plan import Due, Kind
from .refusals import VerbRefused

log = structlog.get_logger(__name__)

ACTOR = "clock"


def tick() -> int:
    """Carry out what is due of all domains that are not paused. Returns how many steps were.

    At most one step of a domain: what comes after it is looked at anew by the next tick.
    """
    now = timezone.now()
    if not plan.in_hours(now) or campaign.paused():
        return 0
    found = list(plan.running().filter(paused_at=None))
    known, today, carried = plan.facts(found), timezone.localdate(now), 0
    for domain in found:
        steps = plan.due(domain, known[domain.pk], today)
        ready = [step for step in steps if not plan.hindrance(domain, step.kind, known[domain.pk])]
        if ready:
            carried += _tried(domain, ready[0])
    return carried


def _tried(domain: Domain, due: Due) -> bool:
    try:
        number = _STEPS[due.kind](domain, due)
    except VerbRefused as refused:
        log.warning("plan_step_refused", domain=domain.pk, step=due.kind, reason=refused.code)
        return False
    except Exception as error:  # noqa: BLE001 - one domain's trouble must not stop the others
        log.error("plan_step_failed", domain=domain.pk, step=due.kind, error=type(error).__name__)  # noqa: TRY400
        return False
    log.info("plan_step", domain=domain.pk, step=due.kind, day=str(due.day), number=number)
    return True


def _announce(domain: Domain, _due: Due) -> int:
    with transaction.atomic():
        held = Domain.objects.select_for_update(of=("self",)).select_related("customer").get(pk=domain.pk)
        if held.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT).exists():
            return 0
        subject, text = compose.draft(held)
        domains.announce(held, actor=ACTOR, subject=subject, text=text)
    return 1


def _invite(domain: Domain, due: Due) -> int:
    return _done(domain, due, domains.start(domain, actor=ACTOR))


def _remind(domain: Domain, due: Due) -> int:
    return _done(domain, due, reminders.remind_all(domain, actor=ACTOR))


def _tell_contact(domain: Domain, due: Due) -> int:
    return _done(domain, due, int(reminders.tell_contact(domain)))


def _finish(domain: Domain, _due: Due) -> int:
    domains.finish(domain, actor=ACTOR)
    return 0


def _done(domain: Domain, due: Due, number: int) -> int:
    """Note the step; of two clocks at once each adds what it did itself."""
    step, _made = PlanStep.objects.get_or_create(domain=domain, kind=due.kind, day=due.day)
    PlanStep.objects.filter(pk=step.pk).update(number=F("number") + number)
    return number


_STEPS = {
    Kind.ANNOUNCE: _announce,
    Kind.INVITE: _invite,
    Kind.REMIND: _remind,
    Kind.SUMMARY: _tell_contact,
    Kind.END: _finish,
}
