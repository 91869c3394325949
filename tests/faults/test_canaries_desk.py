"""Codes for the phone, the contact's code, passwords on letters and a seed of the staff: shown once, kept nowhere."""

import base64
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from migration import phone_codes
from migration.mailings import outbox
from migration.models import Mailbox, Mailing
from migration.review import asking
from sandbox.mailhost import MailHost
from tests import factories
from tests.faults import secrecy
from tests.faults.door import SECRET
from tests.integration.contacts import enter
from tests.integration.door import save, sign_in
from tests.integration.proof import proves_who_it_is
from tests.integration.test_desk_phone import ask, shown
from tests.integration.test_letters import secrets as secrets_of
from tests.integration.test_letters import send

pytestmark = pytest.mark.django_db(transaction=True)
POSTAL = "Dorfplatz 1\n6020 Innsbruck"


@pytest.fixture
def mailbox() -> Mailbox:
    """anna@demo.example, whose customer can get letters."""
    customer = factories.make_customer(name="Sonnleitner GmbH", postal_address=POSTAL)
    return factories.make_mailbox("anna", domain=factories.make_domain("demo.example", customer=customer))


@pytest.fixture
def places(
    transactional_db: None,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Callable[[], secrecy.Places]:
    """Database, broker, and everything logged at whatever level, with the records' fields."""
    caplog.set_level(logging.DEBUG)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # What earlier tests wrote: a member of staff's hash is still in the log of writes.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def look() -> secrecy.Places:
        log = tmp_path / "logs" / "portal.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(caplog.text + "\n".join(str(vars(record)) for record in caplog.records))
        return secrecy.of_this_test(log.parent)

    return look


def wrapped(secret: str) -> set[str]:
    """As it is read, and as it is typed."""
    return {secret, secret.replace("-", "").replace(" ", ""), secret.replace("-", "").lower()}


def test_a_code_told_on_the_phone_is_nowhere(
    support_client: Client, mailbox: Mailbox, places: Callable[[], secrecy.Places]
) -> None:
    proves_who_it_is(support_client)
    code = shown(ask(support_client, mailbox))
    assert phone_codes.check(mailbox, code).code, "it is a real one"

    assert list(secrecy.readable(places(), code, phone_codes.show(code))) == []


def test_the_contacts_code_is_in_his_mail_alone(
    mailbox: Mailbox, host: MailHost, tmp_path: Path, places: Callable[[], secrecy.Places]
) -> None:
    asking.send(mailbox.domain.customer, [mailbox.domain], actor="staff:eva")
    outbox.send(Mailing.objects.get(kind=Mailing.Kind.REVIEW).pk)
    (mail,) = host.mails(mailbox.domain.customer.contact_email)
    [code] = set(SECRET.findall(mail.text))
    locator = mail.text.partition("/c/")[2][:11]
    assert enter(Client(), locator, code)["Location"] == "/review"
    enter(Client(), locator, code.swapcase())

    assert list(secrecy.readable(places(), *wrapped(code))) == []
    assert {name.split("/")[0] for name in secrecy.found([*secrecy.files(tmp_path)], code)} == {"mails"}


def test_the_password_of_a_letter_is_on_paper_alone(
    support_client: Client, mailbox: Mailbox, places: Callable[[], secrecy.Places]
) -> None:
    answer = send(support_client, mailbox.domain, group="selected", mailbox=mailbox.pk)
    [secret] = secrets_of(answer.content)
    owner = Client()
    assert sign_in(owner, mailbox.address, secret).status_code == 302, "it opens the door"
    assert save(owner).status_code == 302

    assert list(secrecy.readable(places(), *wrapped(secret))) == []


def test_a_seed_of_the_staffs_second_factor_is_sealed(
    staff_client: Callable[..., Client], places: Callable[[], secrecy.Places]
) -> None:
    staff = staff_client("support", second_factor=False)
    user = User.objects.get()
    TOTP.activate(user, seed := base64.b32encode(b"Kanarienvogel im Bergwerk").decode().rstrip("="))
    staff.get(reverse("desk:domains"))

    assert list(secrecy.readable(places(), seed, "Kanarienvogel im Bergwerk")) == []
