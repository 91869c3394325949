"""Corpus C: the files that people and programs really bring along, and what becomes of each.

The numbers are those of the corpus; each row says what goes in and the codes of what is told.
"""

from dataclasses import dataclass, field

import pytest
from django.db import connection

from migration.imports import run
from migration.imports.rows import ParsedFile
from migration.models import Domain, Mailbox
from migration.spreadsheets import harmless
from tests.factories import make_alias, make_domain, make_mailbox

from .import_file import MD5, OLD

pytestmark = pytest.mark.django_db
S = Mailbox.State
SHA512 = "$6$saltsalt$" + "x" * 86
BCRYPT = "05$Gmmbcm/mj1DFDW/ZRicERe6xyXk4hPVGZuUF6oxMEnwYOTg7pDx.K"
ARGON2 = "$argon2id$v=19$m={memory},t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


@dataclass(frozen=True)
class File:
    """A file and what is told of it: the good local parts, (line, code) of mistakes, codes of notes."""

    number: str
    content: bytes | str
    good: list[str] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    encoding: str | None = None


def named(name: str) -> str:
    return f"address;name\nanna@demo.example;{name}\neva@demo.example;Eva\n"


def hashed(stored: str) -> str:
    return f"address;password_hash\nanna@demo.example;{stored}\neva@demo.example;\n"


def addressed(*addresses: str) -> str:
    return "\n".join(["address", *addresses])


BOTH, EVA = ["anna", "eva"], ["eva"]
FILES = [
    File("C1 empty", "", errors=[(1, "no_rows")]),
    File("C1 only a header", "address;name\n", errors=[(1, "no_rows")]),
    File("C2 byte order mark", b"\xef\xbb\xbf" + named("Anna").encode(), BOTH),
    File("C2 UTF-16", named("Anna").encode("utf-16"), errors=[(1, "utf16")]),
    File("C2 cp1252 unsaid", named("Jürg").encode("cp1252"), errors=[(2, "not_utf8")]),
    File("C2 cp1252 said", named("Jürg").encode("cp1252"), BOTH, encoding="cp1252"),
    File("C3 semicolon", named("Anna"), BOTH),
    File("C3 tab", named("Anna").replace(";", "\t"), BOTH),
    File("C3 carriage returns", named("Anna").replace("\n", "\r"), BOTH),
    File("C3 two delimiters", "address;name,kind\nanna@demo.example;a,b\n", errors=[(1, "delimiter_unclear")]),
    File("C3 bar", named("Anna").replace(";", "|"), errors=[(1, "column_missing")]),
    File("C3 other delimiter below", named("Anna").replace("e;A", "e,A"), EVA, [(2, "field_count")]),
    File("C3 unquoted delimiter", named("Anna;Chefin"), EVA, [(2, "field_count")]),
    File("C4 missing column", "name\nAnna\n", errors=[(1, "column_missing")]),
    File("C4 extra column", "address;shoe size\nanna@demo.example;38\n", errors=[(1, "column_unknown")]),
    File("C4 column twice", "address;Address\nanna@demo.example;x\n", errors=[(1, "column_twice")]),
    File("C4 other order", "name;address\nAnna;anna@demo.example\n", ["anna"]),
    File("C5 quote never closed", named('"Anna'), errors=[(2, "quote_open")]),
    File("C5 endless line", named("x" * 70_000), errors=[(2, "line_too_long")]),
    File("C6 NUL", named("An\0na"), EVA, [(2, "nul")]),
    File("C7 too many rows", "address\n" + "a@b.example\n" * 200_001, errors=[(200_002, "too_many_rows")]),
    File("C7 21 MB", b"address\n" + b"x" * 21 * 1024 * 1024, errors=[(1, "file_too_big")]),
    File("C7 zip", b"PK\x03\x04\x14\x00", errors=[(1, "zip")]),
    File("C7 gzip", b"\x1f\x8b\x08\x00", errors=[(1, "gzip")]),
    File("C9 foreign domain", addressed("anna@other.example", "eva@demo.example"), EVA, [(2, "foreign_domain")]),
    File("C9 no @", addressed("anna", "eva@demo.example"), EVA, [(2, "no_at")]),
    File("C9 upper case", addressed("ANNA@Demo.EXAMPLE", "eva@demo.example"), BOTH),
    File("C9 look-alike", addressed("anna@dеmo.example", "eva@demo.example"), EVA, [(2, "foreign_domain")]),
    File("C10 other case", addressed("anna@demo.example", "Anna@demo.example"), ["anna"], [(3, "duplicate")]),
    File(
        "C10 decomposed",
        addressed("a\u0308nna@demo.example", "änna@demo.example"),
        errors=[(2, "local_part_characters"), (3, "local_part_characters")],
    ),
    *(File(f"C13 {stored!r}", hashed(stored), BOTH) for stored in ("", "*", "!", "x")),
    *(
        File(f"C14 {stored}", hashed(stored), EVA, [(2, "hash_clear_text")])
        for stored in ("{PLAIN}geheim12", "geheim12", "{CLEARTEXT}geheim12")
    ),
    *(
        File(f"C15 {stored[:12]}", hashed(stored), BOTH)
        for stored in (
            OLD,
            "{SMD5}aGHs0dJjVKAO86sLAkhTSSiDMUc=",
            "{CRYPT}" + SHA512,
            *(f"$2{version}${BCRYPT}" for version in "ayb"),
            MD5,
            "{BLF-CRYPT}$2y$" + BCRYPT,
            "{ARGON2ID}" + ARGON2.format(memory=32),
        )
    ),
    *(
        File(f"C16 {stored[:16]}", hashed(stored), EVA, [(2, "hash_too_costly")])
        for stored in (
            "$6$rounds=999999999$salt$" + "x" * 86,
            "$2y$31" + BCRYPT[2:],
            ARGON2.format(memory=4_194_304),
            "{PBKDF2}$1$salt$1000000000$" + "0" * 40,
        )
    ),
    *(
        File(f"C17 {stored[:9]}", hashed(stored), EVA, [(2, "hash_malformed")])
        for stored in ("{SSHA}%%", SHA512[:-1], SHA512 + " ", "{SSHA}")
    ),
    *(
        File(f"C18 {stored[:9]}", hashed(stored), BOTH, notes=["hash_unsupported"])
        for stored in ("{NTLM}" + "0" * 32, "{LANMAN}" + "0" * 32, "{ROT13}trurvz")
    ),
    File("C18 yescrypt", hashed("$y$j9T$saltsalt$" + "x" * 43), BOTH),
    File("C19 CR LF", named('"Anna\r\nBcc: x"'), errors=[(2, "quote_open")]),
    File("C19 template", named("{{7*7}}<script>alert(1)</script>"), BOTH),
    File("C19 turned round", named("Anna\u202e"), EVA, [(2, "name_characters")]),
    File("C19 10 kB", named("x" * 10_240), EVA, [(2, "name_length")]),
    File("C20 reply-to", "address;reply-to\nanna@demo.example;x@evil.example\n", errors=[(1, "column_unknown")]),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.number)
def test_a_file_of_the_corpus_ends_as_stated(file: File, domain: Domain) -> None:
    content = file.content.encode() if isinstance(file.content, str) else file.content

    parsed = run.read(content, domain, encoding=file.encoding, file_format="csv")
    applied = run.apply(domain, parsed, actor="staff:eva")

    assert [(error.line, error.code) for error in parsed.errors] == file.errors
    assert [note.code for note in parsed.notes] == file.notes
    assert list(Mailbox.objects.order_by("local_part").values_list("local_part", flat=True)) == file.good
    assert applied.new == len(file.good)
    assert not any("geheim12" in str(problem) for problem in parsed.errors)


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_c8_a_formula_is_stored_as_it_is_and_goes_out_defused(name: str, domain: Domain) -> None:
    run.apply(domain, read(named(name), domain), actor="staff:eva")

    assert Mailbox.objects.get(local_part="anna").name == name
    assert harmless(name) == "'" + name


def test_c9_a_domain_with_umlauts_is_one_in_either_spelling() -> None:
    domain = make_domain("xn--bcher-kva.example")

    parsed = read(addressed("anna@Bücher.example", "eva@xn--bcher-kva.example"), domain)

    assert [str(row.address) for row in parsed.rows] == ["anna@xn--bcher-kva.example", "eva@xn--bcher-kva.example"]


@pytest.mark.parametrize("state", [S.PASSWORD_SET, S.ACTIVE, S.MOVED])
def test_c11_a_completed_mailbox_stays_as_it_is_and_is_named(state: S, domain: Domain) -> None:
    make_mailbox("anna", domain=domain, state=state, version=1)
    before = Mailbox.objects.values().get()

    parsed = read(hashed(OLD), domain)
    preview = run.preview(domain, parsed)
    run.apply(domain, parsed, actor="staff:eva")

    assert [(item.line, item.address) for item in preview.done] == [(2, "anna@demo.example")]
    assert Mailbox.objects.values().get(local_part="anna") == before


def test_c12_an_address_we_have_as_an_alias_is_named_and_left(domain: Domain) -> None:
    make_alias("anna", goto="eva@demo.example", domain=domain)

    parsed = read(named("Anna"), domain)
    preview = run.preview(domain, parsed)
    run.apply(domain, parsed, actor="staff:eva")

    assert [(clash.line, clash.code) for clash in preview.conflicts] == [(2, "is_alias")]
    assert [mailbox.local_part for mailbox in Mailbox.objects.all()] == EVA


def test_c21_same_file_half_a_file_and_a_newer_hash(domain: Domain) -> None:
    whole, half, newer = hashed(OLD), "address;password_hash\neva@demo.example;\n", hashed(MD5)

    ended = [run.apply(domain, read(text, domain), actor="staff:eva") for text in (whole, whole, half, newer, newer)]

    assert [(applied.new, applied.changed, applied.unchanged) for applied in ended] == [
        (2, 0, 0),
        (0, 0, 2),
        (0, 0, 1),
        (0, 1, 1),
        (0, 0, 2),
    ]
    assert [item.address for item in run.preview(domain, read(half, domain)).gone] == ["anna@demo.example"]
    assert Mailbox.objects.get(local_part="anna").legacy_scheme == "MD5-CRYPT"


def test_c22_fifty_thousand_rows_with_a_bad_one_in_a_hundred(domain: Domain) -> None:
    lines = [f"m{number}@demo.example;{'geheim12' if number % 100 == 50 else OLD}" for number in range(50_000)]

    parsed = read("\n".join(["address;password_hash", *lines]), domain)
    applied = run.apply(domain, parsed, actor="staff:eva")

    assert [error.line for error in parsed.errors] == [number + 2 for number in range(50, 50_000, 100)]
    assert {error.code for error in parsed.errors} == {"hash_clear_text"}
    assert applied == run.Applied(new=49_500)
    assert Mailbox.objects.count() == 49_500
    if connection.vendor == "postgresql":
        # Here all batches are one transaction: a plan made when the table was empty would check each event by all rows.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE migration_mailbox")


def read(text: str, domain: Domain) -> ParsedFile:
    return run.read(text.encode(), domain, file_format="csv")
