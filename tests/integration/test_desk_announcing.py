"""What the contact is told, as staff see it: the pre-announcement tried before it is sent, and the weekly summary."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from migration import domains, tasks
from migration.mailings import outbox
from migration.models import Domain, Event, Mailing
from sandbox.mailhost import MailHost
from tests import factories
from tests.planning import invited, on, planned

TYPED = {"subject": "Ihre Postfächer ziehen um", "text": "Guten Tag,\n\nbald {{ 7*7 }} ist es so weit."}


@pytest.fixture
def domain(db: None) -> Domain:
    customer = factories.make_customer(contact_email="eva@kunde.example")
    domain = factories.make_domain("demo.example", announced=False, customer=customer)
    factories.make_mailbox("anna", domain=domain, state="invited", name="Anna Gruber")
    factories.make_mailbox("bert", domain=domain, state="active")
    return domain


def try_it(client: Client, domain: Domain, **typed: str) -> Any:
    return client.post(reverse("desk:announce_trial", args=[domain.pk]), TYPED | typed)


def test_a_trial_reaches_who_asked_and_nobody_is_told(
    host: MailHost, staff_client: Callable[..., Client], domain: Domain
) -> None:
    answer = try_it(staff_client("admin", email="chef@provider.example"), domain)
    outbox.send(Mailing.objects.get().pk)

    (mail,) = host.mails()
    assert mail.message["To"] == "chef@provider.example"
    assert mail.subject == "Probe: Ihre Postfächer ziehen um"
    assert "bald {{ 7*7 }} ist es so weit." in mail.text
    assert domain.announced_at is None
    assert not Event.objects.filter(action=Event.Action.ANNOUNCED).exists()
    assert not domain.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT).exists()
    page = answer.content.decode()
    assert "chef@provider.example" in page
    assert "bald {{ 7*7 }} ist es so weit." in page


def test_after_a_trial_it_is_sent_to_the_contact_as_it_was_tried(
    host: MailHost, admin_client_mfa: Client, domain: Domain
) -> None:
    try_it(admin_client_mfa, domain)

    admin_client_mfa.post(reverse("desk:announce", args=[domain.pk]), TYPED)

    outbox.send(Mailing.objects.get(kind=Mailing.Kind.ANNOUNCEMENT).pk)
    (mail,) = host.mails("eva@kunde.example")
    assert mail.subject == "Ihre Postfächer ziehen um"
    assert domain.announced_at is not None


def test_a_trial_without_a_text_says_so_and_sends_nothing(admin_client_mfa: Client, domain: Domain) -> None:
    answer = try_it(admin_client_mfa, domain, text="")

    assert answer.status_code == 422
    assert not Mailing.objects.exists()


@pytest.mark.parametrize("why", ["paused", "finished"])
def test_no_trial_leaves_for_a_domain_from_which_no_mail_may(
    admin_client_mfa: Client, domain: Domain, why: str
) -> None:
    if why == "paused":
        domains.pause(domain, actor="staff:eva")
    else:
        Domain.objects.filter(pk=domain.pk).update(ended_at="2026-11-01T00:00:00Z")

    answer = try_it(admin_client_mfa, domain)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Mailing.objects.exists()


@pytest.mark.parametrize("role", ["support", "readonly", "operator"])
def test_only_an_admin_tries_the_announcement(staff_client: Callable[..., Client], domain: Domain, role: str) -> None:
    assert try_it(staff_client(role), domain).status_code == 403
    assert not Mailing.objects.exists()


def test_staff_see_the_summary_as_the_contact_would_get_it_now(
    staff_client: Callable[..., Client], domain: Domain
) -> None:
    client = staff_client("readonly")

    page = client.get(reverse("desk:summary", args=[domain.pk]))
    mail = client.get(reverse("desk:summary_mail", args=[domain.pk]))

    assert "eva@kunde.example" in page.content.decode()
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert reverse("desk:summary_mail", args=[domain.pk]) in page.content.decode()
    assert "anna@demo.example (Anna Gruber)" in mail.content.decode()
    assert "1 von 2" in mail.content.decode()
    assert mail["Content-Security-Policy"].endswith("; sandbox")
    assert mail["X-Frame-Options"] == "SAMEORIGIN"
    assert not Mailing.objects.exists()


def test_who_may_see_no_addresses_sees_no_summary(staff_client: Callable[..., Client], domain: Domain) -> None:
    client = staff_client("operator")

    for name in ("summary", "summary_mail"):
        assert client.get(reverse(f"desk:{name}", args=[domain.pk])).status_code == 403


def test_each_monday_the_clock_has_the_summary_sent(host: MailHost, db: None) -> None:
    domain = planned(customer=factories.make_customer(contact_email="eva@kunde.example"))
    open_one = invited(domain, on="2026-12-02", name="Lena Mayr")

    for day in ("2026-12-05", "2026-12-06", "2026-12-07", "2026-12-08"):
        with on(day):
            tasks.carry_out_plans()
            for mailing in Mailing.objects.filter(kind=Mailing.Kind.SUMMARY, state=Mailing.State.QUEUED):
                outbox.send(mailing.pk)

    (mail,) = host.mails("eva@kunde.example")
    assert "Stand 7. Dezember 2026" in " ".join(mail.text.split())
    assert f"{open_one} (Lena Mayr)" in mail.text
    assert "0 von 1" in mail.text
