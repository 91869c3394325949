"""An LMTP endpoint for bounces (RFC 2033): the mail server hands them in, and hears at once what it needs to know.

Only addresses that name a mail of ours are taken; everything else is refused, so nothing can be relayed or filled up.
The answer comes after the row is committed: a bounce is either noted or still with the mail server.
"""

import asyncio
from typing import Any

import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, connection

from . import bounces, verp

log = structlog.get_logger(__name__)

MAX_BYTES = 20 * 1024 * 1024
IDLE_SECONDS = 60


class Endpoint(Controller):
    """Listens on a thread of its own from `start` to `stop`. `smtp` speaks SMTP in place of LMTP."""

    def __init__(self, host: str, port: int, *, smtp: bool = False) -> None:
        self._class = SMTP if smtp else LMTP
        super().__init__(_Handler(), hostname=host, port=port)

    def factory(self) -> SMTP:
        """One conversation."""
        return self._class(
            self.handler, hostname=self.hostname, ident="Umzug", data_size_limit=MAX_BYTES, timeout=IDLE_SECONDS
        )


class _Handler:
    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """One address at a time, and only one that names a mail of ours."""
        if verp.named_by(address) is None:
            return "550 5.1.1 no such address here"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Note it; only a database that is away lets the mail server try again."""
        content: Any = envelope.original_content or b""
        try:
            await asyncio.to_thread(_take, content, list(envelope.rcpt_tos))
        except DatabaseError:
            log.warning("bounce_not_noted", reason="database")
            return "451 4.3.0 try again later"
        return "250 2.6.0 ok"


def _take(content: bytes, recipients: list[str]) -> None:
    try:
        bounces.take(content, recipients=recipients)
    finally:
        # This thread may not be asked again for days.
        connection.close()
