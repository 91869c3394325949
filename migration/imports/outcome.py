"""What an import would do, row by row, as it is told to people."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from migration.models import Mailbox

from .problems import RowError

PASSWORD = "password_hash"  # noqa: S105 - a column's name
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
