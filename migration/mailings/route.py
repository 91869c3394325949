"""Which way a mail goes, and one SMTP conversation with a clear end.

Mail to a mailbox that moves goes to the source's own SMTP host. Never by MX: after the cut-over the MX record points
at the new mailbox, which nobody can open before this mail was read. The one mail meant for the new mailbox goes to
the target's SMTP host, for before the cut-over MX points at the old one.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings

from migration.models import Domain, Mailbox, Mailing

TIMEOUT_SECONDS = 30
# After the dot a filter may still be reading the mail; giving up early makes an unclear mail of a good one.
END_TIMEOUT_SECONDS = 60
MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class Route:
    """An SMTP host and how to talk to it. `security` is none, starttls or tls; user is empty for no login."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Route({self.host}:{self.port}, {self.security})"


class Verdict(StrEnum):
    """How a conversation ended, seen from the outbox."""

    ACCEPTED = "accepted"
    AGAIN = "again"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a conversation: the verdict, the SMTP code if there was one, and the server's words made harmless."""

    verdict: Verdict
    code: int | None = None
    text: str = ""


class Stopped(Exception):
    """The caller did not let the mail pass its end."""


def for_domain(domain: Domain) -> Route:
    """The way to the mailboxes of a domain.

    A domain may name a host and port of its own; the security is the settings' for all. The login of the settings
    belongs to the settings' host: no other host is offered it, and no host without TLS.
    """
    host = domain.source_smtp_host or settings.SOURCE_SMTP_HOST
    own = host == settings.SOURCE_SMTP_HOST and settings.SOURCE_SMTP_SECURITY != "none"
    return Route(
        host=host,
        port=domain.source_smtp_port or settings.SOURCE_SMTP_PORT,
        security=settings.SOURCE_SMTP_SECURITY,
        user=settings.SOURCE_SMTP_USER if own else "",
        password=settings.SOURCE_SMTP_PASSWORD if own else "",
    )


def for_mailing(mailing: Mailing) -> Route | None:
    """The way of one mail: a notice for the new mailbox goes to the target, everything else to the source.

    None when the way is the target's and the settings name none.
    """
    if mailing.kind == Mailing.Kind.PASSWORD_ACTIVE:
        return target()
    return for_domain(mailing.domain)


def target() -> Route | None:
    """The way into the new mailboxes; None when the settings do not name one."""
    if not settings.TARGET_SMTP_HOST:
        return None
    return Route(settings.TARGET_SMTP_HOST, settings.TARGET_SMTP_PORT, settings.TARGET_SMTP_SECURITY)


def recipient(mailbox: Mailbox) -> str:
    """Who gets the mails about a mailbox: its owner in the old mailbox, or for a machine's the person behind it.

    Nobody reads a machine's mailbox; the responsible person decides about it, else the customer's contact.
    """
    if mailbox.kind == Mailbox.Kind.MACHINE:
        return mailbox.responsible or mailbox.domain.customer.contact_email
    return mailbox.address


def deliver(
    route: Route,
    message: EmailMessage,
    *,
    sender: str,
    to: str,
    before_end: Callable[[], bool],
    hide: str = "",
) -> Answer:
    """Have one conversation and say how it ended. Raises nothing.

    `sender` and `to` are the envelope, ASCII only. `before_end` is asked when everything but the final dot was sent;
    if it says no, the connection is closed and the server throws the mail away (RFC 5321, 4.1.1.4).
    `hide` is struck out of the server's words: some repeat the mail they refuse.
    """
    try:
        smtp = _connect(route)
    except (smtplib.SMTPException, OSError) as error:
        # Refusals before MAIL tell of the server or of our login, not of this mail: they pass.
        return Answer(Verdict.AGAIN, getattr(error, "smtp_code", None), _words(error, hide))
    smtp.before_end = before_end
    try:
        smtp.sendmail(sender, [to], message.as_bytes(policy=SMTP_POLICY))
    except Stopped:
        smtp.close()
        return Answer(Verdict.STOPPED)
    except (smtplib.SMTPException, OSError) as error:
        smtp.close()
        return _judged(error, ended=smtp.ended, hide=hide)
    with suppress(smtplib.SMTPException, OSError):
        smtp.quit()
    return Answer(Verdict.ACCEPTED, 250)


class _Ending(smtplib.SMTP):
    """smtplib, except that it knows whether the final dot may have left the house."""

    before_end: Callable[[], bool]
    ended = False

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]
        """The DATA command, in two steps: the mail, then its end."""
        self.putcmd("data")
        code, reply = self.getreply()
        if code != 354:
            raise smtplib.SMTPDataError(code, reply)
        content = msg if isinstance(msg, bytes) else msg.encode("ascii")
        content = re.sub(rb"(?m)^\.", b"..", content)
        self.send(content if content.endswith(b"\r\n") else content + b"\r\n")
        if not self.before_end():
            raise Stopped
        self.ended = True
        if self.sock:
            self.sock.settimeout(END_TIMEOUT_SECONDS)
        self.send(b".\r\n")
        return self.getreply()


class _EndingTls(_Ending, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


def _connect(route: Route) -> _Ending:
    """A connection ready for MAIL. Certificates are verified against the system's authorities (or SSL_CERT_FILE)."""
    name = urlsplit(settings.BASE_URL).hostname or "localhost"
    if route.security == "tls":
        smtp: _Ending = _EndingTls(
            route.host, route.port, name, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        smtp = _Ending(route.host, route.port, name, timeout=TIMEOUT_SECONDS)
    try:
        if route.security == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if route.user:
            smtp.login(route.user, route.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _judged(error: Exception, *, ended: bool, hide: str) -> Answer:
    """Tell later from never from unknown.

    A reply of the server decides, also after the dot: 4xx and 5xx both say that it did not take the mail. Without one,
    the dot decides: not sent, nothing was delivered; sent, nobody knows.
    """
    code, text = _reply(error)
    words = _harmless(text, hide)
    if code is not None and 400 <= code < 500:
        return Answer(Verdict.AGAIN, code, words)
    if code is not None and 500 <= code < 600:
        return Answer(Verdict.REFUSED, code, words)
    return Answer(Verdict.UNCLEAR if ended else Verdict.AGAIN, code, words)


def _reply(error: Exception) -> tuple[int | None, str | bytes]:
    """The server's reply inside an exception of smtplib, if it holds one."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))
    # smtplib raises the bare class for an overlong line, with a code of its own making.
    if isinstance(error, smtplib.SMTPResponseException) and type(error) is not smtplib.SMTPResponseException:
        return error.smtp_code, error.smtp_error
    return None, type(error).__name__


def _words(error: Exception, hide: str) -> str:
    """What to show of an error before MAIL: the server's words, or what kind of trouble it was."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _harmless(f"certificate not trusted: {error.verify_message}", hide)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server does not offer what the settings ask for (STARTTLS or a login)"
    if isinstance(error, socket.gaierror):
        return "the name of the server is unknown"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return _harmless(_reply(error)[1], hide)


def _harmless(text: str | bytes, hide: str) -> str:
    """Printable ASCII on one line, short, without the secret however it is grouped or capitalised."""
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    words = " ".join(re.sub(r"[^ -~]+", " ", words).split())
    symbols = re.sub(r"[^a-z0-9]", "", hide.lower())
    # Group by group: an echo of the raw mail may have a line break in the middle.
    if group := "|".join(symbols[place : place + 4] for place in range(0, len(symbols), 4)):
        words = re.sub(rf"(?:{group})(?:[^a-z0-9]*(?:{group}))*", "(struck out)", words, flags=re.IGNORECASE)
    return words[:MAX_TEXT]
