"""Hosts, ports and names for mail programs: the one truth that every page takes them from.

The new server takes mail programs only over TLS from the first byte, and sends only for those who sign in. Other ports
exist (for STARTTLS); none is named anywhere, so that nobody types one.
"""

from dataclasses import dataclass

from django.conf import settings

from migration.addresses import parse
from migration.models import Mailbox

IMAP_PORT = 993
POP3_PORT = 995
SUBMISSION_PORT = 465
SECURITY = "SSL/TLS"


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
    is the address as people write it. `kept_old` is None as long as no password was saved.
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

    @property
    def incoming(self) -> tuple[Server, Server]:
        """The two ways to fetch mail; a program uses one of them."""
        return self.imap, self.pop3

    @property
    def is_written_differently(self) -> bool:
        """The login name is not what the owner knows as the address: the domain has umlauts."""
        return self.login_name != self.display


def for_mailbox(mailbox: Mailbox) -> Guide:
    """The guide for a mailbox, with what its newest password means for the mail program."""
    host = settings.TARGET_MAIL_HOST
    address = parse(mailbox.address)
    return Guide(
        login_name=str(address),
        display=address.display,
        kept_old=mailbox.pushes.order_by("-version").values_list("kept_old", flat=True).first(),
        source_host=settings.SOURCE_MAIL_HOST,
        imap=Server("IMAP", host, IMAP_PORT),
        pop3=Server("POP3", host, POP3_PORT),
        smtp=Server("SMTP", host, SUBMISSION_PORT),
        webmail_url=settings.TARGET_WEBMAIL_URL,
        second_webmail_url=settings.SECOND_WEBMAIL_URL,
    )
