"""What a file would change: each of its rows beside what we have. Reads only.

A column that is empty in every row is one the file does not speak of (a passwd-file knows no kinds): what we have
stays. In the same way a file without any alias says nothing about aliases, and one without any mailbox nothing about
mailboxes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from migration.addresses import Address
from migration.models import Alias, Mailbox
from migration.secrets import Purpose, SecretsError, unseal

from .judging import STATED
from .rows import AliasRow, MailboxRow, ParsedFile, RowError

PASSWORD = "password_hash"  # noqa: S105 - a column's name
# Column of the file: field of the mailbox. The old password is compared on its own.
FIELDS = {
    "name": "name",
    "kind": "kind",
    "responsible": "responsible",
    "language": "language",
    "quota_mib": "quota_mib",
    "used_mib": "used_mib",
    "forwards": "forwards",
    "last_login": "source_login_at",
}
LABELS: Mapping[str, Promise] = {
    "name": gettext_lazy("name"),
    "kind": gettext_lazy("kind"),
    "responsible": gettext_lazy("responsible person"),
    "language": gettext_lazy("language"),
    "quota_mib": gettext_lazy("quota"),
    "used_mib": gettext_lazy("used size"),
    "forwards": gettext_lazy("forwards to"),
    "last_login": gettext_lazy("last login on the old server"),
    PASSWORD: gettext_lazy("old password"),
    "goto": gettext_lazy("delivers to"),
}
# The owner has chosen a password: the old one is of no more use, and nothing may bring it back.
COMPLETED = (Mailbox.State.PASSWORD_SET, *Mailbox.DONE)
CLASHES: Mapping[str, Promise] = {
    "is_alias": gettext_lazy("We have this address as an alias, and it stays one. Remove the alias first."),
    "is_mailbox": gettext_lazy("We have this address as a mailbox, and it stays one."),
}


@dataclass(frozen=True)
class Item:
    """An address in the preview. `line` is 0 for what is not in the file; `columns` names what differs.

    `values` has what we have and what the file says for each of the columns; of a password, its scheme.
    `kind` and `kind_reason` tell what a new mailbox will be taken for, and why.
    """

    line: int
    address: str
    is_alias: bool = False
    columns: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    kind_reason: str = ""

    @property
    def kind_label(self) -> str:
        """What a new mailbox will be taken for, with the reason if there is one, for people."""
        kind = str(Mailbox.Kind(self.kind).label) if self.kind else ""
        return f"{kind} ({Mailbox.KindReason(self.kind_reason).label})" if self.kind_reason else kind

    @property
    def labels(self) -> str:
        """What differs, for people. Never a value: one of them may be a hash."""
        return ", ".join(str(LABELS[column]) for column in self.columns)


@dataclass(frozen=True)
class Conflict:
    """A row that cannot go in because of what we have."""

    line: int
    address: str
    code: str

    @property
    def text(self) -> str:
        """What stands in the way, in the reader's language."""
        return str(CLASHES[self.code])


@dataclass(frozen=True)
class SchemeCount:
    """How many old passwords of one scheme the file has, and whether they can be checked."""

    scheme: str
    mailboxes: int
    checkable: bool


@dataclass(frozen=True)
class Preview:
    """What an import would do. Every row of the file that can be read is in exactly one of the groups.

    `gone` is what we have and the file does not; it is told and never deleted. `done` are mailboxes whose owner
    has set a password. `quota_mib` is the sum of the file's mailboxes that name one.
    """

    new: list[Item] = field(default_factory=list)
    changed: list[Item] = field(default_factory=list)
    unchanged: list[Item] = field(default_factory=list)
    done: list[Item] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    gone: list[Item] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[RowError] = field(default_factory=list)
    mailboxes: int = 0
    aliases: int = 0
    quota_mib: int = 0
    without_quota: int = 0
    without_password: int = 0
    schemes: list[SchemeCount] = field(default_factory=list)

    @property
    def summary(self) -> dict[str, int]:
        """The counts, to be kept."""
        groups = ("new", "changed", "unchanged", "done", "conflicts", "gone", "errors", "notes")
        sums = ("mailboxes", "aliases", "quota_mib")
        return {name: len(getattr(self, name)) for name in groups} | {name: getattr(self, name) for name in sums}


def compare(parsed: ParsedFile, mailboxes: Iterable[Mailbox], aliases: Iterable[Alias], domain: str) -> Preview:
    """The file beside all mailboxes and aliases of the domain, whose xn-- name is given."""
    known, known_aliases = by_local_part(mailboxes), by_local_part(aliases)
    result = Preview(errors=parsed.errors, notes=parsed.notes, **_totals(parsed))
    said = columns_said(parsed)
    for row in parsed.rows:
        _sort_in(result, row, known.get(row.address.local_part), row.address.local_part in known_aliases, said)
    for alias in parsed.aliases:
        clash = alias.address.local_part in known
        _sort_in_alias(result, alias, known_aliases.get(alias.address.local_part), clash)
    named = {row.address.local_part for row in parsed.rows} | {row.address.local_part for row in parsed.aliases}
    if parsed.rows:
        result.gone.extend(Item(0, Address(name, domain).display) for name in known if name not in named)
    if parsed.aliases:
        result.gone.extend(Item(0, Address(name, domain).display, True) for name in known_aliases if name not in named)
    return result


def columns_said(parsed: ParsedFile) -> frozenset[str]:
    """The columns the file speaks of: those filled in at least one row."""
    said = {column for column in FIELDS if column != "kind" and any(getattr(row, column) for row in parsed.rows)}
    if any(row.kind_reason == STATED for row in parsed.rows):
        said.add("kind")
    if any(row.legacy_scheme for row in parsed.rows):
        said.add(PASSWORD)
    return frozenset(said)


def differences(row: MailboxRow, mailbox: Mailbox, said: frozenset[str]) -> tuple[str, ...]:
    """The columns in which the row differs.

    The old password counts only until the owner has set a new one, and a guessed kind never: a person may have put it
    right.
    """
    columns = [
        column
        for column, name in FIELDS.items()
        if column in said
        and getattr(row, column) != getattr(mailbox, name)
        and (column != "kind" or row.kind_reason == STATED)
    ]
    if PASSWORD in said and mailbox.state not in COMPLETED and not _same_password(row, mailbox):
        columns.append(PASSWORD)
    return tuple(columns)


def same_targets(row: AliasRow, alias: Alias) -> bool:
    """Whether both deliver to the same addresses, in any order."""
    return set(row.goto) == {target.strip() for target in alias.goto.split(",")}


def by_local_part(rows: Iterable[Any]) -> dict[str, Any]:
    """Mailboxes or aliases of one domain by what stands before the @."""
    return {row.local_part: row for row in rows}


def _sort_in(result: Preview, row: MailboxRow, mailbox: Mailbox | None, clash: bool, said: frozenset[str]) -> None:
    address = row.address.display
    if mailbox is None:
        if clash:
            result.conflicts.append(Conflict(row.line, address, "is_alias"))
        else:
            result.new.append(Item(row.line, address, kind=row.kind, kind_reason=row.kind_reason))
    elif columns := differences(row, mailbox, said):
        values = tuple(_old_and_new(column, row, mailbox) for column in columns)
        result.changed.append(Item(row.line, address, columns=columns, values=values))
    elif mailbox.state in COMPLETED:
        result.done.append(Item(row.line, address))
    else:
        result.unchanged.append(Item(row.line, address))


def _sort_in_alias(result: Preview, row: AliasRow, alias: Alias | None, clash: bool) -> None:
    address = row.address.display
    if clash:
        result.conflicts.append(Conflict(row.line, address, "is_mailbox"))
    elif alias is None:
        result.new.append(Item(row.line, address, True))
    elif same_targets(row, alias):
        result.unchanged.append(Item(row.line, address, True))
    else:
        result.changed.append(Item(row.line, address, True, ("goto",), ((alias.goto, ",".join(row.goto)),)))


def _old_and_new(column: str, row: MailboxRow, mailbox: Mailbox) -> tuple[str, str]:
    if column == PASSWORD:
        return mailbox.legacy_scheme, row.legacy_scheme
    old, new = getattr(mailbox, FIELDS[column]), getattr(row, column)
    return "" if old is None else str(old), "" if new is None else str(new)


def _same_password(row: MailboxRow, mailbox: Mailbox) -> bool:
    if row.legacy_scheme != mailbox.legacy_scheme or bool(row.legacy_hash) != bool(mailbox.legacy_hash):
        return False
    if not mailbox.legacy_hash:
        return True
    try:
        return unseal(Purpose.LEGACY_HASH, str(row.address), mailbox.legacy_hash) == row.legacy_hash.encode()
    except SecretsError:
        # Sealed under a key that is gone, or not ours: the file's hash takes its place.
        return False


def _totals(parsed: ParsedFile) -> dict[str, Any]:
    schemes = Counter((row.legacy_scheme, bool(row.legacy_hash)) for row in parsed.rows if row.legacy_scheme)
    quotas = [row.quota_mib for row in parsed.rows if row.quota_mib is not None]
    return {
        "mailboxes": len(parsed.rows),
        "aliases": len(parsed.aliases),
        "quota_mib": sum(quotas),
        "without_quota": len(parsed.rows) - len(quotas),
        "without_password": sum(not row.legacy_scheme for row in parsed.rows),
        "schemes": [SchemeCount(name, number, checkable) for (name, checkable), number in sorted(schemes.items())],
    }
