"""What our mails say, and what they must not."""

import re
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from migration.first_login import normalise
from migration.mailings import compose
from migration.models import Domain, Mailbox, Mailing
from tests import factories

SECRET = "kfp7mrt4xwd9hc3q"
LINK = re.compile(r"\bhttps?://[^\s\"'<>]+|\bwww\.\S+|\b(?:mailto|tel):", re.IGNORECASE)
LANGUAGES = [code for code, _name in django_settings.LANGUAGES]
KINDS = ["personal", "shared", "machine"]


def flowing(text: str) -> str:
    """The text as if no line had been broken."""
    return re.sub(r"\n *(?=\S)", " ", text)


def invitation(mailbox: Mailbox, language: str = "de") -> compose.Mail:
    first_login, _secret = factories.make_first_login(mailbox)
    return compose.invitation(first_login, SECRET, language=language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_invitation_holds_what_the_owner_needs(db: None, settings: Any, kind: str, language: str) -> None:
    settings.BASE_URL = "https://umzug.provider.example"
    mailbox = factories.make_mailbox("anna", domain=factories.make_domain("demo.example"), kind=kind)

    mail = invitation(mailbox, language)

    locator = mailbox.first_logins.get().locator
    for part in (mail.text, mail.html):
        for needed in ("anna@demo.example", "Kfp7-mrt4-xwd9-hc3q", settings.PROVIDER_PHONE):
            assert needed in part
        assert set(LINK.findall(part)) == {f"https://umzug.provider.example/s/{locator}"}
    assert "demo.example" in mail.subject
    assert normalise("Kfp7-mrt4-xwd9-hc3q") == SECRET
    assert "1. " in mail.text
    assert "3. " in mail.text


@pytest.mark.parametrize("kind", KINDS)
def test_mails_load_nothing_and_run_nothing(mailbox: Mailbox, kind: str) -> None:
    mailbox.kind = kind
    mailbox.save()

    for mail in (invitation(mailbox), compose.password_saved(mailbox, timezone.now(), language="de")):
        assert not re.search(
            r"<(?:img|script|link|iframe|form|object)|url\(|@import|\son\w+=", mail.html, re.IGNORECASE
        )


def test_each_kind_of_mailbox_has_its_own_words(db: None) -> None:
    texts = set()
    for kind in KINDS:
        mailbox = factories.make_mailbox("x", kind=kind, name="Anna", responsible="chef@demo.example")
        texts.add(invitation(mailbox, "en").text.replace(str(mailbox), "").partition("It takes")[0])
    personal, shared, machine = sorted(texts, key=lambda text: ("Anna" not in text, "Several" not in text))

    assert "Hello Anna" in personal
    assert "chef@demo.example" in shared
    assert "device" in machine


def test_machines_are_told_the_tls_port(db: None, settings: Any) -> None:
    mail = invitation(factories.make_mailbox("scanner", kind="machine"), "en")

    assert f"TLS 1.2 and send through {settings.TARGET_MAIL_HOST}, port 465 (SSL/TLS)" in flowing(mail.text)


def test_no_subject_repeats_whom_the_mail_goes_to(mailbox: Mailbox) -> None:
    saved, active = (
        composed(mailbox, timezone.now(), language="de")
        for composed in (compose.password_saved, compose.password_active)
    )

    # Filters count that as a sign of spam.
    assert [mail for mail in (invitation(mailbox), saved, active) if mailbox.address in mail.subject] == []


def test_customer_is_named_only_if_he_was_told(db: None) -> None:
    customer = factories.make_customer(name="Gruber KG")
    told = factories.make_mailbox(domain=factories.make_domain(customer=customer))
    untold = factories.make_mailbox(domain=factories.make_domain(customer=customer, announced=False))

    assert "Gruber KG" in flowing(invitation(told).text)
    assert "Gruber KG" not in flowing(invitation(untold).text)


def test_deadline_is_named_or_else_the_last_day_of_the_secret(mailbox: Mailbox, settings: Any) -> None:
    soon = timezone.localdate() + timedelta(days=3)
    Domain.objects.update(deadline=soon)
    assert f"bis {soon.day}. " in invitation(mailbox).text

    Domain.objects.update(deadline=timezone.localdate() - timedelta(days=30))
    mailbox = factories.make_mailbox("bert", domain=Domain.objects.get())
    settings.FIRST_LOGIN_DAYS = 14
    last = timezone.localdate() + timedelta(days=14)
    assert f"bis {last.day}. " in invitation(mailbox).text


def test_dates_are_written_in_the_language_of_the_mail(mailbox: Mailbox) -> None:
    year = timezone.localdate().year + 1
    Domain.objects.update(deadline=date(year, 3, 5))

    assert f"bis 5. März {year}" in invitation(mailbox, "de").text
    assert f"by 5 March {year}" in invitation(mailbox, "en").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_notice_has_the_local_time_no_link_and_no_secret(mailbox: Mailbox, settings: Any, language: str) -> None:
    mail = compose.password_saved(mailbox, datetime(2026, 7, 1, 8, 32, tzinfo=UTC), language=language)

    for part in (mail.text, mail.html):
        assert "10:32" in part
        assert settings.PROVIDER_PHONE in part
        assert not LINK.search(part)


def test_names_are_neither_headers_nor_templates_nor_markup(mailbox: Mailbox) -> None:
    mailbox.name = "Anna\r\nBcc: eve@evil.example {{ secret }}{% now 'Y' %} <b>x</b>\u202e"
    mailbox.save()

    mail = invitation(mailbox)

    assert "Guten Tag Anna Bcc: eve@evil.example {{ secret }}{% now 'Y' %} <b>x</b>," in flowing(mail.text)
    assert "<b>x</b>" not in mail.html
    assert "\u202e" not in mail.text + mail.html
    assert compose.message(mail, to="anna@demo.example", mailing_id=1)["Bcc"] is None


@given(st.text(max_size=300), st.text(max_size=80))
def test_no_subject_or_text_adds_a_header(subject: str, text: str) -> None:
    mail = compose.announcement(subject, text.encode("utf-8", "ignore").decode(), language="de")

    message = compose.message(mail, to="eva@kunde.example", mailing_id=1)

    sent = message_from_bytes(message.as_bytes(), policy=default)
    assert sorted(sent.keys()) == sorted(message.keys())
    assert sent["To"] == "eva@kunde.example"
    assert "\n" not in str(sent["Subject"])


def test_headers_say_who_wrote_it_and_that_nobody_did(mailbox: Mailbox, settings: Any) -> None:
    settings.MAIL_FROM, settings.PROVIDER_EMAIL = "portal@provider.example", "hilfe@provider.example"
    settings.PROVIDER_NAME = "Müller & Söhne"

    message = compose.message(invitation(mailbox, "en"), to="anna@demo.example", mailing_id=42)

    assert str(message["From"]) == "Müller & Söhne <portal@provider.example>"
    assert message["Reply-To"] == "hilfe@provider.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"
    assert re.fullmatch(r"<[^@]*m42@provider\.example>", message["Message-ID"])
    assert message["Date"].datetime.tzinfo is not None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_mail_is_plain_ascii_with_short_lines_on_the_wire(mailbox: Mailbox) -> None:
    mailbox.name = "Ötzi"
    mailbox.save()

    content = compose.message(invitation(mailbox), to="anna@demo.example", mailing_id=1).as_bytes()

    assert content.isascii()
    assert max(len(line) for line in content.split(b"\r\n")) <= 100


def test_secret_stays_out_of_repr(mailbox: Mailbox) -> None:
    assert "Kfp7" not in repr(invitation(mailbox))


def test_every_mail_has_its_two_files_in_every_language() -> None:
    for language in LANGUAGES:
        folder = Path(django_settings.BASE_DIR) / "templates" / "mail" / language
        expected = {f"{kind}_{part}.txt" for kind in Mailing.Kind for part in ("subject", "text")}
        assert {file.name for file in folder.iterdir() if file.is_file()} == expected
