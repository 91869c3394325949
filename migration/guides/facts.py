"""Hosts, ports and names for mail programs: the one truth that every page takes them from.

The new server takes mail programs only over TLS from the first byte, and sends only for those who sign in. Other ports
exist (for STARTTLS); none is named anywhere, so that nobody types one.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _

from migration.addresses import parse
from migration.models import Mailbox, Push

IMAP_PORT = 993
POP3_PORT = 995
SUBMISSION_PORT = 465
SECURITY = "SSL/TLS"


class Protocol(StrEnum):
    """How a mail program fetches mail: from the server as it lies there, or down onto one device."""

    IMAP = "imap"
    POP3 = "pop3"


@dataclass(frozen=True, slots=True)
class Server:
    """One server entry of a mail program, in the words of mail programs."""

    protocol: str
    host: str
    port: int
    security: str = SECURITY


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything a person types into the mail program for one mailbox.

    `login_name` is the whole address with the domain in its xn-- form, which every program and server takes; `display`
    is the address as people write it. `kept_old` is None as long as no password was saved. `kind` is the mailbox's.
    A guide that is for everybody (`is_personal` false) says "your whole e-mail address" instead of naming one.
    """

    login_name: str
    display: str
    kept_old: bool | None
    source_host: str
    imap: Server
    pop3: Server
    smtp: Server
    webmail_url: str
    second_webmail_url: str
    is_personal: bool = True
    kind: str = Mailbox.Kind.PERSONAL

    def fetching(self, protocol: Protocol) -> Server:
        """The server mail is fetched from by this protocol."""
        return self.pop3 if protocol is Protocol.POP3 else self.imap

    @property
    def incoming(self) -> tuple[Server, Server]:
        """The two ways to fetch mail; a program uses one of them."""
        return self.imap, self.pop3

    @property
    def is_written_differently(self) -> bool:
        """The login name is not what the owner knows as the address: the domain has umlauts."""
        return self.is_personal and self.login_name != self.display


def for_mailbox(mailbox: Mailbox, newest: Push | None = None) -> Guide:
    """The guide for a mailbox, with what its newest password means for the mail program.

    Who has the newest push at hand gives it; else it is looked up.
    """
    address = parse(mailbox.address)
    newest = newest or mailbox.pushes.order_by("-version").first()
    kept_old = newest.kept_old if newest else None
    return _guide(str(address), address.display, kept_old=kept_old, kind=mailbox.kind)


def for_everybody() -> Guide:
    """The guide without anybody's values, for who is not signed in: hosts and ports are no secret."""
    return _guide(_("your whole e-mail address"), "", is_personal=False)


def _guide(
    login_name: str,
    display: str,
    *,
    kept_old: bool | None = None,
    is_personal: bool = True,
    kind: str = Mailbox.Kind.PERSONAL,
) -> Guide:
    host = settings.TARGET_MAIL_HOST
    return Guide(
        login_name=login_name,
        display=display,
        kept_old=kept_old,
        source_host=settings.SOURCE_MAIL_HOST,
        imap=Server("IMAP", host, IMAP_PORT),
        pop3=Server("POP3", host, POP3_PORT),
        smtp=Server("SMTP", host, SUBMISSION_PORT),
        webmail_url=settings.TARGET_WEBMAIL_URL,
        second_webmail_url=settings.SECOND_WEBMAIL_URL,
        is_personal=is_personal,
        kind=kind,
    )
