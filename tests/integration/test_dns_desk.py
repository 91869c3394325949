"""The page about a domain's DNS at the desk, and the mark of the cut-over beside it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from migration import dns_checks
from migration.dns.lines import Line, Verdict, worst
from migration.models import DnsCheck, Domain, Event, Mailing, Zone
from tests.factories import make_domain, make_mailbox
from tests.nameserving import DOMAIN, KEY, checked, without_type, zone

pytestmark = pytest.mark.django_db

OLD_MX = without_type("MX", f"{DOMAIN}. 86400 IN MX 10 alt.provider.example.")


@pytest.fixture
def domain() -> Domain:
    return make_domain(DOMAIN)


def answered(domain: Domain, zone_text: str) -> DnsCheck:
    """A check that was carried out against this zone."""
    lines = list(checked(zone_text).values())
    return answered_with(domain, lines)


def answered_with(domain: Domain, lines: list[Line]) -> DnsCheck:
    row = dns_checks.ask(domain, actor="staff:anna")
    dns_checks._keep(row, lines)
    row.refresh_from_db()
    return row


def test_the_page_shows_wanted_found_verdict_and_what_to_delete(domain: Domain, support_client: Client) -> None:
    answered(domain, OLD_MX)

    page = support_client.get(reverse("desk:checks", args=[domain.pk])).content.decode()

    assert "10 mail.provider.example" in page
    assert "10 alt.provider.example</code> <strong>delete this</strong>" in page
    assert "Mail still arrives at the old server." in page
    assert "cut over after 24 hours" in page
    assert "$ORIGIN kunde.example." in page


def test_the_page_never_asks_a_name_server_itself(domain: Domain, support_client: Client) -> None:
    before = support_client.get(reverse("desk:checks", args=[domain.pk])).content.decode()

    support_client.post(reverse("desk:checks_ask", args=[domain.pk]))

    row = DnsCheck.objects.get(domain=domain)
    waiting = support_client.get(reverse("desk:checks", args=[domain.pk])).content.decode()
    assert "Nobody has asked the name servers yet" in before
    assert (row.checked_at, row.asked_by.startswith("staff:")) == (None, True)
    assert "A worker is asking the name servers" in waiting
    assert support_client.get(reverse("desk:checks_progress", args=[domain.pk])).json()["state"] == "asking"


def test_what_is_to_change_is_shown_in_the_customers_language(domain: Domain, support_client: Client) -> None:
    answered(domain, OLD_MX)

    page = support_client.get(reverse("desk:checks", args=[domain.pk]), HTTP_ACCEPT_LANGUAGE="en").content.decode()

    assert 'lang="de"' in page
    assert "Bitte setzen Sie die TTL" in page


def test_an_admin_mails_it_with_one_click(domain: Domain, admin_client_mfa: Client) -> None:
    answered(domain, OLD_MX)

    page = admin_client_mfa.post(reverse("desk:checks_mail", args=[domain.pk]), follow=True)

    mailing = Mailing.objects.get(kind=Mailing.Kind.DNS)
    assert mailing.recipient == domain.customer.contact_email
    assert "The mail is on its way." in page.content.decode()
    assert Event.objects.filter(action=Event.Action.DNS_CHECKED, detail__kind="mailed").exists()


def test_a_pasted_key_is_checked(domain: Domain, admin_client_mfa: Client) -> None:
    address = reverse("desk:checks_tell", args=[domain.pk])
    wrong = {"dkim_selector": "a b", "dkim_key": "-----BEGIN PRIVATE KEY-----", "contact_email": "nobody"}

    refused = admin_client_mfa.post(address, wrong)
    told = admin_client_mfa.post(address, {"dkim_key": f"v=DKIM1;k=rsa;p={KEY}", "dkim_selector": "mail1"})

    page = refused.content.decode()
    assert "This is no public key" in page
    assert "letters, digits, dots and hyphens only" in page
    assert "BEGIN PRIVATE" not in str(list(Zone.objects.values()))
    assert told.status_code == 302
    assert Zone.objects.get(domain=domain).dkim_key == KEY


@pytest.mark.parametrize("role", ["readonly", "operator", "support"])
@pytest.mark.parametrize("name", ["checks_tell", "checks_mail"])
def test_only_an_admin_tells_and_mails(
    role: str, name: str, domain: Domain, staff_client: Callable[..., Client]
) -> None:
    answered(domain, OLD_MX)

    response = staff_client(role).post(reverse(f"desk:{name}", args=[domain.pk]), {"dkim_key": KEY})

    assert response.status_code == 403
    assert not Mailing.objects.filter(kind=Mailing.Kind.DNS).exists()
    assert not Zone.objects.filter(dkim_key=KEY).exists()


@pytest.mark.parametrize("role", ["readonly", "operator"])
def test_who_only_looks_asks_nobody(role: str, domain: Domain, staff_client: Callable[..., Client]) -> None:
    client = staff_client(role)

    assert client.get(reverse("desk:checks", args=[domain.pk])).status_code == 200
    assert client.post(reverse("desk:checks_ask", args=[domain.pk])).status_code == 403
    assert not DnsCheck.objects.exists()


@pytest.mark.parametrize("role", ["readonly", "operator"])
def test_the_address_of_who_was_written_to_is_for_those_who_see_addresses(
    role: str, domain: Domain, staff_client: Callable[..., Client]
) -> None:
    answered(domain, OLD_MX)
    recipient = dns_checks.mail_changes(domain, actor="staff:anna").recipient

    page = staff_client(role).get(reverse("desk:checks", args=[domain.pk])).content.decode()

    assert (recipient in page) is (role == "readonly")


# --- Both servers, and the mark ---------------------------------------------------------------------------------------


def test_a_domain_that_both_servers_know_is_warned_about(domain: Domain, support_client: Client) -> None:
    address = reverse("desk:checks", args=[domain.pk])
    before = support_client.get(address).content.decode()

    make_mailbox(domain=domain, state="active")

    assert "Both servers deliver to themselves" not in before
    assert "Both servers deliver to themselves" in support_client.get(address).content.decode()


def test_the_mark_is_refused_by_a_conflict_and_taken_with_a_reason(domain: Domain, admin_client_mfa: Client) -> None:
    answered(domain, OLD_MX)
    address = reverse("desk:cut_over", args=[domain.pk])

    refused = admin_client_mfa.post(address, follow=True).content.decode()
    domain.refresh_from_db()
    marked_before = domain.cut_over_at
    taken = admin_client_mfa.post(address, {"reason": "MX follows tonight"}, follow=True).content.decode()

    domain.refresh_from_db()
    assert "The name servers lead mail or mail programs elsewhere" in refused
    assert (marked_before, domain.cut_over_at is not None) == (None, True)
    assert "The cut-over is marked." in taken


@pytest.mark.parametrize(
    ("case", "warning"),
    [("none", "The name servers were never asked"), ("unknown", "could not tell everything"), ("match", "")],
)
def test_the_mark_warns_of_what_nobody_knows(case: str, warning: str, domain: Domain, admin_client_mfa: Client) -> None:
    if case == "unknown":
        answered_with(domain, [Line("mx", DOMAIN, "MX", Verdict.UNKNOWN, "failed", detail={"why": "timeout"})])
    if case == "match":
        assert worst(answered(domain, zone()).found) is Verdict.MATCH

    page = admin_client_mfa.post(reverse("desk:cut_over", args=[domain.pk]), follow=True).content.decode()

    assert "The cut-over is marked." in page
    assert ("notice warn" in page) is bool(warning)
    assert warning in page


def test_text_of_strangers_is_shown_as_text(domain: Domain, support_client: Client) -> None:
    answered(domain, without_type("TXT", f'{DOMAIN}. 60 IN TXT "v=spf1 <script>alert(1)</script> -all"'))

    page = support_client.get(reverse("desk:checks", args=[domain.pk])).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_who_asked_is_told_in_words(domain: Domain, support_client: Client) -> None:
    answered(domain, OLD_MX)
    DnsCheck.objects.update(asked_by="clock")

    page = support_client.get(reverse("desk:checks", args=[domain.pk])).content.decode()

    assert "asked by the plan&#x27;s clock" in page
