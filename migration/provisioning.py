"""Making a domain on mailcow: ask for a check, begin, claim, work, reap; `making` carries a claimed row out.

The row is the job, as in the push outbox: a claim is a conditional UPDATE under the target's lock, so that pushes and
this together never have more writes in flight than allowed. Of these rows one is in flight at a time: mailboxes can
wait, passwords cannot. The domain comes first, then its mailboxes, then its aliases.
"""

import time
import uuid

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from . import breaker, campaign, conflicts, doorbell, making, restore_guard, wanted
from .conflicts import Found, Wanted
from .findings import Severity
from .mailcow import provisioning as verbs
from .mailcow.client import Client
from .mailcow.errors import MailcowError, Missing, Refused
from .models import Domain, Event, Mailbox, ProvisionedObject, Provisioning, Target
from .refusals import VerbRefused
from .target import client

log = structlog.get_logger(__name__)
Kind, State = ProvisionedObject.Kind, ProvisionedObject.State

# A task that works on and on meets Celery's time limit in the middle of a call.
TIRED_SECONDS = 45
# So many unclear answers one after the other, and the rest waits for the next sweep.
UNCLEAR_AT_MOST = 3
FINDINGS_KEPT = 1_000
BATCH = 500
# Left in the database by whoever reads rows with their mailboxes.
HASHES = ("mailbox__legacy_hash",)


# --- The check --------------------------------------------------------------------------------------------------------


def ask_for_check(domain: Domain) -> None:
    """Let a worker compare the domain with mailcow."""
    with transaction.atomic():
        row, _ = Provisioning.objects.update_or_create(domain=domain, defaults={"check_due_at": timezone.now()})
        doorbell.ring("check_target", row.pk)


def compare(domain: Domain, mailcow: Client) -> tuple[Wanted, Found]:
    """What is wanted and what mailcow has. Reads only. Raises MailcowError."""
    facts = None
    try:
        facts = verbs.domain(mailcow, domain.name)
    except Missing:
        return wanted.of(domain), Found()
    if facts.name != domain.name:
        return wanted.of(domain), Found(facts)
    found = Found(facts, tuple(mailcow.mailboxes(domain.name)), tuple(verbs.aliases(mailcow, domain.name)))
    return wanted.of(domain), found


def check(pk: int) -> None:
    """Carry out the check somebody waits for; a second call finds nothing to do."""
    row = Provisioning.objects.select_related("domain").filter(pk=pk, check_due_at__isnull=False).first()
    if row is None:
        return
    changes: dict[str, object] = {"problem": ""}
    opened = Target.objects.filter(breaker_opened_at__isnull=False).values_list("breaker_reason", flat=True).first()
    try:
        if opened is not None:
            changes = {"problem": opened[:20]}
        else:
            changes |= note(*compare(row.domain, client()))
    except Refused as error:
        with transaction.atomic():
            breaker.locked_target()
            breaker.trip(error.reason)
        changes = {"problem": error.reason.value}
    except MailcowError as error:
        changes = {"problem": error.reason.value}
    except ValueError as error:
        log.error("mailcow_not_configured", problem=str(error))  # noqa: TRY400 - the sentence says it all
        return
    Provisioning.objects.filter(pk=pk, check_due_at=row.check_due_at).update(check_due_at=None, **changes)
    log.info("target_checked", domain=row.domain_id, problem=changes["problem"])


def note(what: Wanted, found: Found) -> dict[str, object]:
    """The columns of a check that brought something."""
    findings = [finding.kept for finding in conflicts.check(what, found)[:FINDINGS_KEPT]]
    missing = {kind.value: number for kind, number in conflicts.to_make(what, found).items()}
    return {"findings": findings, "to_make": missing, "checked_at": Now()}


# --- Begin ------------------------------------------------------------------------------------------------------------


def start(domain: Domain, *, actor: str) -> int:
    """Queue everything of the domain that is not excluded, also what is done: it is looked at once more.

    Returns how many objects that are. Raises VerbRefused: not_checked, must_be_mended, paused.
    """
    row = Provisioning.objects.filter(domain=domain).first()
    if row is None or row.checked_at is None or row.problem or row.check_due_at:
        raise VerbRefused("not_checked")
    if any(finding.severity is Severity.STOP for finding in row.found):
        raise VerbRefused("must_be_mended")
    if Domain.objects.filter(pk=domain.pk, paused_at__isnull=False).exists():
        raise VerbRefused("paused")
    with transaction.atomic():
        _queue(domain)
        number = part(domain).count()
        Provisioning.objects.filter(pk=row.pk).update(started_at=Now(), started_by=actor, finished_at=None)
        Event.record(Event.Action.PROVISION_STARTED, actor=actor, domain=domain, objects=number)
        doorbell.ring("provision", row.pk)
    return number


def _queue(domain: Domain) -> None:
    boxes = Mailbox.objects.filter(domain=domain, provisioned=None).exclude(state=Mailbox.State.EXCLUDED)
    rows = [ProvisionedObject(domain=domain, kind=Kind.DOMAIN)]
    rows += [
        ProvisionedObject(domain=domain, kind=Kind.MAILBOX, mailbox_id=pk)
        for pk in boxes.order_by("local_part").values_list("pk", flat=True)
    ]
    rows += [
        ProvisionedObject(domain=domain, kind=Kind.ALIAS, alias_id=pk)
        for pk in domain.aliases.filter(provisioned=None).order_by("local_part").values_list("pk", flat=True)
    ]
    again = ProvisionedObject.objects.filter(domain=domain).exclude(state=State.IN_FLIGHT)
    again.update(state=State.QUEUED, due_at=Now(), reason="", detail={}, attempts=0)
    ProvisionedObject.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


def part(domain: Domain) -> QuerySet[ProvisionedObject]:
    """The rows of the domain that count; a mailbox excluded meanwhile does not."""
    return ProvisionedObject.objects.filter(~_excluded(), domain=domain)


def counts(domain: Domain) -> dict[str, int]:
    """How many objects of the domain are in which state; states without any are left out."""
    return dict(part(domain).order_by().values("state").annotate(n=Count("pk")).values_list("state", "n"))


# --- The work ---------------------------------------------------------------------------------------------------------


def due(pk: int | None = None) -> QuerySet[ProvisionedObject]:
    """The rows a worker may take now, of all domains or of one `Provisioning`. The domain itself comes first."""
    done = ProvisionedObject.objects.filter(kind=Kind.DOMAIN, state__in=ProvisionedObject.DONE)
    rows = ProvisionedObject.objects.filter(
        ~_excluded(),
        Q(kind=Kind.DOMAIN) | Exists(done.filter(domain=OuterRef("domain"))),
        restore_guard.is_open(),
        campaign.runs(),
        state__in=ProvisionedObject.OPEN,
        due_at__lte=Now(),
        domain__paused_at=None,
    )
    return (rows.filter(domain__provisioning=pk) if pk else rows).order_by("due_at", "pk")


def claim(pk: int) -> ProvisionedObject | None:
    """Take the row of this `Provisioning` that is longest due.

    None if there is none, if one of any domain is in flight, or if no call is allowed now.
    """
    with transaction.atomic():
        target = breaker.locked_target()
        if ProvisionedObject.objects.filter(state=State.IN_FLIGHT).exists():
            return None
        if not breaker.allows(target, in_flight=breaker.in_flight()):
            return None
        thing = due(pk).select_related("domain", "mailbox__domain", "alias__domain").defer(*HASHES).first()
        if thing is None:
            return None
        thing.lease = uuid.uuid4().hex
        taken = {"state": State.IN_FLIGHT, "lease": thing.lease, "lease_until": Now() + settings.PUSH_LEASE}
        rows = ProvisionedObject.objects.filter(pk=thing.pk, state__in=ProvisionedObject.OPEN)
        if not rows.update(**taken, attempts=F("attempts") + 1):
            return None
        breaker.note_claim(target)
    thing.attempts += 1
    thing.is_probe = target.probe_after is not None
    return thing


def work(pk: int, *, tired_after: float = TIRED_SECONDS) -> int:
    """Make what is due of this `Provisioning`, one after the other. Returns how many rows were taken.

    Stops when mailcow is unclear again and again, and when it is tired; the sweep goes on.
    """
    try:
        mailcow = client()
    except ValueError as error:
        log.error("mailcow_not_configured", problem=str(error))  # noqa: TRY400 - the sentence says it all
        return 0
    taken = unclear = 0
    tired_at = time.monotonic() + tired_after
    while unclear < UNCLEAR_AT_MOST and time.monotonic() < tired_at and (thing := claim(pk)):
        taken += 1
        unclear = 0 if making.make(thing, mailcow) else unclear + 1
        _finish(thing.domain)
    if unclear < UNCLEAR_AT_MOST and time.monotonic() >= tired_at:
        ring()
    return taken


def ring() -> None:
    """Ring for what is due, and for the checks somebody waits for."""
    for pk in Provisioning.objects.filter(check_due_at__isnull=False).values_list("pk", flat=True):
        doorbell.ring("check_target", pk)
    if first := due().values_list("domain__provisioning", flat=True).first():
        doorbell.ring("provision", first)


def reap_leases() -> int:
    """Give rows back whose worker died: they are looked at before anything is repeated. Returns how many."""
    dead = ProvisionedObject.objects.filter(state=State.IN_FLIGHT, lease_until__lt=Now())
    number = dead.update(state=State.WAITING, due_at=Now(), lease="", lease_until=None)
    if number:
        log.warning("making_leases_reaped", again=number)
    return number


def _finish(domain: Domain) -> None:
    """Say so once, when nothing of the domain is open any more."""
    if part(domain).filter(state__in=(*ProvisionedObject.OPEN, State.IN_FLIGHT)).exists():
        return
    with transaction.atomic():
        if Provisioning.objects.filter(domain=domain, finished_at=None).update(finished_at=Now()):
            Event.record(Event.Action.PROVISIONED, actor="worker", domain=domain, objects=counts(domain))


def _excluded() -> Q:
    return Q(mailbox__state=Mailbox.State.EXCLUDED, mailbox__isnull=False)
