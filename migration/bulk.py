"""The same verb on many mailboxes of a domain: look what it would do, begin, work it off, each mailbox once.

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
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from . import campaign, doorbell, kinds, mailboxes, reminders, restore_guard
from .mailings import outbox
from .models import BulkPart, BulkRun, Domain, Event, FirstLogin, Mailbox, Mailing, Push
from .refusals import SENTENCES, VerbRefused
from .retention import Rule, pks
from .states import TRANSITIONS, may

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


def begin(domain: Domain, chosen: Sequence[int], wish: Wish, *, actor: str, key: uuid.UUID) -> BulkRun:
    """Do it to the mailboxes of these numbers: up to a hundred at once, more by a worker.

    A `key` that was used before is the same form once more: its run is returned and nothing happens. Numbers of other
    domains are nothing. Raises VerbRefused when the domain allows it to nobody, or a reason is missing.
    """
    if earlier := BulkRun.objects.filter(key=key, domain=domain).first():
        return earlier
    refuse(domain, wish)
    with transaction.atomic():
        fields = {"domain": domain, "verb": wish.verb, "kind": wish.kind, "reason": wish.reason.strip()}
        run, is_new = BulkRun.objects.get_or_create(key=key, defaults=fields | {"actor": actor, "chosen": len(chosen)})
        if is_new:
            wanted = sorted(set(chosen))
            parts = (BulkPart(run=run, mailboxes=wanted[start : start + PART]) for start in range(0, len(wanted), PART))
            BulkPart.objects.bulk_create(parts, batch_size=500)
            verb = str(wish.verb)
            Event.record(Action.BULK_STARTED, actor=actor, domain=domain, verb=verb, chosen=len(chosen), run=run.pk)
            if len(chosen) > AT_ONCE:
                doorbell.ring("work_bulk", run.pk)
    if len(chosen) <= AT_ONCE:
        work(run.pk)
        run.refresh_from_db()
    return run


def refuse(domain: Domain, wish: Wish) -> None:
    """Raise VerbRefused if the verb may be done to nobody of the domain now."""
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


def _ended(before: datetime) -> list[Any]:
    return pks(BulkRun.objects.filter(ended_at__lt=before))


def _delete(chosen: Sequence[Any]) -> None:
    BulkRun.objects.filter(pk__in=chosen).delete()


RULES = (
    Rule(
        "bulk",
        "a verb on many mailboxes is deleted after it ended, with its reason",
        timedelta(days=90),
        _ended,
        _delete,
    ),
)
