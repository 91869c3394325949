"""An import from file to rows, as the auditor of the database sees it."""

import logging
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from migration.imports import run
from migration.imports.rows import ParsedFile
from migration.models import Alias, Domain, Event, Mailbox
from migration.secrets import Purpose, seal, unseal
from tests.factories import make_alias, make_domain, make_mailbox

pytestmark = pytest.mark.django_db
S = Mailbox.State

OLD = "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8"
MD5 = "$1$o.43fH1c$EapKZBtK6ExFP3.hWba4e0"
DES = "{CRYPT}ab1cdefghijkl"
HEADER = "address,name,kind,responsible,language,quota_mib,last_login,password_hash,goto"


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


def csv(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *lines)).encode()


def row(local_part: str, password_hash: str = "", *, name: str = "", kind: str = "", quota: str = "") -> str:
    return f"{local_part}@demo.example,{name},{kind},,,{quota},,{password_hash},"


def alias(local_part: str, goto: str) -> str:
    return f"{local_part}@demo.example,,alias,,,,,,{goto}"


def read(domain: Domain, *lines: str) -> ParsedFile:
    return run.read(csv(*lines), domain)


def bring_in(domain: Domain, *lines: str) -> run.Applied:
    return run.apply(domain, read(domain, *lines), actor="staff:eva@provider.example")


def addresses(items: Any) -> list[tuple[int, str]]:
    return [(item.line, item.address) for item in items]


def old_hash(local_part: str) -> str | None:
    mailbox = Mailbox.objects.select_related("domain").get(local_part=local_part)
    return unseal(Purpose.LEGACY_HASH, mailbox.address, mailbox.legacy_hash).decode() if mailbox.legacy_hash else None


def test_a_row_becomes_a_mailbox_with_its_hash_sealed_and_an_event(domain: Domain) -> None:
    line = "Anna@DEMO.example,Anna Gruber,shared,chef@demo.example,en,2048,2026-03-31T08:15+02:00," + OLD + ","

    applied = bring_in(domain, line)

    mailbox = Mailbox.objects.get()
    assert applied == run.Applied(new=1)
    assert (mailbox.local_part, mailbox.name, mailbox.kind, mailbox.responsible, mailbox.language) == (
        "anna",
        "Anna Gruber",
        "shared",
        "chef@demo.example",
        "en",
    )
    assert (mailbox.quota_mib, mailbox.state, mailbox.legacy_scheme) == (2048, S.IMPORTED, "SSHA")
    assert f"{mailbox.source_login_at:%Y-%m-%d %H:%M %Z}" == "2026-03-31 06:15 UTC"
    assert OLD.encode() not in bytes(mailbox.legacy_hash or b"")
    assert old_hash("anna") == OLD
    event = mailbox.events.get()
    assert (event.action, event.actor, event.domain) == ("imported", "staff:eva@provider.example", domain)


def test_the_same_file_a_second_time_changes_nothing(domain: Domain) -> None:
    lines = [row("anna", OLD, name="Anna", quota="500"), row("ben", DES), row("shop", kind="machine"), alias("@", "x")]
    lines[3] = "@demo.example,,alias,,,,,,anna@demo.example ben@demo.example"
    assert bring_in(domain, *lines) == run.Applied(new=4)
    before = [list(model.objects.order_by("pk").values()) for model in (Mailbox, Alias, Event)]

    assert bring_in(domain, *lines) == run.Applied(unchanged=4)

    assert [list(model.objects.order_by("pk").values()) for model in (Mailbox, Alias, Event)] == before
    assert [item.address for item in run.preview(domain, read(domain, *lines)).unchanged] == [
        "anna@demo.example",
        "ben@demo.example",
        "shop@demo.example",
        "*@demo.example",
    ]


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


@pytest.mark.parametrize("state", [S.IMPORTED, S.INVITED, S.SIGNED_IN])
def test_a_changed_hash_reaches_a_mailbox_that_has_no_new_password(domain: Domain, state: S) -> None:
    mailbox = make_mailbox("anna", domain=domain, legacy=OLD, state=state)

    assert bring_in(domain, row("anna", MD5)).changed == 1

    mailbox.refresh_from_db()
    assert (old_hash("anna"), mailbox.legacy_scheme, mailbox.state) == (MD5, "MD5-CRYPT", state)
    event = mailbox.events.get()
    assert (event.action, event.detail) == ("updated", {"columns": ["password_hash"]})


@pytest.mark.parametrize("state", [S.PASSWORD_SET, S.ACTIVE, S.MOVED])
@pytest.mark.parametrize("kept", [True, False], ids=["old hash kept", "old hash erased"])
def test_a_completed_mailbox_never_gets_an_old_password_back(domain: Domain, state: S, *, kept: bool) -> None:
    mailbox = make_mailbox("anna", domain=domain, legacy=OLD if kept else None, state=state, version=3, epoch=2)

    assert bring_in(domain, row("anna", MD5)) == run.Applied(done=1)
    assert bring_in(domain, row("anna", MD5, name="Anna")) == run.Applied(changed=1)

    mailbox.refresh_from_db()
    assert old_hash("anna") == (OLD if kept else None)
    assert (mailbox.name, mailbox.state, mailbox.version, mailbox.epoch) == ("Anna", state, 3, 2)


def test_an_old_password_that_was_locked_since_is_forgotten(domain: Domain) -> None:
    bring_in(domain, row("anna", OLD), row("ben", OLD))

    assert bring_in(domain, row("anna", "!" + OLD), row("ben", OLD)) == run.Applied(changed=1, unchanged=1)

    assert (old_hash("anna"), old_hash("ben")) == (None, OLD)
    assert Mailbox.objects.get(local_part="anna").legacy_scheme == ""


def test_a_hash_that_cannot_be_unsealed_is_replaced(domain: Domain) -> None:
    mailbox = make_mailbox("anna", domain=domain, legacy=OLD)
    mailbox.legacy_hash = seal(Purpose.LEGACY_HASH, "ben@demo.example", OLD.encode())
    mailbox.save()

    assert bring_in(domain, row("anna", OLD)).changed == 1
    assert old_hash("anna") == OLD


def test_what_a_file_does_not_speak_of_stays(domain: Domain) -> None:
    bring_in(domain, row("shop", OLD, name="Shop", kind="machine", quota="700"), alias("info", "shop@demo.example"))

    applied = run.apply(domain, run.read(b"shop:{MD5}x" + b"\n", domain), actor="staff:eva")
    assert applied == run.Applied()  # a broken hash: an error, and nothing else
    parsed = run.read(f"shop:{MD5}::::::\nanna:\n".encode(), domain)
    preview = run.preview(domain, parsed)
    run.apply(domain, parsed, actor="staff:eva")

    shop = Mailbox.objects.get(local_part="shop")
    assert (shop.name, shop.kind, shop.quota_mib, old_hash("shop")) == ("Shop", "machine", 700, MD5)
    assert preview.gone == []


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


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("mailboxes.csv", b"anything: at all", "csv"),
        ("/etc/dovecot/passwd.demo", b"address,name", "passwd"),
        ("-", b"address\nanna@demo.example\n", "csv"),
        ("-", b"address;name\nanna@demo.example;Anna: the boss\n", "csv"),
        ("users", b"# comment\nanna@demo.example:{SSHA}x::::::\n", "passwd"),
        ("-", b"", "csv"),
    ],
)
def test_the_format_is_guessed(name: str, content: bytes, expected: str) -> None:
    assert run.guess_format(content, name) == expected


def test_one_bad_row_in_a_hundred_stops_none_of_the_others(domain: Domain) -> None:
    lines = [row(f"m{number}", OLD, quota="none" if number % 100 == 50 else "100") for number in range(5000)]

    parsed = read(domain, *lines)
    applied = run.apply(domain, parsed, actor="staff:eva")

    assert [error.line for error in parsed.errors] == [number + 2 for number in range(50, 5000, 100)]
    assert {(error.column, error.code) for error in parsed.errors} == {("quota_mib", "quota")}
    assert applied.new == Mailbox.objects.count() == Event.objects.filter(action="imported").count() == 4950
    assert run.apply(domain, parsed, actor="staff:eva") == run.Applied(unchanged=4950)


def test_twice_as_many_rows_of_a_batch_cost_no_more_queries(domain: Domain) -> None:
    def queries(other: Domain, number: int, name: str) -> int:
        lines = [f"m{i}@{other.name},{name},,,,,,{OLD}," for i in range(number)]
        lines += [f"a{i}@{other.name},,alias,,,,,,{name}@{other.name}" for i in range(number)]
        parsed = run.read(csv(*lines), other)
        assert not parsed.errors
        with CaptureQueriesContext(
            connection,
        ) as captured:
            run.preview(other, parsed)
            run.apply(other, parsed, actor="staff:eva")
        return len(captured)

    other = make_domain()

    for name in ("first", "second"):  # all new, then all changed
        assert queries(domain, 20, name) == queries(other, 40, name)


def test_an_event_that_cannot_be_written_takes_its_batch_back(domain: Domain) -> None:
    parsed = read(domain, row("anna"))

    with pytest.raises(IntegrityError), transaction.atomic():
        run.apply(domain, parsed, actor=None)  # type: ignore[arg-type]

    assert not Mailbox.objects.exists()


def test_no_hash_reaches_an_event_or_a_log(domain: Domain, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bring_in(domain, row("anna", OLD), row("ben", DES), row("bad", OLD, quota="x"))
    bring_in(domain, row("anna", MD5), row("ben", OLD))

    told = str(list(Event.objects.values())) + caplog.text
    assert "import_applied" in caplog.text
    for stored in (OLD, MD5, DES):
        assert stored.rpartition("}")[2] not in told
