"""SMTP: one connection that serves many mails, and for each of them a clear end."""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings

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


class Line:
    """A connection to one server, opened with the first mail and opened again when it was lost.

    `is_down` is set when it could not be opened: whoever has more mails had better try later.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._smtp: _Ending | None = None
        self._began = False
        self.is_down = False

    def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        if self._smtp:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
            self._drop()

    def deliver(
        self,
        content: bytes,
        *,
        sender: str,
        to: str,
        before_end: Callable[[], bool],
        meanwhile: Callable[[], None] = lambda: None,
        hide: str = "",
    ) -> Answer:
        """Hand in one mail and say how it ended. Raises nothing.

        `sender` and `to` are the envelope, ASCII only. `before_end` is asked when everything but the final dot was
        sent; if it says no, the connection is closed and the server throws the mail away (RFC 5321, 4.1.1.4).
        `meanwhile` is called once the dot is out and before the server's word is read; it raises nothing.
        `hide` is struck out of the server's words: some repeat the mail they refuse.
        """
        kept = self._smtp is not None
        once = partial(self._once, content, sender, to, (before_end, meanwhile), hide)
        answer = once()
        # A server may close a kept connection at any time (RFC 5321, 3.8): that tells nothing of this mail.
        if kept and self._smtp is None and answer.verdict == Verdict.AGAIN and not self._began:
            answer = once()
        return answer

    def _once(
        self,
        content: bytes,
        sender: str,
        to: str,
        around_end: tuple[Callable[[], bool], Callable[[], None]],
        hide: str,
    ) -> Answer:
        self._began = False
        try:
            smtp = self._smtp = self._smtp or _connect(self._route)
        except (smtplib.SMTPException, OSError) as error:
            # Refusals before MAIL tell of the server or of our login, not of this mail: they pass.
            self.is_down = True
            return Answer(Verdict.AGAIN, getattr(error, "smtp_code", None), _words(error, hide))
        smtp.before_end, smtp.meanwhile = around_end
        smtp.began = smtp.ended = False
        try:
            smtp.sendmail(sender, [to], content)
        except Stopped:
            self._drop()
            return Answer(Verdict.STOPPED)
        except (smtplib.SMTPException, OSError) as error:
            answer = _judged(error, ended=smtp.ended, hide=hide)
            self._began = smtp.began
            if answer.code is None or answer.code == 421 or smtp.sock is None:
                self._drop()
            return answer
        return Answer(Verdict.ACCEPTED, 250)

    def _drop(self) -> None:
        if self._smtp:
            self._smtp.close()
            self._smtp = None


class _Ending(smtplib.SMTP):
    """smtplib, except that it knows whether the final dot may have left the house."""

    before_end: Callable[[], bool]
    meanwhile: Callable[[], None]
    began = False
    ended = False

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]
        """The DATA command, in two steps: the mail, then its end."""
        self.began = True
        self.putcmd("data")
        code, words = self.getreply()
        if code != 354:
            raise smtplib.SMTPDataError(code, words)
        content = msg if isinstance(msg, bytes) else msg.encode("ascii")
        content = re.sub(rb"(?m)^\.", b"..", content)
        self.send(content if content.endswith(b"\r\n") else content + b"\r\n")
        if not self.before_end():
            raise Stopped
        self.ended = True
        if self.sock:
            self.sock.settimeout(END_TIMEOUT_SECONDS)
        self.send(b".\r\n")
        self.meanwhile()
        reply = self.getreply()
        if self.sock:
            self.sock.settimeout(TIMEOUT_SECONDS)
        return reply


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
    if smtp.sock:
        # The dot leaves on its own; held back until the mail before it is acknowledged, it would cost 40 ms a mail.
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
