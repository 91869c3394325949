"""The settings an owner is told to type."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from migration.guides import facts
from migration.guides.programs import PROGRAMS
from migration.guides.windows import Program, windows
from migration.models import Mailbox
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
# The ports of the old days, and the word that goes with some of them.
FORBIDDEN = re.compile(r"(?<![\d.#])(?:25|110|143|587)(?![\d.;%]|rem|px|em)|STARTTLS", re.IGNORECASE)


def table(guide: facts.Guide) -> str:
    return render_to_string("guides/table.html", {"guide": guide})


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_guide_names_the_new_server_with_tls_ports_only(mailbox: Mailbox, settings: Any) -> None:
    guide = facts.for_mailbox(mailbox)

    assert [(server.protocol, server.port) for server in (*guide.incoming, guide.smtp)] == [
        ("IMAP", 993),
        ("POP3", 995),
        ("SMTP", 465),
    ]
    assert {server.security for server in (*guide.incoming, guide.smtp)} == {"SSL/TLS"}
    assert {server.host for server in (*guide.incoming, guide.smtp)} == {settings.TARGET_MAIL_HOST}
    assert guide.login_name == "anna@demo.example"
    assert not guide.is_written_differently


def test_login_name_of_a_domain_with_umlauts_is_its_ascii_form(db: None) -> None:
    mailbox = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"))

    guide = facts.for_mailbox(mailbox)

    assert (guide.login_name, guide.display) == ("anna@xn--bcher-kva.example", "anna@bücher.example")
    assert "anna@bücher.example" in table(guide)


def test_table_shows_old_and_new(mailbox: Mailbox, settings: Any) -> None:
    page = words(table(facts.for_mailbox(mailbox)))

    assert page.count(settings.SOURCE_MAIL_HOST) == 2
    assert page.count(settings.TARGET_MAIL_HOST) == 2
    for value in ("993 , SSL/TLS", "995 , SSL/TLS", "465 , SSL/TLS", "anna@demo.example"):
        assert value in page


@pytest.mark.parametrize(("kept_old", "sentence"), [(True, "stays as it is"), (False, "the new one")])
def test_password_row_knows_whether_the_old_one_was_kept(mailbox: Mailbox, kept_old: bool, sentence: str) -> None:
    factories.make_push(mailbox, kept_old=kept_old)

    with translation.override("en"):
        assert sentence in words(table(facts.for_mailbox(mailbox)))


def test_second_webmail_is_shown_only_if_there_is_one(mailbox: Mailbox, settings: Any) -> None:
    def section() -> str:
        return render_to_string("guides/webmail.html", {"guide": facts.for_mailbox(mailbox)})

    assert settings.TARGET_WEBMAIL_URL in section()
    assert "roundcube" not in section()
    settings.SECOND_WEBMAIL_URL = "https://roundcube.provider.example"
    assert "https://roundcube.provider.example" in section()


@pytest.mark.parametrize("kind", facts.Protocol)
@pytest.mark.parametrize("program", [one for one in PROGRAMS.values() if one.asks_protocol], ids=lambda one: one.slug)
def test_windows_hold_our_servers_and_nothing_else(mailbox: Mailbox, program: Program, kind: facts.Protocol) -> None:
    guide = facts.for_mailbox(mailbox)

    receiving, sending = windows(program, guide, kind)

    for window, server in ((receiving, guide.fetching(kind)), (sending, guide.smtp)):
        values = [str(field.value) for field in window.fields]
        assert {server.host, str(server.port)} <= set(values)
        assert [value for value in values if value.isdigit()] == [str(server.port)]
        assert {field.value for field in window.fields if field.can_be_copied} <= {server.host, guide.login_name}
        assert guide.login_name in values or program.slug == "outlook"
    assert receiving.fields != sending.fields


def test_every_window_says_that_the_connection_is_encrypted(mailbox: Mailbox) -> None:
    for program in PROGRAMS.values():
        for window in windows(program, facts.for_mailbox(mailbox), facts.Protocol.IMAP):
            lines = {str(field.label): str(field.value) for field in window.fields}
            assert "SSL/TLS" in lines.values() or {lines.get("Use TLS/SSL"), lines.get("Use SSL")} & {"on"}, (
                program.slug
            )


def test_the_guide_for_everybody_names_nobody(db: None, settings: Any) -> None:
    guide = facts.for_everybody()

    assert (guide.imap.host, guide.smtp.port) == (settings.TARGET_MAIL_HOST, 465)
    assert guide.login_name == "your whole e-mail address"
    assert not guide.is_personal
    assert not guide.is_written_differently
    assert "user@" not in table(guide)
    assert "the one you saved in the portal" in words(table(guide))


def test_no_template_names_an_old_port() -> None:
    for folder in ("guides", "mail", "accounts"):
        for file in (ROOT / "templates" / folder).rglob("*.*"):
            page = words(re.sub(r"(?s)<style>.*?</style>", "", file.read_text()))
            assert not FORBIDDEN.search(page), file


def test_ports_stand_in_one_place_only() -> None:
    pages = [*(ROOT / "templates" / "guides").rglob("*.html"), *(ROOT / "migration" / "guides").glob("*.py")]

    with_ports = {path.name for path in pages if re.search(r"\b(?:993|995|465)\b", path.read_text())}

    assert with_ports == {"facts.py"}
