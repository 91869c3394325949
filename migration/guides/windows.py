"""A settings window of a mail program with a guide's values in it: what the pages draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from .facts import Guide, Protocol, Server

Text = str | Promise


# How each program calls signing in with an ordinary password.
NORMAL_PASSWORD: Mapping[str, Text] = MappingProxyType(
    {
        "thunderbird": pgettext_lazy("thunderbird", "Normal password"),
        "apple": pgettext_lazy("apple", "Password"),
        "k9": pgettext_lazy("k9", "Normal password"),
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a settings window. `what` names the fact that stands there, or says what is switched on or off."""

    label: Text
    what: str


@dataclass(frozen=True, slots=True)
class Field:
    """A line filled in. `is_new` marks what the owner changes, `can_be_copied` what is typed letter by letter."""

    label: Text
    value: Text
    is_new: bool = False
    can_be_copied: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A settings window of a program, filled in."""

    title: Text
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program: what it is called, where it is found, the titles and lines of its two settings windows."""

    slug: str
    name: Text
    where: Text
    incoming: tuple[Text, tuple[Line, ...]] | None = None
    outgoing: tuple[Text, tuple[Line, ...]] | None = None
    is_on_phone: bool = False
    is_apples: bool = False

    @property
    def asks_protocol(self) -> bool:
        """IMAP or POP3 must be known first."""
        return self.incoming is not None

    @property
    def template(self) -> str:
        """Where the steps are told."""
        return f"guides/programs/{self.slug}.html"


def windows(program: Program, guide: Guide, protocol: Protocol) -> tuple[Window, ...]:
    """The program's two windows, for receiving and for sending, with the values of a guide."""
    sides = ((program.incoming, guide.fetching(protocol)), (program.outgoing, guide.smtp))
    return tuple(
        Window(side[0], tuple(_fill(line, guide, server) for line in side[1])) for side, server in sides if side
    )


def _fill(line: Line, guide: Guide, server: Server) -> Field:
    if line.what in NORMAL_PASSWORD:
        return Field(line.label, NORMAL_PASSWORD[line.what])
    fields = {
        "host": Field(line.label, server.host, is_new=True, can_be_copied=True),
        "port": Field(line.label, str(server.port), is_new=True),
        "security": Field(line.label, server.security, is_new=True),
        "login": Field(line.label, guide.login_name, can_be_copied=guide.is_personal),
        "password": Field(line.label, _password(guide)),
        "on": Field(line.label, _("on"), is_new=True),
        "off": Field(line.label, _("off"), is_new=True),
    }
    return fields[line.what]


def _password(guide: Guide) -> str:
    if not guide.is_personal:
        return _("the one you saved in the portal")
    return _("as before") if guide.kept_old else _("your new password")
