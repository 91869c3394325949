import csv
import io
import string

from hypothesis import given
from hypothesis import strategies as st

from migration.imports import csv_file, passwd_file
from migration.imports.rows import COLUMNS, ParsedFile

LOCAL_PARTS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20).filter(lambda text: text != "0")
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"], codec="utf-8"), max_size=40)
CELLS = st.text(st.characters(codec="utf-8"), max_size=40)


def every_sentence(parsed: ParsedFile) -> list[str]:
    return [str(problem) for problem in (*parsed.errors, *parsed.notes)]


@given(st.binary(max_size=500), st.sampled_from([None, "utf-8", "cp1252"]))
def test_any_bytes_are_rows_or_errors(data: bytes, encoding: str | None) -> None:
    for parsed in (csv_file.parse(data, encoding=encoding), passwd_file.parse(data, encoding=encoding)):
        assert parsed.rows or parsed.aliases or parsed.errors
        every_sentence(parsed)


@given(st.lists(st.tuples(*[CELLS] * len(COLUMNS)), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_any_cells_under_the_right_header_are_rows_or_errors(cells: list[tuple[str, ...]], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([COLUMNS, *cells])

    parsed = csv_file.parse(text.getvalue().encode())

    assert parsed.rows or parsed.aliases or parsed.errors
    every_sentence(parsed)


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_passwd_line_is_a_row_or_an_error(line: str) -> None:
    parsed = passwd_file.parse(f"anna@demo.example:{line}".encode())

    assert parsed.rows or parsed.errors
    every_sentence(parsed)


@given(st.dictionaries(LOCAL_PARTS, NAMES, min_size=1, max_size=8), st.sampled_from(",;\t"), st.booleans())
def test_what_was_written_is_read_back(people: dict[str, str], delimiter: str, quote_all: bool) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerow(["address", "name"])
    writer.writerows([f"{local_part}@demo.example", name] for local_part, name in people.items())

    parsed = csv_file.parse(text.getvalue().encode())

    assert parsed.errors == []
    assert len(parsed.rows) == len(people)
    assert [row.address.local_part for row in parsed.rows] == list(people)


@given(st.text(string.ascii_letters + string.digits + "!?_%&", min_size=8, max_size=30))
def test_no_sentence_repeats_what_stands_where_the_hash_belongs(secret: str) -> None:
    secret = "geheim" + secret
    csv_text = f"address;password_hash\nanna@demo.example;{secret}\neva@demo.example;{{PLAIN}}{secret}\n"

    for parsed in (
        csv_file.parse(csv_text.encode()),
        csv_file.parse(f"{secret};x\n".encode()),
        passwd_file.parse(f"anna@demo.example:{secret}".encode()),
    ):
        assert not any(secret in sentence for sentence in every_sentence(parsed))
        assert secret not in repr(parsed)
