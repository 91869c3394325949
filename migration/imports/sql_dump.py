r"""Rows of some tables out of a database's dump: text of mysqldump, mariadb-dump, phpMyAdmin, pg_dump or SQLite.

Understood are CREATE TABLE (for the names of columns), INSERT and REPLACE with VALUES, and PostgreSQL's COPY … FROM
stdin; every other statement is passed over. MySQL's strings know backslashes, those of standard SQL do not
(https://dev.mysql.com/doc/refman/8.4/en/string-literals.html,
https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS).

A dump that does not name the columns of a table, or has another number of values, is refused rather than guessed at.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from .csv_file import MAX_ROWS

Refuse = Callable[..., None]

_NAME = r"(?:[`\"\[]?[\w$-]++[`\"\]]?\s*+\.\s*+)?[`\"\[]?(?P<table>[\w$-]++)[`\"\]]?"
_INSERT = re.compile(
    rf"(?:INSERT|REPLACE)(?:\s++(?:IGNORE|LOW_PRIORITY|DELAYED))*+\s++INTO\s++{_NAME}\s*+(?:\((?P<columns>[^()]*+)\)\s*+)?"
    r"VALUES?\s*+(?=\()",
    re.IGNORECASE,
)
_CREATE = re.compile(
    rf"CREATE\s++(?:(?:TEMPORARY|UNLOGGED)\s++)*+TABLE\s++(?:IF\s++NOT\s++EXISTS\s++)?+{_NAME}\s*+\(", re.IGNORECASE
)
_COPY = re.compile(rf"COPY\s++{_NAME}\s*+\((?P<columns>[^()]*+)\)\s++FROM\s++stdin[^;\n]*+;[ \t\r]*+\n", re.IGNORECASE)
_COLUMN = re.compile(r"""\s*+(?:(?P<quote>[`"\[])(?P<quoted>[^`"\]]++)|(?P<bare>[\w$]++))""")
_NO_COLUMN = re.compile(
    "PRIMARY|KEY|UNIQUE|CONSTRAINT|INDEX|FOREIGN|FULLTEXT|SPATIAL|CHECK|EXCLUDE|LIKE|PERIOD", re.IGNORECASE
)
# A comment that never ends takes the rest, or each of many would be looked for to the end of the file.
_COMMENT = r"--[^\n]*+|/\*(?:[\s\S]*?\*/|[\s\S]*+)"
# Between statements there are also comments with # (MySQL) and commands of psql with a backslash.
_BETWEEN = re.compile(rf"(?:\s++|{_COMMENT}|[#\\][^\n]*+)*+")
_MYSQL_MARKS = re.compile(r"-- (?:MySQL|MariaDB|phpMyAdmin)|\bENGINE\s*=|INSERT INTO `", re.IGNORECASE)
_HEAD = 1024 * 1024
_ESCAPED = re.compile(r"\\([\s\S])")
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "f": "\f", "v": "\v"}
_COPY_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|[\s\S])")


@dataclass(frozen=True, slots=True)
class Record:
    """One row: where its statement stands, which row of its table it is (from 1), and its values as text by column."""

    table: str
    line: int
    number: int
    values: dict[str, str]


class _Syntax:
    """The two ways to write a string, and what depends on it."""

    def __init__(self, *, backslashes: bool) -> None:
        with_backslash = r"'(?:[^'\\]++|\\[\s\S]|'')*+'"
        string = with_backslash if backslashes else rf"[eE]{with_backslash}|'(?:[^']++|'')*+'"
        dollar = "" if backslashes else r"|\$(?P<tag>\w{0,60}+)\$(?:[\s\S]*?\$(?P=tag)\$|[\s\S]*+)"
        quoted = rf'{string}|"(?:[^"]++|"")*+"|`[^`]*+`'
        self.rest = re.compile(rf"(?:[^'\"`;$/eE-]++|{quoted}|{_COMMENT}{dollar}|[-/$eE])*+;?")
        self.mark = re.compile(rf"{quoted}|{_COMMENT}|[(),]")
        self.value = re.compile(
            rf"\s*+(?:(?:_\w++\s*+)?(?P<string>{string})|(?P<word>NULL|TRUE|FALSE|[-+]?[0-9.]++(?:[eE][-+]?[0-9]++)?)"
            r"|0x(?P<hex>(?:[0-9A-Fa-f]{2})++)|[bB]'(?P<bits>[01]{1,32})')\s*+(?P<end>[,)])",
            re.IGNORECASE,
        )
        self.backslashes = backslashes

    def text(self, literal: str) -> str:
        """What a string literal means."""
        escaped = self.backslashes or literal[0] in "eE"
        inner = literal[literal.index("'") + 1 : -1].replace("''", "'")
        return (
            _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), inner) if escaped and "\\" in inner else inner
        )


class Dump:
    """The dump's text and how far it was read. Iterate over it once."""

    def __init__(self, text: str, tables: Collection[str], refuse: Refuse) -> None:
        self._text = text
        self._tables = tables
        self._refuse = refuse
        self._syntax = _Syntax(backslashes=bool(_MYSQL_MARKS.search(text, 0, _HEAD)))
        self._columns: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self._place = 0
        self._line = 1
        self._counted = 0

    def __iter__(self) -> Iterator[Record]:
        """The rows of the wanted tables in the order of the dump. What cannot be read is refused with its line."""
        text = self._text
        while True:
            self._place = self._after(_BETWEEN)
            if self._place >= len(text):
                return
            if found := _INSERT.match(text, self._place) or _COPY.match(text, self._place):
                yield from self._rows(found)
                if sum(self._counts.values()) > MAX_ROWS:
                    self._refuse(self._here(), "", "too_many_rows", limit=MAX_ROWS)
                    return
                if found.re is _COPY:
                    continue
            elif (found := _CREATE.match(text, self._place)) and self._wanted(found):
                self._columns[self._wanted(found)] = self._created(found.end())
            if not self._pass_over():
                self._refuse(self._here(), "", "sql_cut")
                return

    def _rows(self, found: re.Match[str]) -> Iterator[Record]:
        table, named = self._wanted(found), found["columns"]
        if not table:
            if found.re is _COPY:
                self._place = self._end_of_copy(found.end())
            return
        columns = _names(named) if named is not None else self._columns.get(table)
        line = self._here()
        if columns is None:
            self._columns[table] = []
            self._refuse(line, table, "sql_columns")
        if not columns:
            return
        read = self._copied(found.end()) if found.re is _COPY else self._inserted(found.end())
        for line, values in read:
            self._counts[table] = number = self._counts.get(table, 0) + 1
            if len(values) != len(columns):
                self._refuse(line, f"{table}[{number}]", "sql_values", found=len(values), wanted=len(columns))
            else:
                yield Record(table, line, number, dict(zip(columns, values, strict=True)))

    def _inserted(self, place: int) -> Iterator[tuple[int, list[str]]]:
        """Tuples in brackets. Leaves the place behind the last one that could be read."""
        text, value = self._text, self._syntax.value
        while text[place : place + 1] == "(":
            self._place = place
            line, place, values, end = self._here(), place + 1, list[str](), ","
            while end == ",":
                found = value.match(text, place)
                if not found:
                    self._refuse(line, "", "sql_value")
                    return
                values.append(self._meant(found))
                place, end = found.end(), found["end"]
            yield line, values
            self._place = place
            place = self._after(_BETWEEN)
            if text[place : place + 1] == ",":
                self._place = place + 1
                place = self._after(_BETWEEN)

    def _meant(self, found: re.Match[str]) -> str:
        if found["string"] is not None:
            return self._syntax.text(found["string"])
        if found["hex"] is not None:
            return bytes.fromhex(found["hex"]).decode("utf-8", "replace")
        if found["bits"] is not None:
            return str(int(found["bits"], 2))
        word = found["word"]
        return {"NULL": "", "TRUE": "1", "FALSE": "0"}.get(word.upper(), word)

    def _copied(self, place: int) -> Iterator[tuple[int, list[str]]]:
        """Lines with tabs up to one of backslash and dot. Leaves the place behind that."""
        end = self._end_of_copy(place)
        while place < end:
            self._place = place
            stop = self._text.find("\n", place)
            line, place = (
                self._text[place : stop if stop >= 0 else end].removesuffix("\r"),
                stop + 1 if stop >= 0 else end,
            )
            if line != "\\.":
                yield self._here(), [_copy_value(value) for value in line.split("\t")]
        self._place = end

    def _end_of_copy(self, place: int) -> int:
        found = re.compile(r"^\\\.\r?$\n?", re.MULTILINE).search(self._text, place)
        return found.end() if found else len(self._text)

    def _created(self, place: int) -> list[str]:
        """The columns of a CREATE TABLE, whose bracket was just opened."""
        names, depth, begin = list[str](), 1, place
        for found in self._syntax.mark.finditer(self._text, place):
            mark = found[0]
            depth += (mark == "(") - (mark == ")")
            if (mark == "," and depth == 1) or depth == 0:
                self._place = begin
                column = _COLUMN.match(self._text, self._after(_BETWEEN))
                if column and (column["quoted"] or not _NO_COLUMN.fullmatch(column["bare"])):
                    names.append((column["quoted"] or column["bare"]).lower())
                begin = found.end()
            if depth == 0:
                break
        return names

    def _wanted(self, found: re.Match[str]) -> str:
        table = found["table"].lower()
        return table if table in self._tables else ""

    def _pass_over(self) -> bool:
        """Go behind the end of the statement; whether there was anything to go over."""
        before, self._place = self._place, self._after(self._syntax.rest)
        return self._place > before or self._place >= len(self._text)

    def _after(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._place)
        return found.end() if found else self._place

    def _here(self) -> int:
        """The line of the place, counted on from the last time."""
        if self._place >= self._counted:
            self._line += self._text.count("\n", self._counted, self._place)
        else:
            self._line = self._text.count("\n", 0, self._place) + 1
        self._counted = self._place
        return self._line


def _names(listed: str) -> list[str]:
    return [name.strip().strip('`"[]').lower() for name in listed.split(",")]


def _copy_value(value: str) -> str:
    if value == "\\N":
        return ""
    return _COPY_ESCAPED.sub(_copy_character, value) if "\\" in value else value


def _copy_character(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if code.isdecimal() else _ESCAPES.get(code, code)
