"""A customer's own words in his mails: saved in versions, checked, tried, used, and the standard again."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration import wordings
from migration.mailings import compose, outbox, wording
from migration.models import Customer, Domain, Event, Mailbox, Mailing, Wording
from migration.refusals import VerbRefused
from sandbox.mailhost import MailHost
from tests import factories
from tests.racing import at_once

M = Wording.Mail
ADMIN = "staff:a@provider.example"
SUBJECT = "Ihr Umzug: {address}"
TEXT = (
    "{greeting}\n\nwir ziehen um. {{7*7}} {% now 'Y' %} <b>&</b>\n\n{link}\n\n{secret}\n\n"
    "Bis {deadline} für {address}, sonst {phone}. {provider}"
)


@pytest.fixture
def customer(mailbox: Mailbox) -> Customer:
    return mailbox.domain.customer


def save(customer: Customer, text: str = TEXT, mail: str = M.INVITATION, subject: str = SUBJECT) -> Wording:
    return wordings.save(customer, mail, "de", subject, text, actor=ADMIN)


def invitation(mailbox: Mailbox) -> compose.Mail:
    first_login, secret = factories.make_first_login(mailbox)
    return compose.invitation(first_login, secret, language="de")


def post(client: Client, customer: Customer, page: str = "save", **fields: Any) -> HttpResponse:
    typed = {"mail": M.INVITATION, "language": "de", "version": 0, "subject": SUBJECT, "text": TEXT} | fields
    return client.post(reverse(f"desk:wording_{page}", args=[customer.pk]), typed)  # type: ignore[return-value]


def test_owner_reads_the_customers_words_and_nothing_in_them_is_run(customer: Customer, mailbox: Mailbox) -> None:
    row = save(customer)

    mail = invitation(mailbox)

    assert mail.subject == "Ihr Umzug: anna@demo.example"
    assert "wir ziehen um. {{7*7}} {% now 'Y' %} <b>&</b>" in mail.text
    assert "{{7*7}} {% now &#x27;Y&#x27; %} &lt;b&gt;&amp;&lt;/b&gt;" in mail.html
    assert mail.wording == row.pk
    assert len(re.findall(r"https?://", mail.text)) == 1


def test_a_value_that_looks_like_a_variable_is_no_variable(customer: Customer, mailbox: Mailbox) -> None:
    save(customer)
    mailbox.name = "{secret} {{7*7}}\r\nBcc: eve@evil.example"
    mailbox.save()

    mail = invitation(mailbox)

    assert "{secret} {{7*7}} Bcc: eve@evil.example," in mail.text
    assert compose.message(mail, to="anna@demo.example", mailing_id=1)["Bcc"] is None


def test_what_was_sent_keeps_the_version_it_was_made_from(host: MailHost, customer: Customer, mailbox: Mailbox) -> None:
    first = save(customer)
    mailing = outbox.enqueue(
        Mailing.Kind.PASSWORD_SAVED, domain=mailbox.domain, mailbox=mailbox, recipient=mailbox.address, language="de"
    )
    own = wordings.save(customer, M.PASSWORD_SAVED, "de", "Gespeichert", "Am {day} für {address}. {phone}", actor=ADMIN)
    outbox.send(mailing.pk)

    wordings.back_to_standard(customer, M.PASSWORD_SAVED, "de", actor=ADMIN)

    mailing.refresh_from_db()
    assert mailing.wording == own != first
    assert [mail.subject for mail in host.mails()] == ["Gespeichert"]
    assert list(Wording.objects.filter(mail=M.PASSWORD_SAVED).values_list("version", "text")) == [
        (2, ""),
        (1, "Am {day} für {address}. {phone}"),
    ]


def test_the_standard_needs_no_row(mailbox: Mailbox) -> None:
    assert invitation(mailbox).wording is None


@pytest.mark.parametrize("mail", M.values)
@pytest.mark.parametrize("language", ["de", "en"])
def test_the_standard_as_it_is_offered_may_be_saved_and_says_the_same(
    customer: Customer, mail: str, language: str
) -> None:
    subject, text = wordings.standard(mail, language)

    assert wording.complaints(mail, subject, text) == []
    assert wordings.save(customer, mail, language, subject, text, actor=ADMIN).text == text


def test_words_of_one_customer_or_language_are_nobody_elses(customer: Customer, mailbox: Mailbox) -> None:
    save(customer)
    other = factories.make_mailbox("bert", domain=factories.make_domain("other.example"))
    first_login, secret = factories.make_first_login(mailbox)

    assert invitation(other).wording is None
    assert compose.invitation(first_login, secret, language="en").wording is None


def test_several_people_and_machines_are_told_what_is_for_them(customer: Customer, mailbox: Mailbox) -> None:
    save(customer)
    shared = factories.make_mailbox("office", domain=mailbox.domain, kind="shared")

    assert "Mehrere Personen lesen es" in " ".join(invitation(shared).text.split())


def test_a_further_mail_says_so_in_the_customers_words_too(customer: Customer, mailbox: Mailbox) -> None:
    save(customer)
    invitation(mailbox)

    assert "haben ein neues Erst-Passwort angefordert" in " ".join(invitation(mailbox).text.split())


@pytest.mark.parametrize(
    ("subject", "text", "sentence"),
    [
        (SUBJECT, f"{TEXT} {{dead}}", "{dead} is no variable of this mail. There are: {greeting}, {name}, "),
        (SUBJECT, f"{TEXT} {{Deadline}}", "{Deadline} is no variable"),
        (SUBJECT, f"{TEXT} {{ phone }}", "Please write {phone} without blanks."),
        (SUBJECT, f"{TEXT} {{settings.SECRET_KEY}}", "{settings.SECRET_KEY} is no variable"),
        ("{day}", TEXT, "{day} is no variable"),
        (SUBJECT, TEXT.replace("{secret}", ""), "{secret} must be in the text exactly once; it is there 0 times."),
        (SUBJECT, f"{TEXT} {{link}}", "{link} must be in the text exactly once; it is there 2 times."),
        ("{secret}", TEXT, "{secret} must not be in the subject."),
        (SUBJECT, TEXT.replace("{phone}", ""), "{phone} is missing in the text."),
        (SUBJECT, TEXT.replace("{deadline}", ""), "{deadline} is missing in the text."),
        (SUBJECT, f"{TEXT} https://evil.example", "the only link in our mails is the one to the portal"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(
    admin_client_mfa: Client, customer: Customer, subject: str, text: str, sentence: str
) -> None:
    answer = post(admin_client_mfa, customer, subject=subject, text=text)

    assert answer.status_code == 422
    assert sentence in answer.content.decode().replace("&quot;", '"')
    assert text.splitlines()[-1].split(".")[0] in answer.content.decode()
    assert not Wording.objects.exists()


def test_an_admin_saves_and_the_timeline_tells(admin_client_mfa: Client, customer: Customer, mailbox: Mailbox) -> None:
    answer = post(admin_client_mfa, customer)

    assert answer.status_code == 302
    assert "Ihr Umzug" in admin_client_mfa.get(answer["Location"]).content.decode()
    event = Event.objects.get(action=Event.Action.WORDING_CHANGED)
    assert (event.domain, event.detail) == (mailbox.domain, {"mail": "invitation", "language": "de", "version": 1})
    page = admin_client_mfa.get(reverse("desk:domain", args=[mailbox.domain_id])).content.decode()
    assert "invitation: one person (de), version 1" in page
    assert reverse("desk:wordings", args=[customer.pk]) in page


def test_whoever_began_with_an_older_version_is_told(admin_client_mfa: Client, customer: Customer) -> None:
    post(admin_client_mfa, customer)

    answer = post(admin_client_mfa, customer, subject="Anderes {address}")

    assert "Somebody else has changed this wording meanwhile" in answer.content.decode()
    assert Wording.objects.count() == 1


def test_of_two_who_save_at_once_one_is_told(transactional_db: None) -> None:
    customer = factories.make_customer()

    outcomes: list[str] = []

    def save_first() -> None:
        try:
            wordings.save(customer, M.INVITATION, "de", SUBJECT, TEXT, actor=ADMIN, after=0)
            outcomes.append("saved")
        except VerbRefused as refused:
            outcomes.append(refused.code)

    at_once(save_first, save_first)

    assert sorted(outcomes) == ["saved", "worded_meanwhile"]


@pytest.mark.parametrize("role", ["support", "readonly"])
def test_support_sees_the_words_and_has_no_button(
    staff_client: Callable[..., Client], customer: Customer, role: str
) -> None:
    client, address = staff_client(role), reverse("desk:wording", args=[customer.pk])

    page = client.get(f"{address}?mail=invitation&language=de").content.decode()

    assert "{secret}" in page
    assert "formaction" not in page
    assert "iframe" not in page
    for name in ("save", "standard", "preview", "trial"):
        assert post(client, customer, name).status_code == 403
    assert not Wording.objects.exists()


def test_back_to_the_standard_and_the_versions_stay(
    admin_client_mfa: Client, customer: Customer, mailbox: Mailbox
) -> None:
    save(customer)

    post(admin_client_mfa, customer, "standard")

    assert invitation(mailbox).wording is None
    address = f"{reverse('desk:wording', args=[customer.pk])}?mail=invitation&language=de"
    page = admin_client_mfa.get(address).content.decode()
    assert "This customer gets the standard." in page
    assert "Ihr Umzug: {address}" in page


def test_preview_shows_a_made_up_mailbox_under_a_policy_of_its_own(
    admin_client_mfa: Client, customer: Customer
) -> None:
    answer = post(admin_client_mfa, customer, "preview")

    page = answer.content.decode()
    assert "erika.muster@demo.example" in page
    assert "Kfp7-mrt4-xwd9-hc3q" in page
    policy = answer["Content-Security-Policy"]
    assert policy.endswith("; sandbox")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    as_text = post(admin_client_mfa, customer, "preview", **{"as": "text"})
    assert as_text["Content-Type"] == "text/plain; charset=utf-8"
    assert not Wording.objects.exists()


def test_preview_of_something_unfit_says_what_is_wrong(admin_client_mfa: Client, customer: Customer) -> None:
    answer = post(admin_client_mfa, customer, "preview", text="{greeting}")

    assert answer.status_code == 422
    assert "{secret} must be in the text exactly once" in answer.content.decode()


def test_a_trial_reaches_the_admin_alone_and_opens_nothing(
    host: MailHost, staff_client: Callable[..., Client], customer: Customer
) -> None:
    answer = post(staff_client("admin", email="eva@provider.example"), customer, "trial")
    outbox.send(Mailing.objects.get(kind=Mailing.Kind.TEST).pk)

    assert "eva@provider.example" in answer.content.decode()
    (mail,) = host.mails()
    assert mail.message["To"] == "eva@provider.example"
    assert mail.subject == "Probe: Ihr Umzug: erika.muster@demo.example"
    assert "erfunden und öffnet nichts" in " ".join(mail.text.split())
    assert not Mailbox.objects.filter(first_logins__isnull=False).exists()
    link = re.findall(r"https?://\S+", mail.text)
    assert len(link) == 1
    assert Client().get("/s/example").status_code in (200, 302)


def test_a_customer_without_a_domain_cannot_be_tried(admin_client_mfa: Client, db: None) -> None:
    answer = post(admin_client_mfa, factories.make_customer(), "trial")

    assert "no domain yet" in answer.content.decode()


def test_the_list_takes_as_many_queries_for_many_versions(
    admin_client_mfa: Client, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    address = reverse("desk:wordings", args=[customer.pk])
    save(customer)
    admin_client_mfa.get(address)  # the first page of a session costs more
    with CaptureQueriesContext(connection) as one:
        admin_client_mfa.get(address)

    for _ in range(7):
        save(customer)
    Domain.objects.create(name="more.example", customer=customer)

    with django_assert_max_num_queries(len(one)):
        page = admin_client_mfa.get(address).content.decode()

    assert "own words, version 8" in page
