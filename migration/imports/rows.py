"""What every import format ends in: rows that can be imported, aliases, and what is wrong with the others.

A row is judged here and nowhere else, whatever file it comes from. A bad row never stops a good one.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from migration import schemes
from migration.addresses import Address, InvalidAddress, domain_to_ascii, parse

from .problems import RowError

__all__ = ["AliasRow", "MailboxRow", "ParsedFile", "RowError", "Rows"]

COLUMNS = (
    "address",
    "name",
    "kind",
    "responsible",
    "language",
    "quota_mib",
    "last_login",
    "password_hash",
    "goto",
)
MAILBOX_KINDS = ("personal", "shared", "machine")
KINDS = (*MAILBOX_KINDS, "alias")
LANGUAGES = ("", "de", "en")
MAX_NAME = 200
MAX_QUOTA_MIB = 10_000_000
MAX_GOTO = 100
CATCH_ALL = "*"

_NUMBER = re.compile("[0-9]{1,9}")
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Nothing, the mark of a shadow file (x), or a password somebody locked (*, !, !!, *LK*, a ! before the hash).
_NO_PASSWORD = re.compile(r"\s*|x|[*!].*|\{[A-Za-z0-9.-]+\}[*!]+(?:\$.*)?", re.DOTALL)
_UNKNOWN_SCHEME = "?"


@dataclass(frozen=True)
class MailboxRow:
    """A mailbox as the old server has it.

    `legacy_hash` is empty unless the old password can really be checked; `legacy_scheme` names its scheme
    even then, and is empty when there is no old password. `quota_mib` is None for "no limit known",
    `last_login` (UTC) is None for "never" and "unknown".
    """

    line: int
    address: Address
    name: str = ""
    kind: str = "personal"
    responsible: str = ""
    language: str = ""
    quota_mib: int | None = None
    last_login: datetime | None = None
    legacy_hash: str = field(default="", repr=False)
    legacy_scheme: str = ""


@dataclass(frozen=True)
class AliasRow:
    """An address that delivers elsewhere. The local part `*` is the catch-all."""

    line: int
    address: Address
    goto: tuple[str, ...]


@dataclass(frozen=True)
class ParsedFile:
    """Everything one file says. Rows with errors are not among the rows; rows with notes are."""

    rows: list[MailboxRow] = field(default_factory=list)
    aliases: list[AliasRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[RowError] = field(default_factory=list)

    def for_domain(self, domain: str) -> "ParsedFile":
        """The same file with every row of another domain turned into an error. Raises InvalidAddress."""
        name = domain_to_ascii(domain)
        strangers = {row.line for row in self.rows if row.address.domain != name}
        strangers |= {alias.line for alias in self.aliases if alias.address.domain != name}
        errors = [*self.errors, *(RowError(line, "address", "foreign_domain") for line in strangers)]
        return ParsedFile(
            rows=[row for row in self.rows if row.line not in strangers],
            aliases=[alias for alias in self.aliases if alias.line not in strangers],
            errors=sorted(errors, key=lambda error: error.line),
            notes=[note for note in self.notes if note.line not in strangers],
        )


class Rows:
    """Collects judged rows; `parsed` is the result."""

    def __init__(self) -> None:
        self.parsed = ParsedFile()
        self._first_line: dict[Address, int] = {}

    def refuse(self, line: int, column: str, code: str, **params: str | int) -> None:
        """Note what is wrong with a line that was not understood at all."""
        self.parsed.errors.append(RowError(line, column, code, params))

    def add(self, line: int, fields: Mapping[str, str]) -> None:
        """Judge one row, given as text by column name (those of COLUMNS; a missing one is empty)."""
        row = _Row(line, fields)
        result = row.alias() if row.kind == "alias" else row.mailbox()
        if result and result.address in self._first_line:
            row.refuse("address", "duplicate", first=self._first_line[result.address])
        if row.errors or result is None:
            self.parsed.errors.extend(row.errors)
            return
        self._first_line[result.address] = line
        self.parsed.notes.extend(row.notes)
        if isinstance(result, AliasRow):
            self.parsed.aliases.append(result)
        else:
            self.parsed.rows.append(result)


class _Row:
    """One row under judgement. Each method reads one column and notes what is wrong with it."""

    def __init__(self, line: int, fields: Mapping[str, str]) -> None:
        self.line = line
        self.fields = fields
        self.errors: list[RowError] = []
        self.notes: list[RowError] = []
        self.kind = self.kind_of_row()

    def refuse(self, column: str, code: str, **params: str | int) -> None:
        self.errors.append(RowError(self.line, column, code, params))

    def text(self, column: str) -> str:
        return self.fields.get(column, "").strip()

    def mailbox(self) -> MailboxRow | None:
        address = self.address("address", self.text("address"))
        if address.local_part == CATCH_ALL:
            self.refuse("address", "wildcard")
        if self.text("goto"):
            self.refuse("goto", "goto_on_mailbox")
        scheme, legacy_hash = self.password()
        row = MailboxRow(
            self.line,
            address,
            name=self.name(),
            kind=self.kind,
            responsible=self.responsible(),
            language=self.language(),
            quota_mib=self.quota(),
            last_login=self.last_login(),
            legacy_hash=legacy_hash,
            legacy_scheme=scheme,
        )
        return None if self.errors else row

    def alias(self) -> AliasRow | None:
        text = self.text("address")
        address = self.address("address", CATCH_ALL + text if text.startswith("@") else text)
        self.name()
        if self.text("password_hash"):
            self.refuse("password_hash", "alias_with_password")
        targets = [self.address("goto", target) for target in self.text("goto").replace(",", " ").split()]
        if not targets:
            self.refuse("goto", "goto_missing")
        if len(targets) > MAX_GOTO:
            self.refuse("goto", "goto_too_many", limit=MAX_GOTO)
        if address in targets:
            self.refuse("goto", "goto_itself")
        row = AliasRow(self.line, address, tuple(dict.fromkeys(str(target) for target in targets)))
        return None if self.errors else row

    def address(self, column: str, text: str) -> Address:
        try:
            return parse(text)
        except InvalidAddress as error:
            self.refuse(column, error.reason)
            return Address("", "")

    def kind_of_row(self) -> str:
        kind = self.text("kind").lower() or "personal"
        if kind not in KINDS:
            self.refuse("kind", "kind", known=", ".join(KINDS))
        return kind

    def name(self) -> str:
        name = unicodedata.normalize("NFC", self.text("name"))
        if len(name) > MAX_NAME:
            self.refuse("name", "name_length", limit=MAX_NAME)
        if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
            self.refuse("name", "name_characters")
        return name

    def responsible(self) -> str:
        text = self.text("responsible")
        return str(self.address("responsible", text)) if text else ""

    def language(self) -> str:
        language = self.text("language").lower()
        if language not in LANGUAGES:
            self.refuse("language", "language")
        return language

    def quota(self) -> int | None:
        text = self.text("quota_mib")
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= MAX_QUOTA_MIB:
            self.refuse("quota_mib", "quota", limit=MAX_QUOTA_MIB)
            return None
        return int(text)

    def last_login(self) -> datetime | None:
        text = self.text("last_login")
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse("last_login", "last_login")
            return None

    def password(self) -> tuple[str, str]:
        """Scheme and hash. A hash that will never be verified is not taken: what is not kept cannot leak."""
        stored = self.fields.get("password_hash", "")
        if _NO_PASSWORD.fullmatch(stored):
            return "", ""
        scheme = schemes.identify(stored) or _UNKNOWN_SCHEME
        try:
            if schemes.is_clear_text(stored):
                self.refuse("password_hash", "hash_clear_text")
            elif schemes.truncates(stored):
                self.notes.append(RowError(self.line, "password_hash", "hash_truncates"))
            else:
                schemes.check_cost(stored)
                return scheme, stored
        except schemes.UnsupportedScheme:
            self.notes.append(RowError(self.line, "password_hash", "hash_unsupported"))
        except schemes.MalformedHash:
            self.refuse("password_hash", "hash_malformed")
        except schemes.TooCostly:
            self.refuse("password_hash", "hash_too_costly")
        return scheme, ""
