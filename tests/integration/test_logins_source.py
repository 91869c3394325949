"""The old server's log is read; only the newest login of a mailbox we know is kept, and only for a while."""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from migration import logins
from migration.addresses import parse
from migration.imports.login_log import SeenLogin
from migration.models import Mailbox, Push, SourceLogin
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LINE = "Mar  2 09:15:01 mailhaus dovecot: imap-login: Login: user=<{}>, method=PLAIN, rip=192.0.2.7, lip=::1, TLS\n"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna() -> Mailbox:
    return factories.make_mailbox("anna", domain=factories.make_domain("demo.example"))


def run(file: object, *arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_logins", str(file), *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def seen(days_ago: float, ip: str | None = "192.0.2.7", protocol: str = "imap") -> SeenLogin:
    return SeenLogin(timezone.now() - timedelta(days=days_ago), ip, protocol)


def test_log_is_read_from_a_file_and_again_changes_nothing(anna: Mailbox, tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_text(LINE.format("anna@demo.example") + LINE.format("nobody@demo.example") + LINE.format("plain"))

    out, err = run(file)

    assert "2 logins of 2 addresses were read." in out
    assert "1 mailboxes have a newer login than we knew." in out
    assert "1 addresses are no mailboxes of ours." in out
    assert "1 lines could not be understood, the first of them is line 3." in err
    anna.refresh_from_db()
    assert anna.source_login_at == datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC)
    login = SourceLogin.objects.get()
    assert (login.mailbox, login.at, login.ip, login.protocol) == (anna, anna.source_login_at, "192.0.2.7", "imap")
    assert "0 mailboxes have a newer login" in run(file)[0]


def test_table_is_read_from_stdin(anna: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"address;time;ip;protocol\nanna@demo.example;2026-03-01 10:00;;webmail\n")

    monkeypatch.setattr(sys, "stdin", Stdin)

    out, _err = run("-", "--time-zone", "UTC")

    assert "1 mailboxes have a newer login" in out
    assert SourceLogin.objects.get().protocol == "webmail"
    anna.refresh_from_db()
    assert anna.source_login_at == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def test_users_without_domain_need_one_named(anna: Mailbox, tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_text(LINE.format("anna"))

    with pytest.raises(CommandError, match="Nothing in this file"):
        run(file)
    assert "1 mailboxes" in run(file, "--domain", "demo.example")[0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--time-zone", "Mars/Olympus"], "no such time zone"),
        (["--time-zone", "../etc/passwd"], "no such time zone"),
        (["--domain", "no domain"], "no such domain"),
        ([], "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=complaint):
        run(tmp_path / "missing.log", *arguments)


def test_older_login_replaces_no_newer_one(anna: Mailbox) -> None:
    logins.record_source({parse(anna.address): seen(1)})

    assert logins.record_source({parse(anna.address): seen(2, ip="198.51.100.9")}).newer == 0

    assert SourceLogin.objects.get().ip == "192.0.2.7"
    anna.refresh_from_db()
    assert anna.source_login_at == NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("days_ago", "kept"), [(6.9, ["192.0.2.7"]), (7, ["192.0.2.0"]), (29.9, ["192.0.2.0"]), (30, [])]
)
def test_origin_is_kept_as_long_as_the_table_says(days_ago: float, kept: list[str], anna: Mailbox) -> None:
    logins.record_source({parse(anna.address): seen(days_ago)})

    assert list(SourceLogin.objects.values_list("ip", flat=True)) == kept
    anna.refresh_from_db()
    assert anna.source_login_at


def test_logins_of_several_domains_find_their_mailboxes(anna: Mailbox) -> None:
    other = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"))

    recorded = logins.record_source(
        {parse("anna@bücher.example"): seen(1), parse("anna@demo.example"): seen(2), parse("x@y.example"): seen(1)}
    )

    assert (recorded.newer, recorded.unknown) == (2, 1)
    assert set(SourceLogin.objects.values_list("mailbox", flat=True)) == {anna.pk, other.pk}


def delivered(mailbox: Mailbox, days_ago: float) -> None:
    factories.make_push(mailbox, state=Push.State.DELIVERED, delivered_at=timezone.now() - timedelta(days=days_ago))


@pytest.mark.parametrize(("days_after", "listed"), [(-1, 0), (1.999, 0), (2, 0), (2.001, 1), (5, 1)])
def test_login_counts_two_days_after_the_new_password_works(days_after: float, listed: int, anna: Mailbox) -> None:
    delivered(anna, 10)
    logins.record_source({parse(anna.address): seen(10 - days_after)})

    assert logins.still_on_source().count() == listed


def test_owner_seen_on_both_servers_is_listed_too(anna: Mailbox) -> None:
    delivered(anna, 10)
    Mailbox.objects.update(state=Mailbox.State.MOVED)
    logins.record_source({parse(anna.address): seen(1)})

    assert list(logins.still_on_source()) == [anna]


@pytest.mark.parametrize("state", [state for state in Mailbox.State if state not in Mailbox.DONE])
def test_owner_without_a_working_new_password_is_not(state: Any, anna: Mailbox) -> None:
    delivered(anna, 10)
    Mailbox.objects.update(state=state)
    logins.record_source({parse(anna.address): seen(1)})

    assert not logins.still_on_source().exists()


def test_fresh_password_gives_two_days_again(anna: Mailbox) -> None:
    delivered(anna, 10)
    logins.record_source({parse(anna.address): seen(3)})
    assert logins.still_on_source().exists()

    delivered(anna, 2)

    assert not logins.still_on_source().exists()


def test_domains_with_most_of_them_come_first() -> None:
    for name, number in (("a.example", 1), ("b.example", 2), ("c.example", 0)):
        domain = factories.make_domain(name)
        for _ in range(number):
            mailbox = factories.make_mailbox(domain=domain)
            delivered(mailbox, 10)
            logins.record_source({parse(mailbox.address): seen(1)})

    assert [(domain.name, n) for domain, n in logins.still_on_source_by_domain()] == [
        ("b.example", 2),
        ("a.example", 1),
    ]
