"""What a file would change: each of its rows beside what we have. Reads only.

A column that is empty in every row is one the file does not speak of (a passwd-file knows no kinds): what we have
stays. In the same way a file without any alias says nothing about aliases, and one without any mailbox nothing about
mailboxes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from migration.addresses import Address
from migration.models import Alias, Mailbox
from migration.secrets import Purpose, SecretsError, unseal

from .judging import STATED
from .outcome import PASSWORD, Conflict, Item, Preview, SchemeCount
from .rows import AliasRow, MailboxRow, ParsedFile

Row = TypeVar("Row", MailboxRow, AliasRow)
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
# The owner has chosen a password: the old one is of no more use, and nothing may bring it back.
COMPLETED = (Mailbox.State.PASSWORD_SET, *Mailbox.DONE)


def compare(parsed: ParsedFile, mailboxes: Iterable[Mailbox], aliases: Iterable[Alias], domain: str) -> Preview:
    """The file beside all mailboxes and aliases of the domain, whose xn-- name is given.

    They are gone through once and not kept: there may be a hundred thousand.
    """
    result = Preview(errors=parsed.errors, notes=parsed.notes, **_totals(parsed))
    said, in_file, aliases_in_file = columns_said(parsed), by_address(parsed.rows), by_address(parsed.aliases)
    known: dict[str, _Verdict | None] = {}
    known_aliases: dict[str, _Verdict | None] = {}
    for mailbox in mailboxes:
        row = in_file.get(mailbox.local_part)
        known[mailbox.local_part] = _of_mailbox(row, mailbox, said) if row else None
    for alias in aliases:
        named = aliases_in_file.get(alias.local_part)
        known_aliases[alias.local_part] = _of_alias(named, alias) if named else None
    for row in parsed.rows:
        _sort_in(result, row, known, known_aliases)
    for named in parsed.aliases:
        _sort_in(result, named, known_aliases, known)
    for is_alias, ours, speaks in ((False, known, parsed.rows), (True, known_aliases, parsed.aliases)):
        if speaks:
            gone = (name for name in ours if name not in in_file and name not in aliases_in_file)
            result.gone.extend(Item(0, Address(name, domain).display, is_alias) for name in gone)
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


def by_address(rows: Sequence[Row]) -> dict[str, Row]:
    """Rows of a file for one domain by what stands before the @."""
    return {row.address.local_part: row for row in rows}


def _sort_in(
    result: Preview, row: MailboxRow | AliasRow, known: Mapping[str, "_Verdict | None"], others: Mapping[str, object]
) -> None:
    """Put a row of the file where it belongs. `known` are those we have of its own sort, `others` of the other."""
    name, address = row.address.local_part, row.address.display
    verdict, is_alias = known.get(name), isinstance(row, AliasRow)
    if name in others and (is_alias or name not in known):
        result.conflicts.append(Conflict(row.line, address, "is_mailbox" if is_alias else "is_alias"))
    elif verdict is None:
        kind, reason = (row.kind, row.kind_reason) if isinstance(row, MailboxRow) else ("", "")
        result.new.append(Item(row.line, address, is_alias, kind=kind, kind_reason=reason))
    else:
        groups = {CHANGED: result.changed, UNCHANGED: result.unchanged, DONE: result.done}
        groups[verdict.group].append(Item(row.line, address, is_alias, verdict.columns, verdict.values))


CHANGED, UNCHANGED, DONE = "changed", "unchanged", "done"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of a row that is known."""

    group: str
    columns: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()


_UNCHANGED, _DONE = _Verdict(UNCHANGED), _Verdict(DONE)


def _of_mailbox(row: MailboxRow, mailbox: Mailbox, said: frozenset[str]) -> _Verdict:
    if columns := differences(row, mailbox, said):
        return _Verdict(CHANGED, columns, tuple(_old_and_new(column, row, mailbox) for column in columns))
    return _DONE if mailbox.state in COMPLETED else _UNCHANGED


def _of_alias(row: AliasRow, alias: Alias) -> _Verdict:
    if same_targets(row, alias):
        return _UNCHANGED
    return _Verdict(CHANGED, ("goto",), ((alias.goto, ",".join(row.goto)),))


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
