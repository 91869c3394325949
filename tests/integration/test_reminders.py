"""Reminders: who gets one, what it brings, and whom it leaves alone."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migration import campaign, domains, first_login, mailboxes, reminders, reports
from migration.mailings import outbox
from migration.models import Domain, Event, FirstLogin, Mailbox, Mailing
from migration.refusals import VerbRefused
from sandbox.mailhost import MailHost
from tests.factories import HASH, make_customer, make_domain, make_first_login, make_mailbox
from tests.planning import ADMIN, invited

from .door import owner_client

pytestmark = pytest.mark.django_db

S, Kind = Mailbox.State, Mailbox.Kind


def secret_in(text: str) -> str:
    found = re.search(r"\b\S{4}-\S{4}-\S{4}-\S{4}\b", text)
    assert found
    return found[0]


def test_only_who_was_invited_and_has_no_new_password_is_reminded() -> None:
    domain = make_domain()
    boxes = {state: invited(domain) for state in S}
    for state, box in boxes.items():
        Mailbox.objects.filter(pk=box.pk).update(state=state)
    for kind in Mailbox.ON_REQUEST:
        invited(domain, kind=kind)

    number = reminders.remind_all(domain, actor=ADMIN)

    reminded = set(Mailing.objects.filter(kind=Mailing.Kind.REMINDER).values_list("mailbox", flat=True))
    assert number == 2
    assert reminded == {boxes[S.INVITED].pk, boxes[S.SIGNED_IN].pk}
    assert set(Event.objects.filter(action=Event.Action.REMINDED).values_list("mailbox", flat=True)) == reminded


def test_a_machines_reminder_goes_to_the_person_behind_it() -> None:
    domain = make_domain(customer=make_customer(contact_email="kontakt@kunde.example"))
    invited(domain, kind=Kind.MACHINE)
    invited(domain, kind=Kind.MACHINE, responsible="technik@kunde.example")

    reminders.remind_all(domain, actor=ADMIN)

    found = Mailing.objects.filter(kind=Mailing.Kind.REMINDER).values_list("recipient", flat=True)
    assert set(found) == {"kontakt@kunde.example", "technik@kunde.example"}


def test_a_reminder_brings_a_fresh_secret_and_the_one_before_works_too(host: MailHost) -> None:
    mailbox = make_mailbox("anna", domain=make_domain("demo.example", deadline=timezone.localdate()))
    _first, old = make_first_login(mailbox)
    FirstLogin.objects.update(created_at=timezone.now() - timedelta(days=2))

    mailing = reminders.remind(mailbox, actor=ADMIN)
    outbox.send(mailing.pk)

    [mail] = host.mails(mailbox.address)
    fresh = secret_in(mail.text)
    assert first_login.check(mailbox, fresh)
    assert first_login.check(mailbox, old)
    mailing.refresh_from_db()
    assert (mailing.kind, mailing.state) == (Mailing.Kind.REMINDER, Mailing.State.SENT)


def test_who_is_signed_in_stays_signed_in(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    FirstLogin.objects.update(created_at=timezone.now() - timedelta(days=2))

    reminders.remind_all(mailbox.domain, actor=ADMIN)

    assert client.get(reverse("accounts:password")).status_code == 200
    assert Mailbox.objects.get().state == S.SIGNED_IN


def test_a_queued_reminder_is_cancelled_when_the_owner_is_done_meanwhile(host: MailHost) -> None:
    mailbox = invited(make_domain())
    mailing = reminders.remind(mailbox, actor=ADMIN)
    Mailbox.objects.update(state=S.SIGNED_IN)
    mailbox.refresh_from_db()
    mailboxes.set_password(mailbox, password_hash=HASH, kept_old=False, submission=uuid.uuid4(), ip=None)

    outbox.send(mailing.pk)

    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.CANCELLED
    assert not [mail for mail in host.mails() if "reminder" in mail.subject.lower()]


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("imported", "wrong_state"),
        ("active", "wrong_state"),
        ("excluded", "wrong_state"),
        ("dormant", "on_request"),
        ("outside", "on_request"),
        ("lately", "written_lately"),
        ("paused", "paused"),
        ("all paused", "all_paused"),
        ("ended", "ended"),
        ("nobody", "no_recipient"),
    ],
)
def test_a_reminder_is_refused_with_its_reason(case: str, code: str) -> None:
    mailbox = invited(make_domain())
    if case in S.values:
        Mailbox.objects.update(state=case)
    elif case in ("dormant", "outside"):
        Mailbox.objects.update(kind=case)
    elif case == "lately":
        FirstLogin.objects.update(created_at=timezone.now() - timedelta(hours=19))
    elif case == "paused":
        Domain.objects.update(paused_at=timezone.now())
    elif case == "all paused":
        campaign.pause(actor=ADMIN)
    elif case == "ended":
        Domain.objects.update(ended_at=timezone.now())
    elif case == "nobody":
        Mailbox.objects.update(kind=Kind.MACHINE)
        type(mailbox.domain.customer).objects.update(contact_email="")
    mailbox = Mailbox.objects.get()

    with pytest.raises(VerbRefused) as refused:
        reminders.remind(mailbox, actor=ADMIN)

    assert refused.value.code == code
    assert not Mailing.objects.filter(kind=Mailing.Kind.REMINDER).exists()


def test_the_contact_gets_the_list_with_the_first_reminder_only() -> None:
    domain = make_domain()
    invited(domain)

    reminders.remind_all(domain, actor=ADMIN)
    FirstLogin.objects.update(created_at=timezone.now() - timedelta(days=3))
    Mailing.objects.update(created_at=timezone.now() - timedelta(days=3))
    reminders.remind_all(domain, actor=ADMIN)

    assert Mailing.objects.filter(kind=Mailing.Kind.REMINDER).count() == 2
    assert Mailing.objects.get(kind=Mailing.Kind.SUMMARY).recipient == domain.customer.contact_email


def test_the_contacts_list_can_be_sent(host: MailHost) -> None:
    domain = make_domain()
    mailbox = invited(domain)
    reminders.tell_contact(domain)

    outbox.send(Mailing.objects.get(kind=Mailing.Kind.SUMMARY).pk)

    [mail] = host.mails(domain.customer.contact_email)
    assert str(mailbox) in mail.text


def test_a_reminder_that_did_not_arrive_needs_attention() -> None:
    mailbox = invited(make_domain())
    reminders.remind(mailbox, actor=ADMIN)
    Mailing.objects.filter(kind=Mailing.Kind.REMINDER).update(state=Mailing.State.FAILED)

    assert list(reports.needing_attention()) == [mailbox]


def test_twice_as_many_reminders_need_no_more_queries() -> None:
    def queries(number: int) -> int:
        domain = make_domain()
        for _ in range(number):
            invited(domain)
        with CaptureQueriesContext(connection) as captured:
            assert reminders.remind_all(domain, actor=ADMIN) == number
        return len(captured)

    assert queries(4) == queries(8)


def test_support_reminds_one_owner_from_his_page(support_client: Client) -> None:
    mailbox = invited(make_domain())

    page = support_client.post(reverse("desk:remind_one", args=[mailbox.pk]), follow=True)

    assert "The reminder is on its way." in page.content.decode()
    assert mailbox.mailings.filter(kind=Mailing.Kind.REMINDER).count() == 1


def test_a_finished_domain_is_not_reminded() -> None:
    domain = make_domain(ended_at=timezone.now())
    invited(domain)

    with pytest.raises(VerbRefused):
        reminders.remind_all(domain, actor=ADMIN)
    with pytest.raises(VerbRefused):
        domains.start(domain, actor=ADMIN)
