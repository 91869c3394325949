"""Mailboxes and aliases from a CSV file.

The first line names the columns, in any order, by the names of docs/import-format.md or by what they are called
elsewhere (headings.py); only `address` must be there.

Columns are separated by comma, semicolon or tab. Fields may be quoted (RFC 4180) but not go over a line's
end. The file is UTF-8, with or without a byte order mark. cp1252 is read when the person says so, and never
guessed.
"""

import csv
import re

from .headings import column_of
from .rows import COLUMNS, ParsedFile, Rows

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_LINE = 64 * 1024
ENCODINGS = ("utf-8", "cp1252")
DELIMITERS = ",;\t"


def parse(data: bytes, *, encoding: str | None = None) -> ParsedFile:
    """Read a whole file. What is wrong is among the errors of the result, with its line; nothing is raised.

    `encoding` is "utf-8" (also when None) or "cp1252".
    """
    rows = Rows()
    text = decode(data, encoding, rows)
    if text is None:
        return rows.parsed
    lines = split_lines(text, rows)
    if lines is None:
        return rows.parsed
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    delimiter, names = _header(start + 1, lines[start] if lines else "", rows)
    if names:
        _read_rows(lines, start + 1, delimiter, names, rows)
    finish(rows)
    return rows.parsed


def decode(data: bytes, encoding: str | None, rows: Rows) -> str | None:
    """The file as text, or None and an error."""
    if len(data) > MAX_BYTES:
        rows.refuse(1, "", "file_too_big", limit=MAX_BYTES // 1024 // 1024)
    elif data.startswith(b"PK\x03\x04"):
        rows.refuse(1, "", "zip")
    elif data.startswith(b"\x1f\x8b"):
        rows.refuse(1, "", "gzip")
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        rows.refuse(1, "", "utf16")
    elif encoding not in (None, *ENCODINGS):
        rows.refuse(1, "", "unknown_encoding")
    else:
        try:
            return data.decode(encoding or "utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = len(_LINE_END.findall(data[: error.start].decode("latin-1"))) + 1
            rows.refuse(line, "", "undecodable" if encoding == "cp1252" else "not_utf8")
    return None


def split_lines(text: str, rows: Rows) -> list[str] | None:
    """The lines, ended by LF, CR LF or the CR of old Macs; None and an error when they are too many."""
    lines = _LINE_END.split(text)
    if len(lines) > MAX_ROWS + 2:  # the header, and what follows the last line end
        rows.refuse(MAX_ROWS + 2, "", "too_many_rows", limit=MAX_ROWS)
        return None
    return lines


def finish(rows: Rows) -> None:
    """Say so when there was nothing in the file at all."""
    if not (rows.parsed.rows or rows.parsed.aliases or rows.parsed.errors):
        rows.refuse(1, "", "no_rows")


_LINE_END = re.compile(r"\r\n|\n|\r")


def _header(number: int, line: str, rows: Rows) -> tuple[str, list[str]]:
    """Delimiter and column names; no names and an error when the first line is not the one we ask for."""
    found = [delimiter for delimiter in DELIMITERS if delimiter in line]
    if not line.strip():
        return ",", []
    if len(found) > 1:
        rows.refuse(number, "", "delimiter_unclear")
        return ",", []
    delimiter = found[0] if found else ","
    written = [name.strip().strip('"').strip() for name in line.split(delimiter)]
    names = [column_of(name) for name in written]
    known = ", ".join(COLUMNS)
    if "address" not in names:
        # Perhaps a file without header: then its first line holds hashes, so nothing of it is repeated.
        rows.refuse(number, "", "column_missing", known=known)
        return delimiter, []
    wrong = [name for name, column in zip(written, names, strict=True) if not column]
    twice = {name for name in names if name in COLUMNS and names.count(name) > 1}
    for name in dict.fromkeys(wrong):
        rows.refuse(number, "", "column_unknown", name=name[:40], known=known)
    for name in sorted(twice):
        rows.refuse(number, "", "column_twice", name=name)
    return delimiter, [] if wrong or twice else names


def _read_rows(lines: list[str], start: int, delimiter: str, names: list[str], rows: Rows) -> None:
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line.strip(" " + delimiter):
            continue
        if len(line) > MAX_LINE:
            rows.refuse(number, "", "line_too_long")
            return
        if "\0" in line:
            rows.refuse(number, "", "nul")
            continue
        try:
            fields = next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error as error:
            if "unexpected end" in str(error):
                rows.refuse(number, "", "quote_open")
                return
            rows.refuse(number, "", "quote_inside")
            continue
        if len(fields) != len(names):
            rows.refuse(number, "", "field_count", found=len(fields), wanted=len(names))
            continue
        rows.add(number, dict(zip(names, fields, strict=True)))
