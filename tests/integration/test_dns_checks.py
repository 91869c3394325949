"""Checks of a domain's name servers: by people and the clock, done by a worker, in the way of a cut-over."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import retention
from migration import dns_checks, domains, tasks
from migration.mailings import compose, outbox
from migration.models import DnsCheck, Domain, Event, Mailing, Target, Zone
from migration.refusals import VerbRefused
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost
from sandbox.nameserver import Mode, NameServer
from tests.factories import make_domain, make_mailbox
from tests.nameserving import DOMAIN, KEY, without_type, zone

pytestmark = pytest.mark.django_db

ACTOR = "staff:anna"
OLD_MX = without_type("MX", f"{DOMAIN}. 86400 IN MX 10 alt.provider.example.")


@pytest.fixture
def nameserver(settings: Any) -> Iterator[NameServer]:
    with NameServer(zone()) as server:
        settings.DNS_SERVERS = [server.address]
        settings.DNS_CLIENT_HOST = "mailcow.provider.example"
        settings.DNS_SPF_INCLUDE = "spf.provider.example"
        yield server


@pytest.fixture
def domain() -> Domain:
    found = make_domain(DOMAIN)
    Zone.objects.create(domain=found, dkim_key=KEY)
    make_mailbox("anna", domain=found, state="active")
    return found


def checked(domain: Domain, *, actor: str = ACTOR) -> DnsCheck:
    row = dns_checks.ask(domain, actor=actor)
    tasks.check_dns(row.pk)
    row.refresh_from_db()
    return row


def test_a_worker_writes_down_what_the_name_servers_say(domain: Domain, nameserver: NameServer) -> None:
    row = checked(domain)

    assert row.verdict == "match"
    assert {line.kind for line in row.found} >= {"mx", "spf", "dkim", "autoconfig", "autodiscover", "srv"}
    event = Event.objects.get(action=Event.Action.DNS_CHECKED)
    assert (event.domain, event.actor, event.detail) == (domain, ACTOR, {"outcome": "match"})


def test_the_key_is_the_one_mailcow_tells_unless_somebody_entered_another(
    domain: Domain, nameserver: NameServer, mailcow: MailcowStandIn
) -> None:
    mailcow.add_domain(DOMAIN)

    by_hand = next(line for line in checked(domain).found if line.kind == "dkim")
    Zone.objects.all().delete()
    by_mailcow = next(line for line in checked(domain).found if line.kind == "dkim")

    assert by_hand.code == "as_wanted"
    assert by_mailcow.code == "dkim_other"
    assert by_mailcow.wanted[0].startswith("v=DKIM1;k=rsa;t=s;s=email;p=MIIB")
    assert KEY not in by_mailcow.wanted[0]


def test_a_mailcow_that_turns_us_away_opens_the_breaker_and_leaves_the_key_unknown(
    domain: Domain, nameserver: NameServer, mailcow: MailcowStandIn, settings: Any
) -> None:
    Zone.objects.all().delete()
    settings.MAILCOW_API_KEY = "000000-000000-000000"

    row = checked(domain)

    assert next(line for line in row.found if line.kind == "dkim").code == "dkim_not_told"
    assert row.verdict == "unknown"
    assert Target.objects.filter(breaker_opened_at__isnull=False).exists()


def test_an_open_question_is_asked_once_and_answered_once(domain: Domain, nameserver: NameServer) -> None:
    first, second = dns_checks.ask(domain, actor=ACTOR), dns_checks.ask(domain, actor="staff:other")

    dns_checks.work(first.pk)
    asked = len(nameserver.asked)
    dns_checks.work(second.pk)

    assert first.pk == second.pk
    assert len(nameserver.asked) == asked
    assert Event.objects.filter(action=Event.Action.DNS_CHECKED).count() == 1


def test_no_answer_is_unknown_and_says_why(domain: Domain, nameserver: NameServer) -> None:
    nameserver.mode = Mode.SERVFAIL

    row = checked(domain)

    assert row.verdict == "unknown"
    assert "SERVFAIL" in str(row.found[0])


def test_only_the_newest_checks_are_kept(domain: Domain, nameserver: NameServer) -> None:
    nameserver.mode = Mode.REFUSED

    rows = [checked(domain) for _n in range(dns_checks.KEPT + 2)]

    assert list(dns_checks.answered(domain)) == rows[: -dns_checks.KEPT - 1 : -1]


def test_an_old_check_is_erased(domain: Domain) -> None:
    old = DnsCheck.objects.create(domain=domain, asked_by=ACTOR, checked_at=timezone.now() - timedelta(days=91))
    DnsCheck.objects.create(domain=domain, asked_by=ACTOR, checked_at=timezone.now() - timedelta(days=89))

    assert retention.run()["dns_check"] == 1
    assert not DnsCheck.objects.filter(pk=old.pk).exists()


# --- The clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("in_days", "changes", "asks"),
    [
        (0, {}, True),
        (7, {}, True),
        (-3, {}, True),
        (8, {}, False),
        (3, {"cut_over_at": timezone.now()}, False),
        (3, {"ended_at": timezone.now()}, False),
        (3, {"planned_at": None}, False),
    ],
)
def test_the_clock_asks_in_the_week_before_a_cut_over(
    in_days: int, changes: dict[str, object], asks: bool, domain: Domain
) -> None:
    plan = {"cut_over_on": timezone.localdate() + timedelta(days=in_days), "planned_at": timezone.now()}
    Domain.objects.filter(pk=domain.pk).update(**(plan | changes))

    tasks.sweep()

    assert dns_checks.due().filter(domain=domain, asked_by="clock").exists() is asks


def test_the_clock_asks_once_a_day(domain: Domain, nameserver: NameServer) -> None:
    Domain.objects.filter(pk=domain.pk).update(cut_over_on=timezone.localdate(), planned_at=timezone.now())
    dns_checks.ask_daily()
    dns_checks.work(dns_checks.due().get().pk)

    again = dns_checks.ask_daily()
    DnsCheck.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    tomorrow = dns_checks.ask_daily()

    assert (again, tomorrow) == (0, 1)


# --- The cut-over -----------------------------------------------------------------------------------------------------


def test_a_conflict_is_in_the_way_of_the_cut_over(domain: Domain, nameserver: NameServer) -> None:
    nameserver.serve(OLD_MX)
    checked(domain)

    with pytest.raises(VerbRefused) as refused:
        domains.cut_over(domain, actor=ACTOR)

    domain.refresh_from_db()
    assert refused.value.code == "dns_conflict"
    assert domain.cut_over_at is None


def test_a_reason_outweighs_a_conflict(domain: Domain, nameserver: NameServer) -> None:
    nameserver.serve(OLD_MX)
    checked(domain)

    domains.cut_over(domain, actor=ACTOR, reason="MX is switched tonight")

    assert domain.cut_over_at is not None


def test_the_newest_check_counts(domain: Domain, nameserver: NameServer) -> None:
    nameserver.serve(OLD_MX)
    checked(domain)
    nameserver.serve(zone())
    checked(domain)

    domains.cut_over(domain, actor=ACTOR)

    assert domain.cut_over_at is not None


def test_what_nobody_can_tell_and_no_check_at_all_are_not_in_the_way(domain: Domain, nameserver: NameServer) -> None:
    other = make_domain()
    nameserver.mode = Mode.SERVFAIL
    checked(domain)

    domains.cut_over(domain, actor=ACTOR)
    domains.cut_over(other, actor=ACTOR)

    assert domain.cut_over_at is not None
    assert other.cut_over_at is not None


# --- What people tell, and the mail -----------------------------------------------------------------------------------


def test_a_key_copied_as_a_whole_record_is_kept_as_the_key(domain: Domain) -> None:
    record = f'dkim._domainkey IN TXT ( "v=DKIM1;k=rsa;p={KEY[:60]}" "{KEY[60:]}" )'

    told = dns_checks.tell(domain, actor=ACTOR, dkim_selector="k1", dkim_key=record, contact_email="dns@web.example")
    again = dns_checks.tell(domain, actor=ACTOR, dkim_selector="k1", dkim_key=KEY, contact_email="dns@web.example")

    row = Zone.objects.get(domain=domain)
    assert (told, again) == (True, False)
    assert (row.dkim_selector, row.dkim_key, row.contact_email) == ("k1", KEY, "dns@web.example")
    assert Event.objects.get(action=Event.Action.DNS_CHECKED).detail["kind"] == "told"


@pytest.mark.parametrize("language", ["de", "en"])
def test_who_runs_the_dns_gets_what_to_change_as_words_and_lines(
    domain: Domain, nameserver: NameServer, language: str
) -> None:
    domain.customer.language = language
    domain.customer.save()
    gone = "\n".join(line for line in OLD_MX.splitlines() if "autoconfig" not in line and "_domainkey" not in line)
    nameserver.serve(gone)
    checked(domain)

    mailing = dns_checks.mail_changes(domain, actor=ACTOR)

    text = compose.of(mailing, "").text
    assert mailing.recipient == domain.customer.contact_email
    assert DOMAIN in mailing.subject
    assert "86400" in text
    assert f"24 {'Stunden' if language == 'de' else 'hours'}" in " ".join(text.split())
    assert f"$ORIGIN {DOMAIN}." in text
    assert "; - @ IN MX 10 alt.provider.example." in text
    assert "@ 300 IN MX 10 mail.provider.example." in text
    assert "autoconfig 300 IN CNAME mailcow.provider.example." in text
    strings = [line.strip() for line in text.splitlines() if line.startswith('  "')]
    assert "".join(string.strip('"') for string in strings) == f"v=DKIM1;k=rsa;t=s;s=email;p={KEY}"
    assert max(len(line) for line in text.splitlines()) <= 78


def test_the_mail_reaches_who_runs_the_dns(domain: Domain, nameserver: NameServer, host: MailHost) -> None:
    Zone.objects.filter(domain=domain).update(contact_email="dns@web.example")
    nameserver.serve(OLD_MX)
    checked(domain)

    outbox.send(dns_checks.mail_changes(domain, actor=ACTOR).pk)

    (mail,) = host.mails("dns@web.example")
    assert DOMAIN in mail.subject


@pytest.mark.parametrize("case", ["dns_not_asked", "dns_nothing_to_change", "dns_mail_on_its_way", "dns_no_recipient"])
def test_a_mail_without_sense_is_refused(case: str, domain: Domain, nameserver: NameServer) -> None:
    if case != "dns_nothing_to_change":
        nameserver.serve(OLD_MX)
    if case != "dns_not_asked":
        checked(domain)
    if case == "dns_mail_on_its_way":
        dns_checks.mail_changes(domain, actor=ACTOR)
    if case == "dns_no_recipient":
        domain.customer.contact_email = ""
    mails = Mailing.objects.filter(kind=Mailing.Kind.DNS).count()

    with pytest.raises(VerbRefused) as refused:
        dns_checks.mail_changes(domain, actor=ACTOR)

    assert refused.value.code == case
    assert Mailing.objects.filter(kind=Mailing.Kind.DNS).count() == mails
