"""The mail program guide: for an owner with his values, for everybody without anybody's."""

import plistlib
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone, translation

from migration.guides import facts, qr
from migration.guides.programs import PROGRAMS
from migration.models import Mailbox
from tests import factories
from tests.unit.test_guides import FORBIDDEN, words

from .door import owner_client, rows, save

ADDRESS = "anna@demo.example"


@pytest.fixture
def owner(mailbox: Mailbox) -> Client:
    """The browser of an owner who has just saved a new password."""
    client = owner_client(mailbox)
    save(client)
    return client


def pages(room: str) -> Iterator[str]:
    yield f"/{room}"
    yield f"/{room}/sheet"
    for program in PROGRAMS.values():
        yield f"/{room}/{program.slug}"
        if program.asks_protocol:
            yield from (f"/{room}/{program.slug}/{protocol.value}" for protocol in facts.Protocol)


def text(client: Client, page: str) -> str:
    response = client.get(page)
    assert response.status_code == 200, page
    return str(response.content.decode())


def test_every_page_is_there_for_an_owner_and_for_everybody(owner: Client, client: Client) -> None:
    for page in pages("guide"):
        assert "mail.provider.example" in text(owner, page) or page.count("/") == 2, page
    for page in pages("help"):
        assert ADDRESS not in text(client, page), page


@pytest.mark.parametrize("page", ["/guide", "/guide/thunderbird", "/guide/iphone/pop3", "/guide/sheet"])
def test_a_stranger_gets_the_page_without_anybodys_values(client: Client, mailbox: Mailbox, page: str) -> None:
    response = client.get(page)

    assert response["Location"] == page.replace("/guide", "/help")


def test_an_owner_whose_session_has_ended_gets_it_too(mailbox: Mailbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = owner_client(mailbox)
        save(client)
        clock.shift(timedelta(minutes=15))

        response = client.get("/guide/mac/imap", follow=True)

    assert response.redirect_chain == [("/help/mac/imap", 302)]
    assert ADDRESS not in response.content.decode()


def test_an_owner_sees_his_own_values_even_where_everybody_reads(owner: Client) -> None:
    assert ADDRESS in text(owner, "/guide/outlook/imap")
    assert ADDRESS not in text(owner, "/help/outlook/imap")


@pytest.mark.parametrize("page", ["/help/nothing", "/help/thunderbird/smtp", "/help/webmail/imap", "/help/x/y/z"])
def test_what_is_no_program_is_not_found(client: Client, db: None, page: str) -> None:
    assert client.get(page).status_code == 404


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_page_in_no_language_names_an_old_port(owner: Client, client: Client, language: str) -> None:
    for who, room in ((owner, "guide"), (client, "help")):
        for page in pages(room):
            content = who.get(page, headers={"accept-language": language}).content.decode()
            assert f'<html lang="{language}">' in content
            without_phone = words(content).replace("+43 1 234 567", "")
            assert not FORBIDDEN.search(without_phone), page


def test_no_profile_names_an_old_port(owner: Client) -> None:
    for protocol in ("imap", "pop3"):
        content = owner.get(f"/guide/apple.mobileconfig?protocol={protocol}").content.decode()
        # Only what a device reads as a number or a name; identifiers are digits at random.
        assert not FORBIDDEN.search(re.sub(r"<string>[^<]*[0-9A-Fa-f]{8}-[^<]*</string>", "", content))


@pytest.mark.parametrize("program", [one.slug for one in PROGRAMS.values() if one.asks_protocol])
def test_pop3_warns_before_the_mailbox_is_removed(client: Client, db: None, program: str) -> None:
    page = words(text(client, f"/help/{program}/pop3"))

    assert re.search(r"please do not remove the mailbox", page, re.IGNORECASE)
    assert "995" in page
    assert "993" not in page


@pytest.mark.parametrize(("kept_old", "sentence"), [(True, "stays as it is"), (False, "Type the new password")])
def test_it_knows_whether_the_old_password_was_kept(mailbox: Mailbox, kept_old: bool, sentence: str) -> None:
    client = owner_client(mailbox)
    factories.make_push(mailbox, kept_old=kept_old)

    assert sentence in words(text(client, "/guide/thunderbird/imap"))


@pytest.mark.parametrize(
    ("kind", "sentence"), [("shared", "Others use this mailbox too"), ("machine", "TLS 1.2 or newer")]
)
@pytest.mark.parametrize("page", ["/guide", "/guide/gmail/imap", "/done"])
def test_mailboxes_that_are_not_one_persons_get_their_own_sentence(
    owner: Client, mailbox: Mailbox, kind: str, sentence: str, page: str
) -> None:
    assert sentence not in text(owner, page)
    Mailbox.objects.update(kind=kind)
    assert sentence in words(text(owner, page))


def test_the_profile_is_for_who_is_signed_in(owner: Client, client: Client) -> None:
    assert client.get("/guide/apple.mobileconfig")["Location"] == "/"
    response = owner.get("/guide/apple.mobileconfig?protocol=pop3")

    assert response["Content-Type"] == "application/x-apple-aspen-config"
    assert response["Content-Disposition"] == 'attachment; filename="mailbox-pop3.mobileconfig"'
    [content] = plistlib.loads(response.content)["PayloadContent"]
    assert (content["EmailAddress"], content["EmailAccountType"]) == (ADDRESS, "EmailTypePOP")


def test_an_invented_protocol_in_the_address_gives_imap(owner: Client) -> None:
    response = owner.get('/guide/apple.mobileconfig?protocol="><x')

    assert response["Content-Disposition"] == 'attachment; filename="mailbox-imap.mobileconfig"'


def test_the_qr_code_leads_to_the_page_for_everybody(owner: Client, settings: Any) -> None:
    settings.BASE_URL = "https://umzug.provider.example"

    page = text(owner, "/guide/iphone/imap")

    assert qr.code("https://umzug.provider.example/help/iphone/imap").path in page
    assert "umzug.provider.example/s/" not in page
    assert "data:" not in page


def test_the_done_page_leads_to_guide_and_sheet(owner: Client) -> None:
    page = text(owner, "/done")

    assert 'href="/guide"' in page
    assert 'href="/guide/sheet"' in page
    assert "https://webmail.provider.example/SOGo" in page


def test_reading_writes_nothing(owner: Client, client: Client) -> None:
    before = rows()
    for page in (*pages("guide"), "/guide/apple.mobileconfig"):
        owner.get(page)
        client.get(page)

    assert rows() == before


def test_pages_are_light(client: Client, db: None) -> None:
    for page in pages("help"):
        assert len(text(client, page)) < 20_000, page


def test_german_uses_the_programs_german_words(client: Client, db: None) -> None:
    with translation.override("de"):
        page = words(client.get("/help/thunderbird/imap", headers={"accept-language": "de"}).content.decode())

    for word in ("Konten-Einstellungen", "Verbindungssicherheit:", "Passwort, normal", "Postausgangs-Server (SMTP)"):
        assert word in page
