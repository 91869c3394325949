"""Two notices over real sockets: "saved" goes to the old mailbox, "active" into the new one. No secret, no link."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migration.mailings import compose, outbox
from migration.models import Event, Mailbox, Mailing, Push
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import At, MailHost
from tests import factories
from tests.pushing import deliver, push

from .door import GOOD, owner_client, save

__all__ = ["push"]

LINK = re.compile(r"https?://|www\.|mailto:|tel:|href=", re.IGNORECASE)
Kind, S = Mailing.Kind, Mailing.State


@pytest.fixture
def new_host(tmp_path: Path, settings: Any) -> Iterator[MailHost]:
    with MailHost(tmp_path / "new") as host:
        settings.TARGET_SMTP_HOST, settings.TARGET_SMTP_PORT = "127.0.0.1", host.smtp_port
        settings.TARGET_SMTP_SECURITY = "none"
        yield host


def send_all() -> None:
    for pk in outbox.due():
        outbox.send(pk)


def test_saved_goes_to_the_old_mailbox_and_active_into_the_new_one(
    mailbox: Mailbox, mailcow: MailcowStandIn, host: MailHost, new_host: MailHost
) -> None:
    mailcow.add_mailbox(mailbox.address)
    save(owner_client(mailbox))
    send_all()
    assert [mail.subject for mail in host.mails("anna@demo.example")] == [
        "Neues Passwort für Ihr Postfach bei demo.example gespeichert"
    ]
    assert not new_host.mails()

    deliver(Push.objects.get())
    send_all()

    assert len(host.mails()) == 1
    assert [mail.subject for mail in new_host.mails("anna@demo.example")] == [
        "Ihr neues Passwort bei demo.example gilt jetzt"
    ]
    sent = Event.objects.filter(action=Event.Action.MAIL_SENT, mailbox=mailbox).order_by("id")
    assert [event.detail["mail"] for event in sent] == ["password_saved", "password_active"]


def test_neither_carries_a_secret_or_a_link(
    mailbox: Mailbox, mailcow: MailcowStandIn, host: MailHost, new_host: MailHost
) -> None:
    mailcow.add_mailbox(mailbox.address)
    client = owner_client(mailbox)
    locator = mailbox.first_logins.get().locator
    save(client)
    deliver(Push.objects.get())
    send_all()

    for mail in [*host.mails(), *new_host.mails()]:
        for part in (mail.text, mail.html.partition("<body>")[2]):
            assert GOOD not in part
            assert locator not in part
            assert not LINK.search(part)


def test_nobody_is_told_before_it_is_true(push: Push, mailcow: MailcowStandIn, new_host: MailHost) -> None:
    mailcow.mailboxes.clear()

    deliver(push)
    send_all()

    assert push.mailbox.state == Mailbox.State.PASSWORD_SET
    assert not Mailing.objects.filter(kind=Kind.PASSWORD_ACTIVE).exists()


def test_without_a_host_in_the_settings_there_is_no_such_notice(push: Push) -> None:
    deliver(push)

    assert push.mailbox.state == Mailbox.State.ACTIVE
    assert not Mailing.objects.filter(kind=Kind.PASSWORD_ACTIVE).exists()


def test_a_host_taken_away_meanwhile_is_said_and_nothing_goes_to_the_old_server(
    push: Push, host: MailHost, new_host: MailHost, settings: Any
) -> None:
    deliver(push)
    settings.TARGET_SMTP_HOST = ""

    send_all()

    notice = Mailing.objects.get(kind=Kind.PASSWORD_ACTIVE)
    assert (notice.state, notice.error) == (S.FAILED, "the settings name no SMTP host of the new server")
    assert not host.mails()


def test_a_machine_gets_no_notice(db: None, mailcow: MailcowStandIn, new_host: MailHost) -> None:
    scanner = factories.make_mailbox("scanner", kind=Mailbox.Kind.MACHINE, responsible="chef@demo.example")
    mailcow.add_mailbox(scanner.address)

    deliver(factories.make_push(scanner))

    assert scanner.events.filter(action=Event.Action.ACTIVE).exists()
    assert not Mailing.objects.filter(kind=Kind.PASSWORD_ACTIVE).exists()


def test_a_password_delivered_twice_is_told_of_once(push: Push, new_host: MailHost) -> None:
    deliver(push)
    deliver(push)

    assert Mailing.objects.filter(kind=Kind.PASSWORD_ACTIVE).count() == 1


def test_a_busy_new_server_is_asked_again(push: Push, new_host: MailHost) -> None:
    new_host.fail(451, at=At.RCPT)
    deliver(push)
    send_all()
    notice = Mailing.objects.get(kind=Kind.PASSWORD_ACTIVE)
    assert notice.state == S.WAITING

    Mailing.objects.update(due_at=timezone.now())
    send_all()

    assert len(new_host.mails("anna@demo.example")) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_new_server_without_tls_gets_nothing_in_clear(
    push: Push, new_host: MailHost, settings: Any, security: str
) -> None:
    settings.TARGET_SMTP_SECURITY = security

    deliver(push)
    send_all()

    assert Mailing.objects.get(kind=Kind.PASSWORD_ACTIVE).state == S.WAITING
    assert not new_host.mails()


def test_the_login_of_the_old_server_is_not_offered_to_the_new_one(
    push: Push, new_host: MailHost, settings: Any
) -> None:
    settings.SOURCE_SMTP_USER, settings.SOURCE_SMTP_PASSWORD = "umzug", "never-for-others"

    deliver(push)
    send_all()

    # A host that offers no login at all would have refused one.
    assert len(new_host.mails()) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ["Guten Tag Anna Gruber,", "5. März 2026, 14:30"]),
        ("en", ["Hello Anna Gruber,", "5 March 2026 at 14:30"]),
    ],
)
def test_the_notice_speaks_both_languages(mailbox: Mailbox, language: str, words: list[str], settings: Any) -> None:
    at = datetime(2026, 3, 5, 13, 30, tzinfo=UTC)

    mail = compose.password_active(mailbox, at, language=language)

    for part in (mail.text.replace("\n", " "), mail.html):
        for word in [*words, "anna@demo.example", settings.PROVIDER_PHONE]:
            assert word in part


def test_a_strange_name_stays_text(mailbox: Mailbox) -> None:
    mailbox.name = "Anna\r\nBcc: x <script>{{7*7}}"

    mail = compose.password_active(mailbox, timezone.now(), language="en")

    assert "Hello Anna Bcc: x <script>{{7*7}}," in mail.text
    assert "&lt;script&gt;{{7*7}}" in mail.html


def test_a_shared_mailbox_is_greeted_without_a_name(mailbox: Mailbox) -> None:
    mailbox.kind = Mailbox.Kind.SHARED

    assert "Hello,\n" in compose.password_active(mailbox, timezone.now(), language="en").text


def test_signing_in_alone_sends_nothing(client: Client, mailbox: Mailbox) -> None:
    owner_client(mailbox)

    assert not Mailing.objects.exclude(kind__in=(Kind.ANNOUNCEMENT, Kind.INVITATION)).exists()
