"""What an import would change, as it is told: page by page in the browser, whole as a table for a spreadsheet.

The report is made once, when a file is compared, and kept sealed in pages, so that a page of a file with 100,000 rows
costs what a page of a small one costs. A cell that might hold a password hash, because the columns of the file have
slipped, is not told.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migration.crypt_strings import is_des
from migration.models import ImportPage, ImportRun, Mailbox
from migration.secrets import Purpose, SecretsError, seal, unseal

from .outcome import LABELS, PASSWORD, Conflict, Item, Preview
from .problems import RowError

PER_PAGE = 100
BATCH = 200

GROUPS: dict[str, Promise] = {
    "errors": gettext_lazy("Refused"),
    "conflicts": gettext_lazy("In conflict"),
    "gone": gettext_lazy("Not in the file"),
    "changed": gettext_lazy("Changed"),
    "new": gettext_lazy("New"),
    "done": gettext_lazy("Already done"),
    "unchanged": gettext_lazy("Unchanged"),
    "notes": gettext_lazy("Good to know"),
}
"""The lists of a preview in the order in which they matter."""

ADDRESSES = ("goto", "forwards")
HIDDEN = gettext_lazy("(not shown)")
# A scheme's label, a crypt string, or digits and letters without end: more likely a hash than a name.
_SECRET = re.compile(r"\{[A-Za-z0-9.-]+\}.|\$\w+\$|(?=[A-Za-z]*[0-9+/=])[A-Za-z0-9+/=]{24,}")


@dataclass(frozen=True)
class Change:
    """One column of a row: what we have and what the file says."""

    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Entry:
    """One line of the report. `line` is 0 for what is not in the file."""

    line: int
    address: str = ""
    is_alias: bool = False
    columns: Sequence[str] = ()
    values: Sequence[Sequence[str]] = ()
    column: str = ""
    code: str = ""
    params: dict[str, str | int] = field(default_factory=dict)
    kind: str = ""
    kind_reason: str = ""

    @property
    def changes(self) -> list[Change]:
        """What would change, column by column."""
        return [
            Change(str(LABELS[column]), _shown(column, old), _shown(column, new))
            for column, (old, new) in zip(self.columns, self.values, strict=True)
        ]

    @property
    def text(self) -> str:
        """What is to be said about the row, in the reader's language; empty when its group says it all."""
        if not self.code:
            return self._kind
        if self.address:
            return Conflict(self.line, self.address, self.code).text
        return RowError(self.line, self.column, self.code, self.params).text

    @property
    def _kind(self) -> str:
        kind = str(Mailbox.Kind(self.kind).label) if self.kind else ""
        is_guess = self.kind_reason not in ("", Mailbox.KindReason.STATED)
        return f"{kind} ({Mailbox.KindReason(self.kind_reason).label})" if is_guess else kind


def keep(run: ImportRun, preview: Preview) -> None:
    """Write the report of a run anew, within a transaction of the caller."""
    run.pages.all().delete()
    pages = _pages(run, preview)
    while batch := list(islice(pages, BATCH)):
        ImportPage.objects.bulk_create(batch)


def entries(run: ImportRun, group: str, number: int) -> list[Entry]:
    """One page, counted from 0; empty when there is none (any more)."""
    return _opened(run.pages.filter(group=group, number=number).first())


def beginnings(run: ImportRun, length: int) -> dict[str, list[Entry]]:
    """How each group begins."""
    return {page.group: _opened(page)[:length] for page in run.pages.filter(number=0)}


def table(run: ImportRun) -> Iterator[list[str]]:
    """The whole report as rows of a table, its head first. A row that changes in three columns has three lines."""
    yield _head()
    pages: QuerySet[ImportPage] = run.pages.order_by("group", "number")
    for group in GROUPS:
        for page in pages.filter(group=group).iterator(BATCH):
            for entry in _opened(page):
                yield from _lines(group, entry)


def rows_of(preview: Preview) -> Iterator[list[str]]:
    """The same table for a preview that is not kept."""
    yield _head()
    for group in GROUPS:
        for found in getattr(preview, group):
            yield from _lines(group, _entry(_plain(found)))


def _head() -> list[str]:
    return [_("Group"), _("Line"), _("Address"), _("Kind"), _("Column"), _("Before"), _("After"), _("Remark")]


def _lines(group: str, entry: Entry) -> Iterator[list[str]]:
    is_row = group not in ("errors", "notes")
    kind = (_("alias") if entry.is_alias else _("mailbox")) if is_row and not entry.code else ""
    first = [str(GROUPS[group]), str(entry.line or ""), entry.address, kind]
    if entry.columns:
        for change in entry.changes:
            yield [*first, change.label, change.old, change.new, ""]
    else:
        yield [*first, entry.column, "", "", entry.text]


def _pages(run: ImportRun, preview: Preview) -> Iterator[ImportPage]:
    for group in GROUPS:
        found: Sequence[Item | Conflict | RowError] = getattr(preview, group)
        for number, start in enumerate(range(0, len(found), PER_PAGE)):
            page = ImportPage(run=run, group=group, number=number)
            rows = [_plain(each) for each in found[start : start + PER_PAGE]]
            clear = json.dumps(rows, separators=(",", ":")).encode()
            page.sealed = seal(Purpose.STAGING, page.sealed_for, clear)
            yield page


def _plain(found: Item | Conflict | RowError) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if value}


def _opened(page: ImportPage | None) -> list[Entry]:
    if page is None:
        return []
    try:
        rows = json.loads(unseal(Purpose.STAGING, page.sealed_for, page.sealed))
    except SecretsError:
        # Its key has left the ring meanwhile; the file can be uploaded again.
        return []
    return [_entry(row) for row in rows]


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**{"line": 0, **row})


def _shown(column: str, value: str) -> str:
    if column == PASSWORD:  # the name of a scheme
        return value or _("none")
    is_secret = _SECRET.search(value) or (is_des(value) and not value.isalpha())
    return str(HIDDEN) if is_secret else value.replace(",", ", ") if column in ADDRESSES else value
