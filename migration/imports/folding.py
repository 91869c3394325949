"""What mail administration programs keep: mailboxes, and aliases that may mean a mailbox's forwards.

PostfixAdmin and ViMbAdmin have an alias for each mailbox: delivering to itself alone it means nothing; with other
targets the mailbox forwards, and keeps a copy if it is still among them.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from migration.addresses import InvalidAddress, domain_to_ascii
from migration.crypt_strings import is_des

from .judging import MAX_QUOTA_MIB
from .rows import Rows

_BYTES = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class Box:
    """A mailbox of the program; `fields` by column of Rows."""

    line: int
    place: str
    address: str
    is_active: bool
    fields: dict[str, str]
    forwards: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Pointer:
    """An alias of the program, of a mailbox or of nothing else."""

    line: int
    place: str
    address: str
    is_active: bool
    goto: list[str]


def fold(rows: Rows, boxes: Iterable[Box], pointers: Iterable[Pointer]) -> None:
    """Judge the mailboxes with what their aliases say, then the other aliases. All are of one domain."""
    boxes = list(boxes)
    by_address = {_key(box.address): box for box in boxes}
    aliases = []
    for pointer in pointers:
        box = by_address.get(_key(pointer.address))
        targets = _without_autoreply(rows, pointer)
        if box is None:
            aliases.append((pointer, targets))
        elif pointer.is_active and box.is_active:
            box.forwards += [target for target in targets if _key(target) != _key(box.address)]
            if targets and _key(box.address) not in map(_key, targets):
                rows.note(pointer.line, f"{pointer.place}goto", "no_copy")
    for box in boxes:
        if box.is_active:
            fields = box.fields | {"address": box.address, "forwards": " ".join(box.forwards)}
            rows.add(box.line, fields, box.place)
        else:
            rows.note(box.line, f"{box.place}address", "switched_off")
    for pointer, targets in aliases:
        if not pointer.is_active:
            rows.note(pointer.line, f"{pointer.place}address", "switched_off")
        elif targets or not pointer.goto:
            fields = {"address": pointer.address, "kind": "alias", "goto": " ".join(targets)}
            rows.add(pointer.line, fields, pointer.place)


def of_domain(address: str, domain: str) -> bool:
    """Whether the address is of the domain (its xn-- form). One without an @ counts, so that it is told of."""
    _local_part, at, name = address.rpartition("@")
    try:
        return not at or domain_to_ascii(name) == domain
    except InvalidAddress:
        return False


def mib(text: str, *, least: int = 1) -> str:
    """Bytes as MiB, rounded up; empty for less, which is "no limit". What is no number stays, to be refused."""
    if not _BYTES.fullmatch(text):
        return text
    size = math.ceil(int(text) / 1024**2)
    return str(min(size, MAX_QUOTA_MIB)) if size >= least else ""


def stored(password: str) -> str:
    """The hash with a label where these programs store it without: 32 hex digits are MD5, 13 characters DES-crypt."""
    if _MD5.fullmatch(password):
        return "{PLAIN-MD5}" + password
    return "{CRYPT}" + password if is_des(password) else password


def targets_of(goto: str) -> list[str]:
    """The addresses of a list with commas."""
    return goto.replace(",", " ").split()


def _without_autoreply(rows: Rows, pointer: Pointer) -> list[str]:
    """PostfixAdmin delivers to anna#demo.example@… what is to be answered automatically."""
    mark = _key(pointer.address).replace("@", "#") + "@"
    targets = [target for target in pointer.goto if not _key(target).startswith(mark)]
    if len(targets) < len(pointer.goto) and pointer.is_active:
        rows.note(pointer.line, f"{pointer.place}goto", "autoreply")
    return targets


def _key(address: str) -> str:
    return address.strip().lower()
