"""An import from file to rows: parse all, validate all, preview, apply.

Applying twice changes nothing the second time. States are never touched, nothing is ever deleted, and a changed old
password is taken only while the owner has not set a new one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import PurePath
from typing import TypeVar

import structlog
from django.db import transaction
from django.db.models import QuerySet

from migration.models import Alias, Domain, Event, Mailbox

from . import admin_dumps, csv_file, mailcow_domain, passwd_file, writing
from .compare import COMPLETED, by_local_part, columns_said, compare, differences, same_targets
from .outcome import Preview
from .rows import AliasRow, MailboxRow, ParsedFile

log = structlog.get_logger(__name__)

BATCH = 500
FORMATS = ("csv", "passwd", "postfixadmin", "vimbadmin", "mailcow")
_SQL = re.compile(rb"\s*+(?:-- |--\n|/\*|PRAGMA |SET |(?:CREATE|DROP) TABLE|INSERT INTO )", re.IGNORECASE)
_VIMBADMIN = re.compile(rb"\bDomain_id\b", re.IGNORECASE)
Row = TypeVar("Row", MailboxRow, AliasRow)
Kept = TypeVar("Kept", Mailbox, Alias)


@dataclass(frozen=True)
class Applied:
    """What an import did, in rows of the file."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    done: int = 0
    conflicts: int = 0

    @property
    def rows(self) -> int:
        """How many rows of the file were gone through."""
        return sum(asdict(self).values())

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def read(
    data: bytes, domain: Domain, *, file_name: str = "", file_format: str | None = None, encoding: str | None = None
) -> ParsedFile:
    """Parse a file for one domain; rows of other domains become errors, in a dump a note.

    Nothing is raised for what is in the file.
    `file_format` is one of FORMATS, or None to be guessed. `encoding` is "utf-8" (also when None) or "cp1252".
    """
    match file_format or guess_format(data, file_name):
        case "passwd":
            parsed = passwd_file.parse(data, encoding=encoding, domain=domain.name)
        case "postfixadmin":
            return admin_dumps.parse(data, admin_dumps.POSTFIXADMIN, domain=domain.name, encoding=encoding)
        case "vimbadmin":
            return admin_dumps.parse(data, admin_dumps.VIMBADMIN, domain=domain.name, encoding=encoding)
        case "mailcow":
            return mailcow_domain.parse(data, domain=domain.name)
        case _:
            parsed = csv_file.parse(data, encoding=encoding)
    return parsed.for_domain(domain.name)


def guess_format(data: bytes, file_name: str) -> str:
    """The format by the file's name, else by its begin: SQL, JSON, or user and password with a colon.

    The last has none of a table's delimiters in the user; a dump is ViMbAdmin's if it has a column Domain_id anywhere.
    """
    name = PurePath(file_name.lower())
    if name.suffix in (".csv", ".tsv"):
        return "csv"
    if name.suffix == ".sql" or _SQL.match(data):
        return "vimbadmin" if _VIMBADMIN.search(data) else "postfixadmin"
    if name.suffix == ".json" or (data.lstrip().startswith(b"{") and b'"mailboxes"' in data):
        return "mailcow"
    if "passwd" in name.name:
        return "passwd"
    lines = data[: csv_file.MAX_LINE].decode("latin-1").splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    user, colon, _rest = first.partition(":")
    return "passwd" if colon and not any(delimiter in user for delimiter in csv_file.DELIMITERS) else "csv"


def preview(domain: Domain, parsed: ParsedFile) -> Preview:
    """What applying would change, against the database as it is now. Writes nothing; the domain may be unsaved."""
    mailboxes = Mailbox.objects.filter(domain__name=domain.name).order_by("local_part")
    aliases = Alias.objects.filter(domain__name=domain.name).order_by("local_part")
    return compare(parsed, mailboxes.iterator(), aliases.iterator(), domain.name)


def apply(
    domain: Domain,
    parsed: ParsedFile,
    *,
    actor: str,
    applied: Applied | None = None,
    go_on: Callable[[Applied], bool] = lambda _applied: True,
) -> Applied:
    """Write new and changed rows with their events, each batch whole or not at all; what clashes is left out.

    `applied` is what an interrupted run has done: so many rows are passed over. `go_on` is asked after each batch and
    within its transaction, so that it may note how far it is; False ends the run after this batch, and what it raises
    undoes the batch.
    """
    said = columns_said(parsed)
    applied = applied or Applied()
    for batch in _batches(parsed.rows, applied.rows):
        with transaction.atomic():
            applied += _apply_mailboxes(domain, batch, said, actor)
            going_on = go_on(applied)
        if not going_on:
            return applied
    for aliases in _batches(parsed.aliases, applied.rows - len(parsed.rows)):
        with transaction.atomic():
            applied += _apply_aliases(domain, aliases, actor)
            going_on = go_on(applied)
        if not going_on:
            return applied
    log.info("import_applied", domain=domain.pk, errors=len(parsed.errors), **asdict(applied))
    return applied


def _batches(rows: Sequence[Row], begin: int) -> Iterator[Sequence[Row]]:
    for start in range(begin, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _apply_mailboxes(domain: Domain, rows: Sequence[MailboxRow], said: frozenset[str], actor: str) -> Applied:
    new: list[MailboxRow] = []
    changed: list[tuple[Mailbox, MailboxRow, tuple[str, ...]]] = []
    done = conflicts = 0
    with transaction.atomic():
        names = _lock(domain, rows)
        known = by_local_part(_of(Mailbox, domain, names).select_for_update(of=("self",), no_key=True))
        clashes = set(_of(Alias, domain, names).values_list("local_part", flat=True))
        for row in rows:
            mailbox = known.get(row.address.local_part)
            if mailbox is None and row.address.local_part in clashes:
                conflicts += 1
            elif mailbox is None:
                new.append(row)
            elif columns := differences(row, mailbox, said):
                changed.append((mailbox, row, columns))
            elif mailbox.state in COMPLETED:
                done += 1
        writing.add(domain, new, actor=actor)
        writing.change(domain, changed, actor=actor)
    unchanged = len(rows) - len(new) - len(changed) - done - conflicts
    return Applied(len(new), len(changed), unchanged, done, conflicts)


def _apply_aliases(domain: Domain, rows: Sequence[AliasRow], actor: str) -> Applied:
    new: list[Alias] = []
    changed: list[Alias] = []
    conflicts = 0
    with transaction.atomic():
        names = _lock(domain, rows)
        known = by_local_part(_of(Alias, domain, names).select_for_update(of=("self",), no_key=True))
        clashes = set(_of(Mailbox, domain, names).values_list("local_part", flat=True))
        for row in rows:
            alias = known.get(row.address.local_part)
            if row.address.local_part in clashes:
                conflicts += 1
            elif alias is None:
                new.append(Alias(domain=domain, local_part=row.address.local_part, goto=",".join(row.goto)))
            elif not same_targets(row, alias):
                alias.goto = ",".join(row.goto)
                changed.append(alias)
        Alias.objects.bulk_create(new)
        Alias.objects.bulk_update(changed, ["goto"])
        if new or changed:
            # An alias has no timeline of its own.
            Event.record(
                Event.Action.UPDATED,
                actor=actor,
                domain=domain,
                aliases_new=len(new),
                aliases_changed=len(changed),
            )
    return Applied(len(new), len(changed), len(rows) - len(new) - len(changed) - conflicts, 0, conflicts)


def _of(model: type[Kept], domain: Domain, names: Sequence[str]) -> QuerySet[Kept]:
    """Those of these names, in no order: sorting makes SQLite read the whole domain for each batch."""
    return model.objects.filter(domain=domain, local_part__in=names).order_by()


def _lock(domain: Domain, rows: Sequence[MailboxRow] | Sequence[AliasRow]) -> list[str]:
    """Keep a second import out of the domain until the transaction ends. Returns the rows' local parts.

    The lock is one that foreign keys to the domain do not wait for, so no owner waits for an import.
    """
    Domain.objects.select_for_update(of=("self",), no_key=True).get(pk=domain.pk)
    return [row.address.local_part for row in rows]
