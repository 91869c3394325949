from datetime import UTC, datetime

import pytest
from django.utils import translation

from migration.addresses import Address
from migration.imports import csv_file
from migration.imports.headings import column_of
from migration.imports.rows import COLUMNS, AliasRow, MailboxRow, ParsedFile

SHA512 = "{SHA512-CRYPT}$6$saltsalt$" + "x" * 86


def read(text: str, **options: str | None) -> ParsedFile:
    return csv_file.parse(text.encode("utf-8"), **options)


def problems(parsed: ParsedFile) -> list[tuple[int, str, str]]:
    return [(error.line, error.column, error.code) for error in parsed.errors]


def test_a_full_row_is_read() -> None:
    parsed = read(
        "address;name;kind;responsible;language;quota_mib;last_login;password_hash;goto\n"
        f"Office@Demo.Example;Büro;shared;Anna@demo.example;en;2048;2026-03-31T08:15+02:00;{SHA512};\n"
    )

    assert problems(parsed) == []
    assert parsed.rows == [
        MailboxRow(
            line=2,
            address=Address("office", "demo.example"),
            name="Büro",
            kind="shared",
            kind_reason="stated",
            responsible="anna@demo.example",
            language="en",
            quota_mib=2048,
            last_login=datetime(2026, 3, 31, 6, 15, tzinfo=UTC),
            legacy_hash=SHA512,
            legacy_scheme="SHA512-CRYPT",
        )
    ]


def test_an_address_alone_is_enough() -> None:
    parsed = read("address\nanna@demo.example\n")

    assert parsed.rows == [MailboxRow(2, Address("anna", "demo.example"))]
    assert parsed.rows[0].kind == "personal"


def test_aliases_are_rows_of_their_own_kind() -> None:
    parsed = read(
        "address;kind;goto\n"
        "info@demo.example;alias;anna@demo.example, EVA@demo.example anna@demo.example\n"
        "@demo.example;alias;anna@demo.example\n"
        "*@bücher.example;alias;x@elsewhere.example\n"
    )

    assert problems(parsed) == []
    assert parsed.aliases == [
        AliasRow(2, Address("info", "demo.example"), ("anna@demo.example", "eva@demo.example")),
        AliasRow(3, Address("*", "demo.example"), ("anna@demo.example",)),
        AliasRow(4, Address("*", "xn--bcher-kva.example"), ("x@elsewhere.example",)),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "address\n", "address;name\r\n;\r\n"])
def test_a_file_without_rows_says_so(text: str) -> None:
    assert problems(read(text)) == [(1, "", "no_rows")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_and_line_ends_are_detected(delimiter: str, end: str) -> None:
    text = end.join([f"address{delimiter}name", f"anna@demo.example{delimiter}Anna", f"eva@demo.example{delimiter}Eva"])

    assert [(row.line, row.name) for row in read(text).rows] == [(2, "Anna"), (3, "Eva")]


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("E-Mail-Adresse", "address"),
        ("E-Mail", "address"),
        ("Postfach", "address"),
        ("Display name", "name"),
        ("Passwort-Hash", "password_hash"),
        ("Kontingent (MB)", "quota_mib"),
        ("QUOTA-MiB", "quota_mib"),
        ("Belegt", "used_mib"),
        ("Größe", "used_mib"),
        ("Gro\u0308ße", "used_mib"),
        ("Letzte Anmeldung", "last_login"),
        ("Weiterleitung an", "forwards"),
        ("Art", "kind"),
        ("Zuständig", "responsible"),
        ("Passwort", ""),
        ("password", ""),
        ("", ""),
        ("x" * 10_000, ""),
    ],
)
def test_columns_are_known_by_german_and_english_names(heading: str, column: str) -> None:
    assert column_of(heading) == column


def test_every_column_is_known_by_one_name_only() -> None:
    assert {column_of(column) for column in COLUMNS} == set(COLUMNS)


def test_a_table_with_german_headings_is_read() -> None:
    parsed = read(f"E-Mail-Adresse;Anzeigename;Kontingent;Passwort-Hash\nanna@demo.example;Anna;5 GB;{SHA512}\n")

    row = parsed.rows[0]
    assert problems(parsed) == []
    assert (str(row.address), row.name, row.quota_mib, row.legacy_scheme) == (
        "anna@demo.example",
        "Anna",
        5120,
        "SHA512-CRYPT",
    )


def test_two_names_of_one_column_are_one_too_many() -> None:
    assert problems(read("E-Mail;address\nanna@demo.example;eva@demo.example\n")) == [(1, "", "column_twice")]


def test_columns_may_stand_in_any_order_and_case() -> None:
    parsed = read('"Name", Address \nAnna,anna@demo.example\n')

    assert [(row.name, str(row.address)) for row in parsed.rows] == [("Anna", "anna@demo.example")]


@pytest.mark.parametrize(
    ("header", "code", "named"),
    [
        ("name;kind", "column_missing", "address"),
        ("address;reply_to", "column_unknown", "reply_to"),
        ("address;name;name", "column_twice", "name"),
        ("address;name,kind", "delimiter_unclear", "comma"),
        ("address;;name", "column_unknown", ""),
    ],
)
def test_a_wrong_header_is_named(header: str, code: str, named: str) -> None:
    parsed = read(f"{header}\nanna@demo.example;x;y\n")

    assert problems(parsed) == [(1, "", code)]
    assert named in str(parsed.errors[0])
    assert parsed.rows == []


def test_a_file_without_header_repeats_nothing_of_its_first_line() -> None:
    parsed = read("anna@demo.example;{PLAIN}geheim\n")

    assert problems(parsed) == [(1, "", "column_missing")]
    assert "geheim" not in str(parsed.errors[0])


def test_a_byte_order_mark_is_fine() -> None:
    parsed = csv_file.parse(b"\xef\xbb\xbfaddress\nanna@demo.example")

    assert len(parsed.rows) == 1


def test_cp1252_is_read_by_choice_only() -> None:
    data = "address;name\nanna@demo.example;Müller\n".encode("cp1252")

    refused = csv_file.parse(data)
    chosen = csv_file.parse(data, encoding="cp1252")

    assert problems(refused) == [(2, "", "not_utf8")]
    assert "cp1252" in str(refused.errors[0])
    assert chosen.rows[0].name == "Müller"


@pytest.mark.parametrize(
    ("data", "encoding", "code"),
    [
        ("address\nanna@demo.example".encode("utf-16"), None, "utf16"),
        (b"PK\x03\x04rest of a zip", None, "zip"),
        (b"address\n\x81", "cp1252", "undecodable"),
        (b"address\n", "utf-7", "unknown_encoding"),
        (b"address\n" + b"x" * csv_file.MAX_BYTES, None, "file_too_big"),
        (b"address\n" + b"a@b.example\n" * (csv_file.MAX_ROWS + 1), None, "too_many_rows"),
    ],
)
def test_files_of_another_kind_are_refused(data: bytes, encoding: str | None, code: str) -> None:
    parsed = csv_file.parse(data, encoding=encoding)

    assert [error.code for error in parsed.errors] == [code]
    assert str(parsed.errors[0])


def test_the_largest_file_allowed_is_read() -> None:
    parsed = read("address\n" + "".join(f"m{number}@demo.example\n" for number in range(2000)))

    assert len(parsed.rows) == 2000


def test_an_open_quotation_mark_stops_the_reading_where_it_stands() -> None:
    parsed = read('address;name\nanna@demo.example;Anna\neva@demo.example;"Eva\nida@demo.example;Ida\n')

    assert problems(parsed) == [(3, "", "quote_open")]
    assert [row.name for row in parsed.rows] == ["Anna"]


def test_an_endless_line_stops_the_reading() -> None:
    parsed = read("address;name\nanna@demo.example;" + "x" * 70_000 + "\neva@demo.example;Eva\n")

    assert problems(parsed) == [(2, "", "line_too_long")]
    assert parsed.rows == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("anna@demo.example;An\x00na", "nul"),
        ("anna@demo.example", "field_count"),
        ("anna@demo.example;Anna;more", "field_count"),
        ('anna@demo.example;"An"na', "quote_inside"),
    ],
)
def test_a_broken_line_never_stops_the_good_ones(line: str, code: str) -> None:
    parsed = read(f"address;name\n{line}\neva@demo.example;Eva\n")

    assert problems(parsed) == [(2, "", code)]
    assert [row.name for row in parsed.rows] == ["Eva"]


def test_fields_may_be_quoted() -> None:
    parsed = read('address,name\n"anna@demo.example","Anna, ""die Chefin"""\n')

    assert parsed.rows[0].name == 'Anna, "die Chefin"'


def test_one_bad_row_in_each_hundred_leaves_the_others() -> None:
    lines = [f"m{number}@demo.example" if number % 100 else "no address" for number in range(1, 5001)]

    parsed = read("address\n" + "\n".join(lines))

    assert len(parsed.errors) == 50
    assert len(parsed.rows) == 4950


def test_the_sentence_names_line_column_and_mend() -> None:
    parsed = read("address;kind\nanna@demo.example;office\n")

    assert str(parsed.errors[0]).startswith("Line 2, column “kind”: Please write one of: personal, shared")


def test_the_sentence_is_in_the_readers_language() -> None:
    error = read("address\nanna\n").errors[0]

    with translation.override("de"):
        assert "2" in str(error)
