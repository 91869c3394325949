"""The same verb on many mailboxes of a domain: begin, work it off, each mailbox once. `outlook` foretells it.

What was chosen is kept as parts; a part is a row that goes in the transaction that did it, and its mailboxes keep to
the verb's own rules. A killed worker's part was not done at all, so it is done whole by the next one.
"""

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from . import campaign, doorbell, kinds, mailboxes, reminders, restore_guard
from .mailings import outbox
from .models import BulkPart, BulkRun, Domain, Event, Mailbox, Mailing
from .refusals import VerbRefused
from .retention import Rule, pks
from .states import may

log = structlog.get_logger(__name__)

# So many are done while somebody waits for the page; more are a worker's.
AT_ONCE = 100
# Few enough that an owner who signs in meanwhile waits for no more than a moment.
PART = 50
LEASE = timedelta(minutes=2)
# A task that works on and on meets Celery's time limit in the middle of a part.
TIRED_SECONDS = 120

Verb, Action = BulkRun.Verb, Event.Action


@dataclass(frozen=True)
class Wish:
    """What is to be done to each: the verb, its reason, and for `set_kind` the kind."""

    verb: BulkRun.Verb
    reason: str = ""
    kind: str = ""


def begin(domain: Domain, chosen: Sequence[int], wish: Wish, *, actor: str, key: uuid.UUID) -> BulkRun:
    """Do it to the mailboxes of these numbers: up to a hundred at once, more by a worker.

    A `key` that was used before is the same form once more: its run is returned and nothing happens. Numbers of other
    domains are nothing. Raises VerbRefused when the domain allows it to nobody, a reason is missing, or the same verb
    is being carried out there already.
    """
    refuse(domain, wish, key=key)
    with transaction.atomic():
        Domain.objects.select_for_update(of=("self",)).get(pk=domain.pk)
        if earlier := BulkRun.objects.filter(key=key).first():
            return earlier
        if domain.bulk_runs.filter(verb=wish.verb, ended_at=None).exists():
            raise VerbRefused("bulk_open")
        wanted = sorted(set(chosen))
        run = BulkRun.objects.create(
            domain=domain,
            verb=wish.verb,
            kind=wish.kind,
            reason=wish.reason.strip(),
            actor=actor,
            key=key,
            chosen=len(wanted),
        )
        parts = (BulkPart(run=run, mailboxes=wanted[start : start + PART]) for start in range(0, len(wanted), PART))
        BulkPart.objects.bulk_create(parts, batch_size=500)
        verb = str(wish.verb)
        Event.record(Action.BULK_STARTED, actor=actor, domain=domain, verb=verb, chosen=len(wanted), run=run.pk)
        if run.chosen > AT_ONCE:
            doorbell.ring("work_bulk", run.pk)
    if run.chosen <= AT_ONCE:
        work(run.pk)
        run.refresh_from_db()
    return run


def refuse(domain: Domain, wish: Wish, *, key: uuid.UUID | None = None) -> None:
    """Raise VerbRefused if the verb may be done to nobody of the domain now; never for what was begun with the key."""
    if key and BulkRun.objects.filter(key=key).exists():
        return
    if domain.paused_at:
        raise VerbRefused("paused")
    if campaign.paused():
        raise VerbRefused("all_paused")
    if wish.verb == Verb.INVITE:
        mailboxes.refuse_invitations(domain, wish.reason)
    if wish.verb == Verb.REMIND:
        reminders.refuse(domain)
    if wish.verb in (Verb.EXCLUDE, Verb.INCLUDE) and not wish.reason.strip():
        raise VerbRefused("no_reason")


def due() -> QuerySet[BulkRun]:
    """The runs nobody works on although there is work, the oldest first; what is paused waits on purpose."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    runs = BulkRun.objects.filter(free, restore_guard.is_open(), campaign.runs(), ended_at=None)
    return runs.filter(domain__paused_at=None).order_by("pk")


def work(pk: int, *, tired_after: float = TIRED_SECONDS) -> None:
    """Work the run off, if it is due. After `tired_after` seconds the rest is left to the next call, which is rung for.

    Safe to call twice, late, or for a run that is over.
    """
    lease = uuid.uuid4().hex
    if not BulkRun.objects.filter(pk__in=due().filter(pk=pk).values("pk")).update(
        lease=lease, lease_until=Now() + LEASE
    ):
        return
    tired_at = time.monotonic() + tired_after
    while _work_part(pk, lease):
        if time.monotonic() >= tired_at or not _goes_on(pk):
            break
    free = BulkRun.objects.filter(pk=pk, lease=lease)
    if free.update(lease="", lease_until=None) and free.filter(ended_at=None).exists():
        doorbell.ring("work_bulk", pk)


def _goes_on(pk: int) -> bool:
    """Whether nobody has paused anything since."""
    held = BulkRun.objects.filter(pk=pk, domain__paused_at__isnull=False).exists()
    return not (held or campaign.paused() or restore_guard.stopped_since())


def _work_part(pk: int, lease: str) -> bool:
    """Do one part: all of it or nothing. Returns whether there may be more."""
    with transaction.atomic():
        ours = BulkRun.objects.filter(pk=pk, lease=lease, ended_at=None)
        run = ours.select_for_update(of=("self",)).select_related("domain").first()
        if run is None:
            return False
        part = run.parts.first()
        if part is None:
            ours.update(ended_at=timezone.now())
            log.info("bulk_ended", run=pk, verb=run.verb, done=run.done, left_out=run.left_out)
            return False
        done, refused = _do(run, part.mailboxes)
        told = dict(Counter(run.refused) + refused)
        ours.update(done=F("done") + done, refused=told, lease_until=Now() + LEASE)
        part.delete()
    return True


def _do(run: BulkRun, pks: list[int]) -> tuple[int, Counter[str]]:
    """How many were changed, and how many were refused for which reason."""
    rows = Mailbox.objects.filter(domain=run.domain, pk__in=pks).select_related("domain__customer")
    found = list(rows.defer("legacy_hash").order_by("pk"))
    refused = Counter({"gone": len(pks) - len(found)})
    if run.verb == Verb.SET_KIND:
        changed = kinds.set_kind(found, Mailbox.Kind(run.kind), actor=run.actor)
        return changed, +(refused + Counter({"same_kind": len(found) - changed}))
    done, mails = 0, []
    for mailbox in found:
        try:
            result = _carry_out(run, mailbox)
        except VerbRefused as why:
            refused[why.code] += 1
        else:
            done += 1
            mails += [result.pk] if isinstance(result, Mailing) else []
    if mails and run.chosen > 1:
        # Nobody waits for them: somebody's own mail leaves first.
        Mailing.objects.filter(pk__in=mails).update(is_bulk=True)
        transaction.on_commit(outbox.wake)
    return done, +refused


def _carry_out(run: BulkRun, mailbox: Mailbox) -> object:
    alone = run.chosen == 1
    if run.verb == Verb.INVITE and may(mailbox, "invite"):
        return mailboxes.invite(mailbox, actor=run.actor, reason=run.reason, rings=alone)
    if run.verb == Verb.INVITE:
        return mailboxes.re_invite(mailbox, actor=run.actor, rings=alone)
    if run.verb == Verb.REMIND:
        return reminders.remind(mailbox, actor=run.actor, rings=alone)
    if run.verb == Verb.RETRY:
        return mailboxes.retry_push(mailbox, actor=run.actor)
    verb = mailboxes.exclude if run.verb == Verb.EXCLUDE else mailboxes.include
    verb(mailbox, actor=run.actor, reason=run.reason)
    return None


def _ended(before: datetime) -> list[Any]:
    return pks(BulkRun.objects.filter(ended_at__lt=before))


def _delete(chosen: Sequence[Any]) -> None:
    BulkRun.objects.filter(pk__in=chosen).delete()


RULES = (
    Rule(
        "bulk",
        gettext_noop("a verb on many mailboxes is deleted after it ended, with its reason"),
        timedelta(days=90),
        _ended,
        _delete,
    ),
)
