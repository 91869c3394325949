"""The SMTP side of the old server, with switches for what goes wrong on a real one."""
# ruff: noqa: ARG002, N802 - names and arguments of the hooks are aiosmtpd's

import asyncio
import logging
import re
import ssl
import threading
import weakref
from dataclasses import dataclass
from enum import StrEnum
from typing import AnyStr

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from .store import Store


class At(StrEnum):
    """The moment of an SMTP conversation in which a fault happens."""

    GREETING = "greeting"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"
    REPLY = "reply"


@dataclass
class Fault:
    """Answer `code` at that moment for the next `times` conversations; code 0 cuts the connection instead.

    Cut at the dot, the mail is kept but the client never hears of it; cut at the reply, it has just heard.
    """

    at: At
    code: int
    times: int


class Faults:
    """The switches. Safe to turn from another thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Turn one on."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Turn all off."""
        with self._lock:
            self._faults.clear()

    def take(self, at: At) -> int | None:
        """What happens now: a code, 0 for a cut, None for nothing. Uses the fault up once."""
        with self._lock:
            for fault in self._faults:
                if fault.at == at and fault.times > 0:
                    fault.times -= 1
                    return fault.code
        return None


class Handler:
    """Keeps what comes in and answers as the switches say."""

    def __init__(self, store: Store, faults: Faults, *, login_required: bool = False) -> None:
        self.store = store
        self.faults = faults
        self.login_required = login_required

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._refusal(server, At.MAIL):
            return refusal
        if self.login_required and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._refusal(server, At.RCPT):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        code = self.faults.take(At.DOT)
        if code:
            return _answer(code, envelope)
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            self.store.add(envelope.mail_from or "", recipient, content)
        if code == 0:
            return _cut(server)
        return "250 2.0.0 Ok: queued"

    def _refusal(self, server: SMTP, at: At) -> str:
        code = self.faults.take(at)
        if code is None:
            return ""
        return _answer(code) if code else _cut(server)


class OldSmtp(SMTP):
    """aiosmtpd's server with faults where it offers no hook: greeting, DATA command, last reply."""

    def __init__(self, handler: Handler, **options: object) -> None:
        super().__init__(handler, **options)  # type: ignore[arg-type]
        self._faults = handler.faults
        self._greeted = False

    async def push(self, status: AnyStr) -> None:
        """Send a reply, unless a switch says otherwise."""
        text = status.decode() if isinstance(status, bytes) else status
        if not self._greeted:
            self._greeted = True
            code = self._faults.take(At.GREETING)
            if code is not None:
                if code:
                    await super().push(_answer(code))
                _hang_up(self)
                return
        await super().push(status)
        if text.startswith("250 2.0.0 Ok: queued") and self._faults.take(At.REPLY) is not None:
            _hang_up(self)

    async def smtp_DATA(self, arg: str | None) -> None:
        """The DATA command."""
        code = self._faults.take(At.DATA)
        if code is None:
            await super().smtp_DATA(arg)
        elif code:
            await self.push(_answer(code))
        else:
            _cut(self)


class SmtpThread:
    """The server on its own thread. Port 0 takes a free one."""

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells every line of every conversation
        self._loop = asyncio.new_event_loop()

        def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
            right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == login
            return AuthResult(success=right, handled=False)

        self._conversations: weakref.WeakSet[OldSmtp] = weakref.WeakSet()

        def protocol() -> OldSmtp:
            conversation = OldSmtp(
                handler,
                hostname="mail.old.example",
                ident="old mail server",
                loop=self._loop,
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=authenticate,
                auth_require_tls=starttls is not None,
            )
            self._conversations.add(conversation)
            return conversation

        self._server = self._loop.run_until_complete(self._loop.create_server(protocol, host, port, ssl=tls))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="old-smtp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all conversations and give the port back."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for conversation in list(self._conversations):
            _cut(conversation)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _answer(code: int, envelope: Envelope | None = None) -> str:
    """A refusal such as real servers give. After the dot it repeats words of the mail, as some filters do."""
    words = {
        421: "Service not available",
        450: "Greylisted, try again later",
        451: "Local error in processing",
    }
    text = words.get(code, "Requested action not taken: mailbox unavailable")
    if envelope is not None:
        content = (envelope.original_content or b"").decode("ascii", "replace")
        text += ": " + " ".join(re.findall(r"\b\w{4}(?:-\w{4})+\b", content)[:3])
    return f"{code} {code // 100}.7.1 {text}"


def _hang_up(server: SMTP) -> None:
    """Close after what was written has left."""
    if server.transport is not None:
        server.transport.close()


def _cut(server: SMTP) -> str:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()
    return "421 4.3.2 gone"
