"""Whatever is in a file, it ends in rows and sentences. UMZUG_LONG=1 tries 10,000 examples of each instead of 300."""

import csv
import io
import json
import os
import string
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.imports import csv_file, login_log, mailcow_domain, passwd_file
from migration.imports.admin_dumps import POSTFIXADMIN, VIMBADMIN
from migration.imports.admin_dumps import parse as parse_dump
from migration.imports.rows import COLUMNS, ParsedFile

many = settings(max_examples=10_000 if os.environ.get("UMZUG_LONG") else 300)
DOMAIN = "demo.example"
PARSERS: dict[str, Callable[[bytes], ParsedFile]] = {
    "csv": csv_file.parse,
    "csv cp1252": lambda data: csv_file.parse(data, encoding="cp1252"),
    "passwd": lambda data: passwd_file.parse(data, domain=DOMAIN),
    "postfixadmin": lambda data: parse_dump(data, POSTFIXADMIN, domain=DOMAIN),
    "vimbadmin": lambda data: parse_dump(data, VIMBADMIN, domain=DOMAIN),
    "mailcow": lambda data: mailcow_domain.parse(data, domain=DOMAIN),
}
every_parser = pytest.mark.parametrize("parse", PARSERS.values(), ids=PARSERS.keys())
# One good file of each format, to be cut and spoiled.
CSV = """address;name;kind;quota_mib;used_mib;last_login;password_hash;forwards;goto
anna@demo.example;"An""na";personal;5 GB;1;31.3.2026;{SSHA}x;x@b.example;
info@demo.example;;alias;;;;;;a@b.example
"""
PASSWD = "anna@demo.example:$6$salt$x:1:1:Anna,,:/home/anna::userdb_quota_rule=*:storage=5G\n"
MYSQL = r"""-- MySQL dump
CREATE TABLE `mailbox` (`username` text, `password` text, -- (,
`quota` int, `active` int, `Domain_id` int, KEY `a` (`b`)) ENGINE=x;
INSERT INTO `mailbox` VALUES ('anna@demo.example','x\'',1048576,1,1),('ben@demo.example',NULL,0x41,b'1',1);
INSERT INTO alias (address,goto,active,domain_id) VALUES ('anna@demo.example','anna@demo.example,x@b.example',1,1);
"""
POSTGRESQL = r"""COPY public.mailbox (username, password, quota, active) FROM stdin;
anna@demo.example	x\n	\N	t
\.
INSERT INTO "alias" VALUES ('a''b', E'\x', $$;$$, true);
/* ; */ SELECT $a$;$a$;
"""
BOX = {"username": "anna@demo.example", "name": "Anna", "quota": 1, "quota_used": 0, "active": 1}
ALIAS = {"address": "@demo.example", "goto": "anna@demo.example", "active": 1}
GOOD = [CSV, PASSWD, MYSQL, POSTGRESQL, json.dumps({"mailboxes": [BOX], "aliases": [ALIAS]})]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("anna@demo.example"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["username", "name", "quota", "quota_used", "active", "address", "goto"]), inner
        )
    ),
    max_leaves=10,
)

LOCAL_PARTS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20).filter(lambda text: text != "0")
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"], codec="utf-8"), max_size=40)
CELLS = st.text(st.characters(codec="utf-8"), max_size=40)


def every_sentence(parsed: ParsedFile) -> list[str]:
    return [str(problem) for problem in (*parsed.errors, *parsed.notes)]


@st.composite
def spoiled_files(draw: st.DrawFn) -> bytes:
    """A good file in which pieces were taken out, put in or doubled."""
    data = bytearray(draw(st.sampled_from(GOOD)).encode())
    for _ in range(draw(st.integers(0, 6))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.integers(0, 12)))
        piece = draw(st.binary(max_size=4) | st.sampled_from(PIECES).map(str.encode) | st.just(bytes(data[begin:end])))
        data[begin : end if draw(st.booleans()) else begin] = piece
    return bytes(data)


PIECES = [
    "'",
    '"',
    "`",
    "\\",
    "(",
    ")",
    ",",
    ";",
    ":",
    "\n",
    "\r",
    "\t",
    "\0",
    "/*",
    "*/",
    "--",
    "$$",
    "NULL",
    "{",
    "}",
    "@",
]


@many
@given(data=st.binary(max_size=500) | spoiled_files())
@every_parser
def test_any_bytes_are_rows_or_errors(parse: Callable[[bytes], ParsedFile], data: bytes) -> None:
    parsed = parse(data)

    assert parsed.rows or parsed.aliases or parsed.errors
    every_sentence(parsed)


@many
@given(JSON, JSON)
def test_any_json_is_rows_or_errors(mailboxes: object, aliases: object) -> None:
    parsed = mailcow_domain.parse(json.dumps({"mailboxes": mailboxes, "aliases": aliases}).encode(), domain=DOMAIN)

    assert parsed.rows or parsed.aliases or parsed.errors
    every_sentence(parsed)


@many
@given(st.binary(max_size=500), st.sampled_from(["", *login_log.FORMATS]))
def test_any_bytes_are_logins_or_mistakes(data: bytes, file_format: str) -> None:
    lines = login_log.lines_of(io.BytesIO(data))
    log = login_log.read(lines, zone=UTC, now=datetime.now(UTC), file_format=file_format, domain=DOMAIN)

    assert len(log.newest) <= log.logins
    assert (log.bad > 0) == (log.first_bad_line > 0)


@many
@given(st.lists(st.tuples(*[CELLS] * len(COLUMNS)), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_any_cells_under_the_right_header_are_rows_or_errors(cells: list[tuple[str, ...]], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([COLUMNS, *cells])

    parsed = csv_file.parse(text.getvalue().encode())

    assert parsed.rows or parsed.aliases or parsed.errors
    every_sentence(parsed)


@many
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
