"""One row of a file under judgement, given as text by column: what it says, or what is wrong with it."""

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime

from migration import schemes
from migration.addresses import Address, InvalidAddress, parse
from migration.kinds import guess
from migration.models import Mailbox

from .parsed import AliasRow, MailboxRow
from .problems import RowError

MAILBOX_KINDS = tuple(Mailbox.Kind.values)
KINDS = (*MAILBOX_KINDS, "alias")
LANGUAGES = ("", "de", "en")
MAX_NAME = 200
MAX_QUOTA_MIB = 10_000_000
MAX_GOTO = 100
CATCH_ALL = "*"

_SIZE = re.compile(r"([0-9]{1,15})(?: ?([kmgt]?)(?:i?b)?)?", re.IGNORECASE | re.ASCII)
_KIB = {"k": 1, "m": 1024, "": 1024, "g": 1024**2, "t": 1024**3}
_GERMAN_DATE = re.compile(
    r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?:[, ]+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?))?", re.ASCII
)
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
# Nothing, the mark of a shadow file (x), or a password somebody locked (*, !, !!, *LK*, a ! before the hash).
_NO_PASSWORD = re.compile(r"\s*|x|[*!].*|\{[A-Za-z0-9.-]+\}[*!]+(?:\$.*)?", re.DOTALL)
_UNKNOWN_SCHEME = "?"
STATED = Mailbox.KindReason.STATED.value


class Judge:
    """Each method reads one column and notes what is wrong with it."""

    def __init__(self, line: int, fields: Mapping[str, str], now: datetime, place: str = "") -> None:
        self.line = line
        self.fields = fields
        self.now = now
        self.place = place
        self.errors: list[RowError] = []
        self.notes: list[RowError] = []
        self.kind = self.kind_of_row()

    def refuse(self, column: str, code: str, **params: str | int) -> None:
        """Note a mistake."""
        self.errors.append(RowError(self.line, self.place + column, code, params))

    def note(self, column: str, code: str) -> None:
        """Note what is no mistake and yet worth knowing."""
        self.notes.append(RowError(self.line, self.place + column, code))

    def text(self, column: str) -> str:
        """The column without the blanks around it; empty when the file does not have it."""
        return self.fields.get(column, "").strip()

    def mailbox(self) -> MailboxRow | None:
        """The row as a mailbox; None when there is a mistake in it."""
        address = self.address("address", self.text("address"))
        if address.local_part == CATCH_ALL:
            self.refuse("address", "wildcard")
        if self.text("goto"):
            self.refuse("goto", "goto_on_mailbox")
        scheme, legacy_hash = self.password()
        last_login, forwards = self.last_login(), self.forwards(address)
        kind, reason = self.kind, STATED
        if not kind:
            kind, reason = guess(
                address.local_part, address.domain, last_login=last_login, forwards=forwards, now=self.now
            )
        row = MailboxRow(
            self.line,
            address,
            name=self.name(),
            kind=str(kind),
            kind_reason=str(reason),
            responsible=self.responsible(),
            language=self.language(),
            quota_mib=self.size("quota_mib", "quota", least=1),
            used_mib=self.size("used_mib", "used", least=0),
            last_login=last_login,
            legacy_hash=legacy_hash,
            legacy_scheme=scheme,
            forwards=",".join(forwards),
        )
        return None if self.errors else row

    def alias(self) -> AliasRow | None:
        """The row as an alias; None when there is a mistake in it."""
        text = self.text("address")
        address = self.address("address", CATCH_ALL + text if text.startswith("@") else text)
        self.name()
        if self.text("password_hash"):
            self.refuse("password_hash", "alias_with_password")
        if self.text("forwards"):
            self.refuse("forwards", "forwards_on_alias")
        targets = self.targets("goto")
        if not targets:
            self.refuse("goto", "goto_missing")
        if address in targets:
            self.refuse("goto", "goto_itself")
        row = AliasRow(self.line, address, tuple(dict.fromkeys(str(target) for target in targets)))
        return None if self.errors else row

    def address(self, column: str, text: str) -> Address:
        """An address, or an empty one and a mistake."""
        try:
            return parse(text)
        except InvalidAddress as error:
            self.refuse(column, error.reason)
            return Address("", "")

    def targets(self, column: str) -> list[Address]:
        """Addresses separated by commas or blanks."""
        targets = [self.address(column, target) for target in self.text(column).replace(",", " ").split()]
        if len(targets) > MAX_GOTO:
            self.refuse(column, "goto_too_many", limit=MAX_GOTO)
        return targets

    def forwards(self, address: Address) -> list[str]:
        """Where the mailbox forwards to, in order; its own address among them only says that it keeps a copy."""
        if not self.text("forwards"):
            return []
        return sorted({str(target) for target in self.targets("forwards") if target != address})

    def kind_of_row(self) -> str:
        """The kind the row says; empty for none."""
        kind = self.text("kind").lower()
        if kind and kind not in KINDS:
            self.refuse("kind", "kind", known=", ".join(KINDS))
        return kind

    def name(self) -> str:
        """The name in composed form."""
        name = unicodedata.normalize("NFC", self.text("name"))
        if len(name) > MAX_NAME:
            self.refuse("name", "name_length", limit=MAX_NAME)
        if not name.isprintable() and any(unicodedata.category(character) in _UNPRINTABLE for character in name):
            self.refuse("name", "name_characters")
        return name

    def responsible(self) -> str:
        """The address of who decides about the mailbox."""
        text = self.text("responsible")
        return str(self.address("responsible", text)) if text else ""

    def language(self) -> str:
        """One of LANGUAGES."""
        language = self.text("language").lower()
        if language not in LANGUAGES:
            self.refuse("language", "language")
        return language

    def size(self, column: str, code: str, *, least: int) -> int | None:
        """MiB, rounded up; a bare number is MiB, units are those of 1024."""
        text = self.text(column)
        if not text:
            return None
        match = _SIZE.fullmatch(text)
        size = math.ceil(int(match[1]) * _KIB[(match[2] or "").lower()] / 1024) if match else -1
        if not least <= size <= MAX_QUOTA_MIB:
            self.refuse(column, code, limit=MAX_QUOTA_MIB)
            return None
        return size

    def last_login(self) -> datetime | None:
        """In UTC, which is also meant where no zone is named."""
        text = self.text("last_login")
        if not text:
            return None
        if match := _GERMAN_DATE.fullmatch(text):
            text = f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}T{match[4] or '00:00'}"
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
                self.note("password_hash", "hash_truncates")
            else:
                schemes.check_cost(stored)
                return scheme, stored
        except schemes.UnsupportedScheme:
            self.note("password_hash", "hash_unsupported")
        except schemes.MalformedHash:
            self.refuse("password_hash", "hash_malformed")
        except schemes.TooCostly:
            self.refuse("password_hash", "hash_too_costly")
        return scheme, ""
