"""Bans of the new server: whom its Fail2ban keeps out, which owners that may be, and lifting one.

A device that goes on with the old password gets its address banned, and its owner cannot even sign in with the new one.
A worker asks mailcow every five minutes at most and keeps the answer; the desk only reads it, for the web process has
no key. A wish to lift a ban is a row, and a worker carries it out: doing it twice does no harm.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from . import breaker, doorbell
from .mailcow import bans as fail2ban
from .mailcow.client import Client
from .mailcow.errors import Blocked, MailcowError, Reason, Refused
from .models import Ban, BanPoll, Event, Lifting, Mailbox, SourceLogin, Target
from .refusals import VerbRefused
from .retention import Rule, pks
from .target import client

log = structlog.get_logger(__name__)

ASK_EVERY = timedelta(minutes=5)
# Two calls to mailcow fit in; a worker that died gives the wish back after that.
AGAIN_AFTER = timedelta(minutes=3)
TRIES = 5
# The longest ban of a stock mailcow is 167 minutes: a wish older than this is no longer what was meant.
TOO_LATE = timedelta(hours=1)
# Addresses are kept whole that long, see the retention table.
SEEN_WITHIN = timedelta(days=7)
NAMES_A_BAN = 5


# --- Asking -----------------------------------------------------------------------------------------------------------


def poll() -> int | None:
    """Ask mailcow what is banned and keep the answer. Returns how many; None when nothing was asked or answered."""
    mailcow = _mailcow()
    if mailcow is None or not _claim_poll():
        return None
    try:
        told = fail2ban.banned(mailcow)
    except MailcowError as error:
        _note_problem(error)
        return None
    return _keep(told)


def _claim_poll() -> bool:
    BanPoll.objects.get_or_create(pk=BanPoll.ONLY)
    free = Q(asked_at=None) | Q(asked_at__lte=Now() - ASK_EVERY)
    return BanPoll.objects.filter(free).update(asked_at=Now(), problem="") == 1


def _note_problem(error: MailcowError) -> None:
    with transaction.atomic():
        if isinstance(error, Refused):
            breaker.locked_target()  # made here if no push was ever claimed
            breaker.trip(error.reason)
        BanPoll.objects.update(problem=error.reason.value)
    log.warning("bans_not_told", reason=error.reason.value)


def _keep(told: list[fail2ban.Ban]) -> int:
    now = timezone.now()
    rows = [
        Ban(
            network=ban.network,
            until=None if ban.seconds_left is None else now + timedelta(seconds=ban.seconds_left),
            is_queued=ban.queued,
        )
        for ban in told
    ]
    with transaction.atomic():
        BanPoll.objects.get_or_create(pk=BanPoll.ONLY)
        BanPoll.objects.select_for_update().get(pk=BanPoll.ONLY)  # of two answers one is kept, whole
        Ban.objects.all().delete()
        Ban.objects.bulk_create(rows, batch_size=500)
        BanPoll.objects.update(answered_at=Now(), problem="")
    return len(rows)


def _mailcow() -> Client | None:
    """The client, unless there is no key here or mailcow is to be spared."""
    if Target.objects.filter(Q(breaker_opened_at__isnull=False) | Q(probe_after__isnull=False)).exists():
        return None
    try:
        return client()
    except ValueError as error:
        log.error("mailcow_not_configured", problem=str(error))  # noqa: TRY400 - the sentence says it all
        return None


# --- Showing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A ban, the mailboxes whose owners were seen there within a week, and the newest wish to lift it."""

    ban: Ban
    mailboxes: Sequence[Mailbox]
    lifting: Lifting | None

    @property
    def can_be_lifted(self) -> bool:
        """Not for good, and nobody is at it."""
        asked = self.lifting is not None and self.lifting.state == Lifting.State.ASKED
        return self.ban.until is not None and not self.ban.is_queued and not asked


def shown() -> list[Shown]:
    """The bans that last, those of known mailboxes first. The number of queries does not depend on that of bans."""
    bans = list(Ban.objects.filter(Q(until=None) | Q(until__gt=Now())))
    owners = _owners(bans)
    newest = {lifting.network: lifting for lifting in Lifting.objects.order_by("id")}
    rows = [Shown(ban, owners.get(ban.network, []), newest.get(ban.network)) for ban in bans]
    return sorted(rows, key=lambda row: (not row.mailboxes, row.ban.network))


def last_answer() -> BanPoll | None:
    """When mailcow was asked and answered last."""
    return BanPoll.objects.first()


def _owners(bans: Iterable[Ban]) -> dict[str, list[Mailbox]]:
    """By network the mailboxes whose newest login on the old server, or a sign-in here, came from there."""
    networks = {ban.network: ipaddress.ip_network(ban.network) for ban in bans}
    if not networks:
        return {}
    since = timezone.now() - SEEN_WITHIN
    logins = SourceLogin.objects.filter(at__gt=since, ip__isnull=False)
    visits = Event.objects.filter(at__gt=since, ip__isnull=False, actor="owner", mailbox__isnull=False).order_by()
    seen = {(ip, pk) for rows in (logins, visits) for ip, pk in rows.values_list("ip", "mailbox").distinct() if ip}
    single = {str(net.network_address): name for name, net in networks.items() if net.num_addresses == 1}
    wide = [(name, net) for name, net in networks.items() if net.num_addresses > 1]
    found = defaultdict[str, set[int]](set)
    for ip, pk in seen:
        if ip in single:
            found[single[ip]].add(pk)
        for name, net in wide:
            if ipaddress.ip_address(ip) in net:
                found[name].add(pk)
    chosen = {name: sorted(numbers)[:NAMES_A_BAN] for name, numbers in found.items()}
    rows = Mailbox.objects.select_related("domain").defer("legacy_hash")
    mailboxes = rows.in_bulk({pk for numbers in chosen.values() for pk in numbers})
    return {name: [mailboxes[pk] for pk in numbers if pk in mailboxes] for name, numbers in chosen.items()}


# --- Lifting ----------------------------------------------------------------------------------------------------------


def ask_to_lift(network: str, *, actor: str) -> Lifting:
    """Wish that a ban we know of is lifted. Raises VerbRefused: none such, for good, or somebody wished it already."""
    with transaction.atomic():
        ban = Ban.objects.filter(network=network).first()
        if ban is None or (ban.until and ban.until <= timezone.now()):
            raise VerbRefused("no_ban")
        if ban.until is None:
            raise VerbRefused("banned_for_good")
        lifting, is_new = Lifting.objects.get_or_create(
            network=network, state=Lifting.State.ASKED, defaults={"asked_by": actor}
        )
        if not is_new or ban.is_queued:
            raise VerbRefused("ban_is_lifted")
        doorbell.ring("lift_ban", lifting.pk)
    return lifting


def due() -> QuerySet[Lifting]:
    """The wishes to carry out now. Those nobody got to for an hour are given up on the way."""
    asked = Lifting.objects.filter(state=Lifting.State.ASKED)
    asked.filter(asked_at__lte=Now() - TOO_LATE).update(state=Lifting.State.FAILED, reason="too_late")
    return asked.filter(due_at__lte=Now()).order_by("pk")


def lift(pk: int) -> None:
    """Carry out this wish if it is due and nobody else does. Safe to call twice, late, or for a row that is gone."""
    mailcow = _mailcow()
    if mailcow is None:
        return
    if not due().filter(pk=pk).update(due_at=Now() + AGAIN_AFTER, attempts=F("attempts") + 1):
        return
    lifting = Lifting.objects.get(pk=pk)
    try:
        told = fail2ban.lift(mailcow, lifting.network)
    except MailcowError as error:
        _note_problem(error)
        if isinstance(error, Blocked) or lifting.attempts >= TRIES:
            _fail(lifting, error.reason)
        return
    owners: list[Mailbox | None] = [*_owners([Ban(network=lifting.network)]).get(lifting.network, [])]
    with transaction.atomic():
        if not _asked(lifting).update(state=Lifting.State.DONE, reason=""):
            return
        ip = str(ipaddress.ip_network(lifting.network).network_address)
        for mailbox in owners or [None]:
            Event.record(Event.Action.BAN_LIFTED, actor=lifting.asked_by, mailbox=mailbox, ip=ip)
    _keep(told)
    log.info("ban_lifted", lifting=lifting.pk)


def _fail(lifting: Lifting, reason: Reason) -> None:
    _asked(lifting).update(state=Lifting.State.FAILED, reason=reason.value)


def _asked(lifting: Lifting) -> QuerySet[Lifting]:
    return Lifting.objects.filter(pk=lifting.pk, state=Lifting.State.ASKED)


# --- Retention --------------------------------------------------------------------------------------------------------


def _ended(before: datetime) -> list[Any]:
    return pks(Ban.objects.filter(until__lt=before))


def _old_liftings(before: datetime) -> list[Any]:
    return pks(Lifting.objects.filter(asked_at__lt=before))


RULES = (
    Rule(
        "ban",
        gettext_noop("a ban that is over is deleted, should mailcow not have told so"),
        timedelta(days=1),
        _ended,
        lambda chosen: Ban.objects.filter(pk__in=chosen).delete(),
    ),
    Rule(
        "lifting",
        gettext_noop("a wish to lift a ban is deleted"),
        timedelta(days=7),
        _old_liftings,
        lambda chosen: Lifting.objects.filter(pk__in=chosen).delete(),
    ),
)
