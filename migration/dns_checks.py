"""The verbs on checks of a domain's name servers: ask, carry out, forget; what only people know; mail what to change.

Only a worker asks name servers: a page never waits for a server that a stranger's records name. The open row is the
job; a check that is carried out twice is written once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from . import breaker, dns_letter, doorbell
from .dns import checking
from .dns.lines import VERDICTS, Line, Verdict, Wanted, worst
from .dns.lookup import Lookup
from .dns.mail_records import key_of
from .dns.well_known import Fetcher
from .mailcow.dkim import DkimKey, dkim_key
from .mailcow.errors import MailcowError, Refused
from .mailings import outbox
from .models import DnsCheck, Domain, Event, Mailing, Target, Zone
from .refusals import VerbRefused
from .retention import Rule, pks
from .target import client

log = structlog.get_logger(__name__)

KEPT = 10
# From so many days before a planned cut-over on, the clock asks once a day.
AHEAD = timedelta(days=7)
AGAIN = timedelta(hours=24)
CLOCK = "clock"

DOUBTS: dict[str, str | Promise] = {
    Verdict.CONFLICT: gettext_lazy("The name servers lead mail or mail programs elsewhere, as of the last check."),
    Verdict.MISSING: gettext_lazy("Records are missing, as of the last check of the name servers."),
    Verdict.UNKNOWN: gettext_lazy("The last check of the name servers could not tell everything. Ask again."),
}

# What the event of this subject tells, by the code in its detail.
EVENT_WORDS: dict[str, str | Promise] = {
    **VERDICTS,
    "told": gettext_lazy("key or address entered"),
    "mailed": gettext_lazy("what to change was mailed"),
}


# --- Ask --------------------------------------------------------------------------------------------------------------


def ask(domain: Domain, *, actor: str) -> DnsCheck:
    """Let a worker ask the name servers; a question that is open already is not asked twice."""
    with transaction.atomic():
        row, _new = DnsCheck.objects.get_or_create(domain=domain, checked_at=None, defaults={"asked_by": actor})
        doorbell.ring("check_dns", row.pk)
    return row


def ask_daily() -> int:
    """Ask for each domain whose planned cut-over is near or over and not marked. Returns for how many."""
    lately = DnsCheck.objects.filter(domain=OuterRef("pk"), asked_at__gt=Now() - AGAIN)
    near = Domain.objects.filter(cut_over_on__lte=timezone.localdate() + AHEAD, planned_at__isnull=False)
    waiting = list(near.filter(~Exists(lately), cut_over_at=None, ended_at=None))
    for domain in waiting:
        ask(domain, actor=CLOCK)
    return len(waiting)


def due() -> QuerySet[DnsCheck]:
    """The questions nobody has answered yet."""
    return DnsCheck.objects.filter(checked_at=None).order_by("pk")


def work(pk: int) -> None:
    """Ask the name servers and keep what they say; a second call finds nothing to do."""
    row = due().select_related("domain").filter(pk=pk).first()
    if row is None:
        return
    lookup = Lookup(settings.DNS_SERVERS)
    lines = checking.check(row.domain.name, wanted(row.domain), lookup, Fetcher(lookup))
    _keep(row, lines)


def wanted(domain: Domain) -> Wanted:
    """What is wanted of the domain's records, by the settings and by what people told."""
    zone = Zone.objects.filter(domain=domain).first() or Zone(domain=domain)
    source = domain.source.smtp_host if domain.source else ""
    told = DkimKey(zone.dkim_selector or settings.DNS_DKIM_SELECTOR, zone.dkim_key)
    key = told if told.public_key else _from_mailcow(domain) or told
    hosts = {settings.SOURCE_MAIL_HOST, settings.SOURCE_SMTP_HOST, source} - {""}
    return Wanted(
        mx=tuple(settings.DNS_MX),
        client_host=settings.DNS_CLIENT_HOST,
        mail_host=settings.TARGET_MAIL_HOST,
        spf_include=settings.DNS_SPF_INCLUDE,
        dkim_selector=key.selector,
        dkim_key=key.public_key,
        source_hosts=tuple(sorted(hosts)),
        well_known=settings.DNS_WELL_KNOWN,
    )


def _from_mailcow(domain: Domain) -> DkimKey | None:
    """The key mailcow signs with; None when it has none or does not tell. Only a worker has mailcow's key."""
    if not settings.MAILCOW_API_KEY or Target.objects.filter(breaker_opened_at__isnull=False).exists():
        return None
    try:
        return dkim_key(client(), domain.name)
    except Refused as error:
        with transaction.atomic():
            breaker.locked_target()
            breaker.trip(error.reason)
    except MailcowError as error:
        log.info("dkim_key_not_read", domain=domain.pk, reason=error.reason.value)
    return None


def _keep(row: DnsCheck, lines: list[Line]) -> None:
    verdict = worst(lines)
    with transaction.atomic():
        values = {"checked_at": Now(), "verdict": verdict.value, "lines": [line.kept for line in lines]}
        if not due().filter(pk=row.pk).update(**values):
            return
        Event.record(Event.Action.DNS_CHECKED, actor=row.asked_by, domain=row.domain, outcome=verdict.value)
        old = answered(row.domain).values_list("pk", flat=True)[KEPT:]
        DnsCheck.objects.filter(pk__in=list(old)).delete()
    log.info("dns_checked", domain=row.domain_id, verdict=verdict.value)


# --- Read -------------------------------------------------------------------------------------------------------------


def answered(domain: Domain) -> QuerySet[DnsCheck]:
    """The checks of the domain that were carried out, the newest first."""
    return DnsCheck.objects.filter(domain=domain, checked_at__isnull=False).order_by("-pk")


def newest(domain: Domain) -> DnsCheck | None:
    """The newest check that was carried out, if any."""
    return answered(domain).first()


def contact_of(domain: Domain) -> str:
    """Who is told what to change: who runs the DNS, if we know, else the customer's contact."""
    zone = Zone.objects.filter(domain=domain).first()
    return (zone.contact_email if zone else "") or domain.customer.contact_email


def at_both(domain: Domain) -> bool:
    """Whether the target has the domain already, so that both servers deliver its mail locally, whatever DNS says."""
    made = domain.provisioned.filter(kind="domain", state__in=("made", "there", "differs"))
    return made.exists() or domain.mailboxes.filter(state__in=("active", "moved")).exists()


def doubt(domain: Domain) -> str:
    """What a person should know who marks the cut-over: that the name servers were not asked, or did not say yes."""
    check = newest(domain)
    if check is None:
        return _("The name servers were never asked, so nobody knows where mail arrives. Ask them now.")
    return "" if check.verdict == Verdict.MATCH else str(DOUBTS[check.verdict])


def in_the_way(domain: Domain) -> bool:
    """Whether the newest check found a record that leads mail or mail programs elsewhere."""
    check = newest(domain)
    return check is not None and check.verdict == Verdict.CONFLICT


# --- What people tell -------------------------------------------------------------------------------------------------


def tell(domain: Domain, *, actor: str, dkim_selector: str, dkim_key: str, contact_email: str) -> bool:
    """Keep what nobody can look up; `dkim_key` may be a whole record. Returns False if nothing is different."""
    values = {"dkim_selector": dkim_selector, "dkim_key": key_of(dkim_key), "contact_email": contact_email}
    with transaction.atomic():
        zone, _new = Zone.objects.select_for_update(of=("self",)).get_or_create(domain=domain)
        fields = [name for name, value in values.items() if getattr(zone, name) != value]
        if not fields:
            return False
        Zone.objects.filter(pk=zone.pk).update(**values)
        Event.record(Event.Action.DNS_CHECKED, actor=actor, domain=domain, kind="told", fields=fields)
    return True


def mail_changes(domain: Domain, *, actor: str) -> Mailing:
    """Mail what is to change, as the newest check found it, to whoever runs the DNS. Raises VerbRefused."""
    check = newest(domain)
    if check is None:
        raise VerbRefused("dns_not_asked")
    if not dns_letter.changes(check.found):
        raise VerbRefused("dns_nothing_to_change")
    recipient = contact_of(domain)
    if not recipient:
        raise VerbRefused("dns_no_recipient")
    language = domain.customer.language
    subject, text = dns_letter.draft(domain, check.found, language)
    with transaction.atomic():
        Domain.objects.select_for_update(of=("self",)).get(pk=domain.pk)
        if domain.mailings.filter(kind=Mailing.Kind.DNS, state__in=Mailing.OPEN, recipient=recipient).exists():
            raise VerbRefused("dns_mail_on_its_way")
        Event.record(Event.Action.DNS_CHECKED, actor=actor, domain=domain, kind="mailed", recipient=recipient)
        return outbox.enqueue(
            Mailing.Kind.DNS, domain=domain, recipient=recipient, language=language, subject=subject, text=text
        )


# --- Forget -----------------------------------------------------------------------------------------------------------


def _old(before: datetime) -> list[Any]:
    return pks(DnsCheck.objects.filter(checked_at__lt=before))


def _delete(chosen: Sequence[Any]) -> None:
    DnsCheck.objects.filter(pk__in=chosen).delete()


RULES = (Rule("dns_check", gettext_noop("a check of name servers is deleted"), timedelta(days=90), _old, _delete),)
