"""The old mail server on one machine: it accepts mail by SMTP and shows the old mailboxes in the browser.

    with MailHost(folder) as host:
        smtplib.SMTP("127.0.0.1", host.smtp_port)…
        host.mails("anna@old.example")

It refuses nothing and delivers nothing further. Faults are turned on one by one:
`host.fail(451, at=At.RCPT, times=2)`.
"""

import ssl
from pathlib import Path
from types import TracebackType

from .smtp import At, Fault, Faults, Handler, SmtpThread
from .store import Store, StoredMail
from .web import WebThread

__all__ = ["At", "MailHost", "StoredMail"]

CUT = 0


class MailHost:
    """The running server. Both ports are free ones unless given; `folder` keeps the mails."""

    def __init__(  # noqa: PLR0913 - every part of a server can be chosen, and none must be
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        http_port: int = 0,
        totp_secret_file: Path | None = None,
        portal_url: str = "",
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.host = host
        self._store = Store(folder)
        self._faults = Faults()
        handler = Handler(self._store, self._faults, login_required=login is not None)
        self._smtp = SmtpThread(handler, host, smtp_port, tls=tls, starttls=starttls, login=login)
        self._web = WebThread(self._store, self._faults, host, http_port, totp_secret_file, portal_url)
        self.smtp_port = self._smtp.port
        self.http_port = self._web.port

    @property
    def url(self) -> str:
        """Where the old webmail is."""
        return f"http://{self.host}:{self.http_port}"

    def mails(self, to: str = "") -> list[StoredMail]:
        """All accepted mails, or those to one address, oldest first."""
        return self._store.mails(to)

    def fail(self, code: int, *, at: At = At.RCPT, times: int = 1) -> None:
        """Answer this code at this moment, so many times."""
        self._faults.add(Fault(at, code, times))

    def cut(self, *, at: At = At.DOT, times: int = 1) -> None:
        """Cut the connection at this moment, so many times. At the dot the mail is kept all the same."""
        self._faults.add(Fault(at, CUT, times))

    def repair(self) -> None:
        """Turn all faults off."""
        self._faults.clear()

    def stop(self) -> None:
        """Give both ports back. The mails stay in the folder."""
        self._web.stop()
        self._smtp.stop()

    def __enter__(self) -> "MailHost":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
