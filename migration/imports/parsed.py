"""What every import format ends in: rows that can be imported, aliases, and what is wrong with the others."""

from dataclasses import dataclass, field
from datetime import datetime

from migration.addresses import Address, domain_to_ascii

from .problems import RowError

COLUMNS = (
    "address",
    "name",
    "kind",
    "responsible",
    "language",
    "quota_mib",
    "used_mib",
    "last_login",
    "password_hash",
    "forwards",
    "goto",
)


@dataclass(frozen=True)
class MailboxRow:
    """A mailbox as the old server has it.

    `legacy_hash` is empty unless the old password can really be checked; `legacy_scheme` names its scheme
    even then, and is empty when there is no old password. `quota_mib` is None for "no limit known",
    `used_mib` for "not known", `last_login` (UTC) for "never" and "unknown". `forwards` are canonical addresses
    in order, separated by commas. `kind_reason` is "stated" when the file says the kind; else the kind is guessed.
    """

    line: int
    address: Address
    name: str = ""
    kind: str = "personal"
    kind_reason: str = ""
    responsible: str = ""
    language: str = ""
    quota_mib: int | None = None
    used_mib: int | None = None
    last_login: datetime | None = None
    legacy_hash: str = field(default="", repr=False)
    legacy_scheme: str = ""
    forwards: str = ""


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
        if not strangers:
            return self
        errors = [*self.errors, *(RowError(line, "address", "foreign_domain") for line in strangers)]
        return ParsedFile(
            rows=[row for row in self.rows if row.line not in strangers],
            aliases=[alias for alias in self.aliases if alias.line not in strangers],
            errors=sorted(errors, key=lambda error: error.line),
            notes=[note for note in self.notes if note.line not in strangers],
        )
