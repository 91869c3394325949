"""Real logins: who was seen on the new server, and who still is on the old one.

mailcow is asked domain by domain, at most every ten minutes each, and only while somebody of the domain has a working
new password and was not seen yet. The old server is not asked at all: its log is read (`imports.login_log`).
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from . import breaker, mailboxes
from .addresses import Address
from .imports.login_log import SeenLogin
from .mailcow.errors import MailcowError, Reason, Refused
from .mailcow.logins import Logins, logins_of
from .mailcow.replies import MailboxFacts
from .models import Domain, LoginPoll, Mailbox, Push, SourceLogin, Target, TargetLogin
from .retention import network_of
from .target import client

log = structlog.get_logger(__name__)

ASK_EVERY = timedelta(minutes=10)
# A task that goes on and on meets Celery's time limit; the domains left over come first the next time.
TIRED_SECONDS = 60
# How long after the new password works a login on the old server is nothing to call about.
PATIENCE = timedelta(days=2)
# What the retention table says about where a login came from.
WHOLE_IP, ORIGIN = timedelta(days=7), timedelta(days=30)
BATCH = 500


# --- The new server ---------------------------------------------------------------------------------------------------


def due() -> QuerySet[Domain]:
    """The domains to ask about now, the one longest not asked about first."""
    asked = LoginPoll.objects.filter(domain=OuterRef("pk"), asked_at__gt=Now() - ASK_EVERY)
    return Domain.objects.filter(Exists(_unseen(OuterRef("pk"))), ~Exists(asked)).order_by(
        F("login_poll__asked_at").asc(nulls_first=True), "pk"
    )


def poll_due() -> int:
    """Ask about one due domain after the other, for about a minute. Returns how many were asked about."""
    started, asked = time.monotonic(), 0
    for domain in list(due()):
        if time.monotonic() - started > TIRED_SECONDS or _is_stopped():
            break
        asked += poll(domain) is not None
    return asked


def poll(domain: Domain) -> int | None:
    """Ask mailcow when the domain's owners last signed in there, and note who was seen. Returns how many are new.

    None when nothing was asked or answered: everybody was seen, ten minutes are not over, the breaker is not closed, or
    mailcow gave no clear answer. Being turned away opens the breaker, as it does for a push.
    """
    try:
        mailcow = client()
    except ValueError as error:
        log.error("mailcow_not_configured", problem=str(error))  # noqa: TRY400 - the sentence says it all
        return None
    if _is_stopped() or not _claim(domain):
        return None
    try:
        told = mailcow.mailboxes(domain.name)
    except Refused as error:
        with transaction.atomic():
            breaker.locked_target()  # made here if no push was ever claimed
            breaker.trip(error.reason)
            _unanswered(domain, error.reason)
        return None
    except MailcowError as error:
        _unanswered(domain, error.reason)
        return None
    return _note(domain, told)


def _unseen(domain: Domain | OuterRef) -> QuerySet[Mailbox]:
    return Mailbox.objects.filter(domain=domain, state=Mailbox.State.ACTIVE)


def _is_stopped() -> bool:
    """Whether mailcow turned us away or is so slow that it is spared: logins can wait."""
    return Target.objects.filter(Q(breaker_opened_at__isnull=False) | Q(probe_after__isnull=False)).exists()


def _claim(domain: Domain) -> bool:
    """Make this the one question of these ten minutes; of two workers one gets it."""
    if not _unseen(domain).exists():
        return False
    LoginPoll.objects.get_or_create(domain=domain)
    free = Q(asked_at=None) | Q(asked_at__lte=Now() - ASK_EVERY)
    return LoginPoll.objects.filter(free, domain=domain).update(asked_at=Now(), problem="") == 1


def _unanswered(domain: Domain, reason: Reason) -> None:
    LoginPoll.objects.filter(domain=domain).update(problem=reason.value)
    log.warning("logins_not_told", domain=domain.pk, reason=reason.value)


def _note(domain: Domain, told: list[MailboxFacts]) -> int:
    now = timezone.now()
    logins = {facts.address: logins_of(facts, now=now) for facts in told}
    rows = _with_delivery(Mailbox.objects.filter(domain=domain)).select_related("domain", "target_login")
    changed, seen = [], 0
    for mailbox in rows.defer("legacy_hash"):
        found = logins.get(mailbox.address)
        if found is None:
            continue
        if found != _known(mailbox):
            changed.append(
                TargetLogin(mailbox=mailbox, imap_at=found.imap_at, pop3_at=found.pop3_at, smtp_at=found.smtp_at)
            )
        if _counts(mailbox, found.read_at):
            seen += mailboxes.see_login(mailbox, at=found.read_at or now)
    TargetLogin.objects.bulk_create(
        changed,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["mailbox"],
        update_fields=["imap_at", "pop3_at", "smtp_at"],
    )
    return seen


def _known(mailbox: Mailbox) -> Logins:
    row = getattr(mailbox, "target_login", None)
    return Logins(row.imap_at, row.pop3_at, row.smtp_at) if row else Logins(None, None, None)


def _counts(mailbox: Mailbox, read_at: datetime | None) -> bool:
    """Whether it is worth asking the verb, which has the last word."""
    delivered_at: datetime | None = getattr(mailbox, "delivered_at", None)
    return mailbox.state == Mailbox.State.ACTIVE and bool(read_at and delivered_at and read_at > delivered_at)


def _with_delivery(rows: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    newest = Push.objects.filter(mailbox=OuterRef("pk")).order_by("-version")
    return rows.annotate(delivered_at=Subquery(newest.values("delivered_at")[:1]))


# --- The old server ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """How many of a log's addresses are mailboxes of ours with a login newer than we knew, and how many are none."""

    newer: int
    unknown: int


def record_source(newest: Mapping[Address, SeenLogin]) -> Recorded:
    """Keep the newest login on the old server of each of our mailboxes; where it came from for 30 days at most."""
    newer = known = 0
    for domain, logins in _by_domain(newest):
        for mailbox in Mailbox.objects.filter(domain__name=domain).select_related("source_login").defer("legacy_hash"):
            login = logins.get(mailbox.local_part)
            if login is None:
                continue
            known += 1
            newer += _keep(mailbox, login)
    return Recorded(newer, len(newest) - known)


def still_on_source() -> QuerySet[Mailbox]:
    """Mailboxes whose new password works, and which were read on the old server more than two days after that.

    With `delivered_at`, and with the newest logins on both servers; the newest on the old server first.
    """
    done = _with_delivery(Mailbox.objects.filter(state__in=Mailbox.DONE))
    late = done.filter(source_login_at__gt=F("delivered_at") + PATIENCE)
    return (
        late.select_related("domain__customer", "source_login", "target_login")
        .defer("legacy_hash")
        .order_by("-source_login_at", "pk")
    )


def still_on_source_by_domain() -> list[tuple[Domain, int]]:
    """The domains that have such mailboxes and how many, most first."""
    counted = still_on_source().order_by().values("domain").annotate(n=Count("pk")).values_list("domain", "n")
    numbers = dict(counted)
    domains = Domain.objects.select_related("customer").in_bulk(numbers)
    return sorted(((domains[pk], n) for pk, n in numbers.items()), key=lambda pair: (-pair[1], pair[0].name))


def newest_source_login() -> datetime | None:
    """How far the logs that were read reach; None when none of the last 30 days was."""
    newest: datetime | None = SourceLogin.objects.aggregate(at=Max("at"))["at"]
    return newest


def _by_domain(newest: Mapping[Address, SeenLogin]) -> Iterator[tuple[str, dict[str, SeenLogin]]]:
    for domain, addresses in groupby(sorted(newest, key=lambda address: address.domain), lambda a: a.domain):
        yield domain, {address.local_part: newest[address] for address in addresses}


def _keep(mailbox: Mailbox, login: SeenLogin) -> bool:
    age = timezone.now() - login.at
    known = getattr(mailbox, "source_login", None)
    if age < ORIGIN and (known is None or known.at < login.at):
        ip = network_of(login.ip) if login.ip and age >= WHOLE_IP else login.ip
        origin = {"at": login.at, "ip": ip, "protocol": login.protocol}
        SourceLogin.objects.update_or_create(mailbox=mailbox, defaults=origin)
    older = Q(source_login_at=None) | Q(source_login_at__lt=login.at)
    return Mailbox.objects.filter(older, pk=mailbox.pk).update(source_login_at=login.at) == 1
