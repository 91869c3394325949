"""Mailboxes and aliases of one domain from a dump of PostfixAdmin's or ViMbAdmin's database.

A dump has all domains of its server; rows of others are counted and left out. The tables are those of
https://github.com/postfixadmin/postfixadmin (public/upgrade.php) and https://github.com/opensolutions/ViMbAdmin
(the Doctrine schema); columns that are not needed may be missing or further ones be there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from migration.addresses import InvalidAddress, domain_to_ascii, domain_to_unicode

from .csv_file import decode, finish
from .folding import Box, Pointer, fold, mib, of_domain, stored, targets_of
from .rows import ParsedFile, Rows
from .sql_dump import Dump, Record

Tables = dict[str, list[Record]]


@dataclass(frozen=True)
class Program:
    """What a program calls its tables and columns, where the two differ.

    `needed` are the columns without which a table cannot be read; `used` finds the bytes in use of each mailbox.
    """

    name: str
    needed: Mapping[str, tuple[str, ...]]
    others: tuple[str, ...]
    used: Callable[[Tables], dict[str, str]]


def _of_quota_tables(tables: Tables) -> dict[str, str]:
    """PostfixAdmin: what Dovecot's quota plugin counts, in its newer table or its older one."""
    used = {record.values.get("username", ""): record.values.get("bytes", "") for record in tables["quota2"]}
    for record in tables["quota"]:
        if record.values.get("path") == "quota/storage":
            used.setdefault(record.values.get("username", ""), record.values.get("current", ""))
    return used


def _of_mailboxes(tables: Tables) -> dict[str, str]:
    """ViMbAdmin: what its nightly script has measured."""
    return {record.values["username"]: record.values.get("maildir_size", "") for record in tables["mailbox"]}


_NEEDED = {"mailbox": ("username", "password", "active"), "alias": ("address", "goto", "active")}
POSTFIXADMIN = Program("PostfixAdmin", _NEEDED, ("alias_domain", "quota2", "quota"), _of_quota_tables)
VIMBADMIN = Program("ViMbAdmin", {table: (*names, "domain_id") for table, names in _NEEDED.items()}, (), _of_mailboxes)


def parse(data: bytes, program: Program, *, domain: str, encoding: str | None = None) -> ParsedFile:
    """Read a whole dump. What is wrong is among the errors of the result, with its line; nothing is raised.

    `domain` is the one wanted, `encoding` "utf-8" (also when None) or "cp1252". The line is the one where the
    statement stands; which row of the table is meant is told with the column: `mailbox[17].quota_mib`.
    """
    rows = Rows()
    text = decode(data, encoding, rows)
    if text is None:
        return rows.parsed
    tables: Tables = {table: [] for table in (*program.needed, *program.others)}
    for record in Dump(text, tables, rows.refuse):
        tables[record.table].append(record)
    if _complete(tables, program, rows):
        _fold(tables, program, domain, rows)
    finish(rows)
    return rows.parsed


def _complete(tables: Tables, program: Program, rows: Rows) -> bool:
    missing = [
        (record, name)
        for table, names in program.needed.items()
        for record in tables[table][:1]
        for name in names
        if name not in record.values
    ]
    for record, name in missing:
        rows.refuse(record.line, record.table, "sql_column_missing", name=name, program=program.name)
    return not missing


def _fold(tables: Tables, program: Program, domain: str, rows: Rows) -> None:
    used = program.used(tables)
    mailboxes = [record for record in tables["mailbox"] if of_domain(record.values["username"], domain)]
    aliases = [record for record in tables["alias"] if of_domain(record.values["address"], domain)]
    others = len(tables["mailbox"]) + len(tables["alias"]) - len(mailboxes) - len(aliases)
    if others and not (mailboxes or aliases):
        rows.refuse(1, "", "sql_no_mailbox", others=len(tables["mailbox"]))
    elif others:
        rows.note(1, "", "other_domains", n=others)
    _note_alias_domains(tables.get("alias_domain", []), domain, rows)
    boxes = [_box(record, used.get(record.values["username"], "")) for record in mailboxes]
    fold(rows, boxes, [_pointer(record) for record in aliases])


def _box(record: Record, used: str) -> Box:
    values = record.values
    fields = {
        "name": values.get("name", ""),
        "quota_mib": mib(values.get("quota", "")),
        "used_mib": mib(used, least=0),
        "password_hash": stored(values["password"]),
    }
    is_active = _is_on(values["active"]) and not _is_on(values.get("delete_pending", ""))
    return Box(record.line, _place(record), values["username"], is_active, fields)


def _pointer(record: Record) -> Pointer:
    values = record.values
    return Pointer(record.line, _place(record), values["address"], _is_on(values["active"]), targets_of(values["goto"]))


def _note_alias_domains(records: list[Record], domain: str, rows: Rows) -> None:
    for record in records:
        try:
            name, target = (
                domain_to_ascii(record.values.get(column, "")) for column in ("alias_domain", "target_domain")
            )
        except InvalidAddress:
            continue
        if target == domain and _is_on(record.values.get("active", "1")):
            rows.note(record.line, record.table, "alias_domain", name=domain_to_unicode(name))


def _place(record: Record) -> str:
    """What tells of several rows in one line of a dump which one is meant."""
    return f"{record.table}[{record.number}]."


def _is_on(value: str) -> bool:
    """MySQL's 1, PostgreSQL's t."""
    return value.lower() in ("1", "t", "true")
