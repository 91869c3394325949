"""What a preview says before anything is written."""

from typing import Any

import pytest

from migration.imports import run
from migration.models import Domain, Event, Mailbox
from tests.factories import make_alias, make_domain, make_mailbox

from .import_file import DES, MD5, OLD, alias, read, row

pytestmark = pytest.mark.django_db
S = Mailbox.State


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


def addresses(items: Any) -> list[tuple[int, str]]:
    return [(item.line, item.address) for item in items]


def test_a_preview_names_every_group_with_its_lines_and_writes_nothing(domain: Domain) -> None:
    make_mailbox("ben", domain=domain, name="Ben", legacy=OLD)
    make_mailbox("clara", domain=domain, name="Clara")
    make_mailbox("dora", domain=domain, name="Dora", state=S.ACTIVE, legacy=OLD)
    make_mailbox("emil", domain=domain)
    make_alias("fax", goto="ben@demo.example", domain=domain)
    make_alias("info", goto="ben@demo.example", domain=domain)
    make_alias("old", goto="ben@demo.example", domain=domain)
    lines = [
        row("anna", MD5, name="Anna", quota="100"),
        row("ben", MD5, name="Benjamin", quota="200"),
        row("clara", name="Clara"),
        row("dora", MD5, name="Dora"),
        row("fax", name="Fax"),
        alias("emil", "anna@demo.example"),
        alias("info", "anna@demo.example"),
    ]

    preview = run.preview(domain, read(domain, *lines))

    assert addresses(preview.new) == [(2, "anna@demo.example")]
    assert [(item.line, item.columns) for item in preview.changed] == [
        (3, ("name", "quota_mib", "password_hash")),
        (8, ("goto",)),
    ]
    assert addresses(preview.unchanged) == [(4, "clara@demo.example")]
    assert addresses(preview.done) == [(5, "dora@demo.example")]
    assert [(clash.line, clash.code) for clash in preview.conflicts] == [(6, "is_alias"), (7, "is_mailbox")]
    assert addresses(preview.gone) == [(0, "old@demo.example")]
    assert (preview.mailboxes, preview.aliases, preview.quota_mib, preview.without_quota) == (5, 2, 300, 3)
    assert not Mailbox.objects.filter(local_part="anna").exists()
    assert not Event.objects.exists()
    assert MD5 not in repr(preview)


def test_applying_does_what_the_preview_said(domain: Domain) -> None:
    make_mailbox("ben", domain=domain, legacy=OLD)
    make_mailbox("dora", domain=domain, state=S.MOVED)
    make_mailbox("gone", domain=domain)
    make_alias("fax", goto="ben@demo.example", domain=domain)
    parsed = read(domain, row("anna"), row("ben", MD5), row("dora", MD5), row("fax"), row("bad", quota="many"))
    said = run.preview(domain, parsed).summary

    applied = run.apply(domain, parsed, actor="staff:eva")

    assert applied == run.Applied(new=1, changed=1, unchanged=0, done=1, conflicts=1)
    assert {name: said[name] for name in ("new", "changed", "unchanged", "done", "conflicts")} == vars(applied)
    assert (said["gone"], said["errors"]) == (1, 1)
    assert set(Mailbox.objects.values_list("local_part", flat=True)) == {"anna", "ben", "dora", "gone"}


def test_old_passwords_are_counted_by_scheme_and_by_whether_they_can_be_checked(domain: Domain) -> None:
    lines = [row("a", OLD), row("b", OLD), row("c", DES), row("d", "{CRAM-MD5}" + "ab" * 32), row("e")]

    preview = run.preview(domain, read(domain, *lines))

    assert [(scheme.scheme, scheme.mailboxes, scheme.checkable) for scheme in preview.schemes] == [
        ("CRAM-MD5", 1, False),
        ("DES-CRYPT", 1, False),
        ("SSHA", 2, True),
    ]
    assert preview.without_password == 1
    assert len(preview.new) == 5


def test_clashes_within_the_file_are_mistakes_with_their_line(domain: Domain) -> None:
    lines = [row("anna"), row("ANNA"), alias("anna", "x@demo.example"), row("ben"), "ben@other.example" + "," * 8]

    parsed = read(domain, *lines)

    assert [(error.line, error.code) for error in parsed.errors] == [
        (3, "duplicate"),
        (4, "duplicate"),
        (6, "foreign_domain"),
    ]
    assert run.apply(domain, parsed, actor="staff:eva").new == 2


def test_a_domain_with_umlauts_takes_rows_in_either_spelling() -> None:
    domain = make_domain("xn--mller-kva.example")
    parsed = run.read("address\nanna@Müller.example\nben@xn--mller-kva.example\n".encode(), domain)

    assert addresses(run.preview(domain, parsed).new) == [(2, "anna@müller.example"), (3, "ben@müller.example")]
    assert run.apply(domain, parsed, actor="staff:eva").new == 2


def test_a_dump_is_imported_for_its_domain_and_a_second_time_changes_nothing(domain: Domain) -> None:
    columns = "INSERT INTO mailbox (username,password,quota,active) VALUES "
    dump = f"{columns}('anna@demo.example','{OLD}',1048576,1),('eva@other.example','',0,1);\n"
    dump += "INSERT INTO alias (address,goto,active) VALUES ('anna@demo.example','anna@demo.example,x@b.example',1);\n"

    first, second = (run.apply(domain, run.read(dump.encode(), domain), actor="staff:eva") for _ in range(2))

    assert (first, second) == (run.Applied(new=1), run.Applied(unchanged=1))
    anna = Mailbox.objects.get()
    assert (anna.local_part, anna.quota_mib, anna.legacy_scheme, anna.kind) == ("anna", 1, "SSHA", "outside")


def test_a_new_mailbox_says_of_what_kind_it_is_and_why(domain: Domain) -> None:
    items = run.preview(domain, read(domain, row("office"), row("anna"), row("shop", kind="shared"))).new

    assert [item.kind_label for item in items] == [
        "several people (its name is one of several people)",
        "one person",
        "several people (said by the import file)",
    ]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("mailboxes.csv", b"anything: at all", "csv"),
        ("/etc/dovecot/passwd.demo", b"address,name", "passwd"),
        ("-", b"address\nanna@demo.example\n", "csv"),
        ("-", b"address;name\nanna@demo.example;Anna: the boss\n", "csv"),
        ("users", b"# comment\nanna@demo.example:{SSHA}x::::::\n", "passwd"),
        ("-", b"", "csv"),
        ("mail.sql", b"anything", "postfixadmin"),
        ("-", b"-- MySQL dump 10.13\nCREATE TABLE `mailbox` (`domain_id` int)", "vimbadmin"),
        ("-", b"--\n-- PostgreSQL database dump\n--\n", "postfixadmin"),
        ("-", b"PRAGMA foreign_keys=OFF;\n", "postfixadmin"),
    ],
)
def test_the_format_is_guessed(name: str, content: bytes, expected: str) -> None:
    assert run.guess_format(content, name) == expected
