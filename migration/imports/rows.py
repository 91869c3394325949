"""Collects the rows of a file, whatever file it is: judged here and nowhere else. A bad row never stops a good one."""

from collections.abc import Mapping

from django.utils import timezone

from migration.addresses import Address

from .judging import CATCH_ALL, KINDS, MAILBOX_KINDS, MAX_QUOTA_MIB, Judge
from .parsed import COLUMNS, AliasRow, MailboxRow, ParsedFile
from .problems import RowError

__all__ = [
    "CATCH_ALL",
    "COLUMNS",
    "KINDS",
    "MAILBOX_KINDS",
    "MAX_QUOTA_MIB",
    "AliasRow",
    "MailboxRow",
    "ParsedFile",
    "RowError",
    "Rows",
]


class Rows:
    """Collects judged rows; `parsed` is the result."""

    def __init__(self) -> None:
        self.parsed = ParsedFile()
        self._first_line: dict[Address, int] = {}
        self._now = timezone.now()

    def refuse(self, line: int, column: str, code: str, **params: str | int) -> None:
        """Note what is wrong with a line that was not understood at all."""
        self.parsed.errors.append(RowError(line, column, code, params))

    def note(self, line: int, column: str, code: str, **params: str | int) -> None:
        """Note what a person should know of a line."""
        self.parsed.notes.append(RowError(line, column, code, params))

    def add(self, line: int, fields: Mapping[str, str], place: str = "") -> None:
        """Judge one row, given as text by column name (those of COLUMNS; a missing one is empty).

        `place` is put before the names of columns where the line alone does not lead to the row.
        """
        judge = Judge(line, fields, self._now, place)
        result = judge.alias() if judge.kind == "alias" else judge.mailbox()
        if result and result.address in self._first_line:
            judge.refuse("address", "duplicate", first=self._first_line[result.address])
        if judge.errors or result is None:
            self.parsed.errors.extend(judge.errors)
            return
        self._first_line[result.address] = line
        self.parsed.notes.extend(judge.notes)
        if isinstance(result, AliasRow):
            self.parsed.aliases.append(result)
        else:
            self.parsed.rows.append(result)
