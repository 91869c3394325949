"""The pre-announcement: drafted from what was imported, edited by an admin, sent to the customer's contact."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from migration import domains
from migration.mailings import compose, outbox
from migration.models import Domain, Mailing
from sandbox.mailhost import MailHost
from tests import factories


@pytest.fixture
def domain(db: None) -> Domain:
    customer = factories.make_customer(contact_name="Eva Kontakt", contact_email="eva@kunde.example")
    domain = factories.make_domain("xn--bcher-kva.example", announced=False, customer=customer)
    factories.make_mailbox(
        "anna",
        domain=domain,
        name="Anna Gruber",
        quota_mib=2048,
        source_login_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
    )
    factories.make_mailbox("scanner", domain=domain, kind="machine")
    factories.make_alias("office", goto="anna@xn--bcher-kva.example", domain=domain)
    factories.make_alias("*", goto="anna@xn--bcher-kva.example", domain=domain)
    factories.make_alias("old", goto="anna@xn--bcher-kva.example,anna@gmx.example", domain=domain)
    return domain


def line_of(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("- ") and part in line)


def test_draft_lists_every_mailbox_with_what_is_known(domain: Domain) -> None:
    subject, text = compose.draft(domain)

    assert "bücher.example" in subject
    assert "Guten Tag Eva Kontakt" in text
    anna = line_of(text, "anna@bücher.example (")
    assert anna == "- anna@bücher.example (Anna Gruber), Platz 2048 MiB, zuletzt abgerufen 2.3.2026"
    assert line_of(text, "scanner@") == "- scanner@bücher.example, Gerät oder Programm"
    assert "Postfächer (2)" in text


def test_draft_marks_catch_all_and_mail_that_leaves_the_house(domain: Domain) -> None:
    _subject, text = compose.draft(domain)

    assert line_of(text, "office@") == "- office@bücher.example an anna@bücher.example"
    assert line_of(text, "alle übrigen") == "- alle übrigen Adressen (*@bücher.example) an anna@bücher.example"
    assert line_of(text, "old@").endswith("– verlässt unser Haus: anna@gmx.example")


def test_draft_speaks_the_customers_language_and_names_the_deadline(domain: Domain) -> None:
    domain.customer.language, domain.deadline = "en", date(2027, 1, 31)

    subject, text = compose.draft(domain)

    assert subject == "The mailboxes of bücher.example are moving to a new mail server"
    assert "by 31 January 2027" in text
    assert "Without your answer we delete nothing" in text


def test_draft_of_an_empty_domain_is_whole(db: None) -> None:
    _subject, text = compose.draft(factories.make_domain())

    assert "Postfächer (0)" in text
    assert "Weiterleitungen und Zweitadressen: keine" in text


def test_edited_text_reaches_the_contact_as_it_was_released(host: MailHost, domain: Domain) -> None:
    text = "Guten Tag,\r\n\r\nbald {{ domain }} & <b>mehr</b>.\r\n- anna\r\n"

    mailing = domains.announce(domain, actor="staff:a@provider.example", subject="Umzug\nBcc: x@y.example", text=text)
    outbox.send(mailing.pk)

    (mail,) = host.mails("eva@kunde.example")
    assert mail.subject == "Umzug Bcc: x@y.example"
    assert mail.message["Bcc"] is None
    assert mail.text == "Guten Tag,\n\nbald {{ domain }} & <b>mehr</b>.\n- anna\n"
    assert "bald {{ domain }} &amp; &lt;b&gt;mehr&lt;/b&gt;." in mail.html


def test_domain_counts_as_announced_once_the_server_took_the_mail(host: MailHost, domain: Domain) -> None:
    host.fail(550)
    refused = domains.announce(domain, actor="staff:a@provider.example", subject="Umzug", text="Bald.")
    outbox.send(refused.pk)
    assert domain.announced_at is None
    assert Mailing.objects.get(pk=refused.pk).state == Mailing.State.FAILED

    taken = domains.announce(domain, actor="staff:a@provider.example", subject="Umzug", text="Bald.")
    outbox.send(taken.pk)
    assert domain.announced_at is not None


def test_draft_takes_the_same_few_queries_for_many_mailboxes(
    domain: Domain, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        factories.make_mailbox(domain=domain)

    with django_assert_max_num_queries(4):
        compose.draft(Domain.objects.select_related("customer").get(pk=domain.pk))
