"""The browser side of the old server: the old mailboxes, the staff member's phone, and doors for tests."""

import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from . import pages, phone
from .smtp import At, Fault, Faults
from .store import Store, StoredMail

STYLE_SHEET = Path(__file__).with_name("mailhost.css").read_bytes()
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
MAIL_POLICY = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'"


class WebThread:
    """The web server on its own thread. Port 0 takes a free one."""

    def __init__(
        self,
        store: Store,
        faults: Faults,
        host: str,
        port: int,
        totp_file: Path | None,
        portal_url: str,
    ) -> None:
        class Handler(_Handler):
            """Bound to this server's parts."""

        Handler.store, Handler.faults = store, faults
        Handler.totp_file, Handler.portal_url = totp_file, portal_url
        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="old-webmail", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    store: Store
    faults: Faults
    totp_file: Path | None
    portal_url: str

    def do_GET(self) -> None:
        """A page, the style sheet, or the mails as JSON."""
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path.strip("/").split("/"):
            case [""]:
                self._page(pages.mailboxes(self.store.mails(), asked.get("q", "").strip()))
            case ["mailbox"] if asked.get("address"):
                self._page(pages.mailbox(asked["address"], self.store.mails(asked["address"])))
            case ["mail", id, *rest] if id.isascii() and id.isdecimal() and (mail := self.store.get(int(id))):
                self._mail(mail, rest, as_html=asked.get("as") == "html")
            case ["phone"]:
                self._phone()
            case ["mailhost.css"]:
                self._send(STYLE_SHEET, "text/css; charset=utf-8")
            case ["healthz"]:
                self._send(b"ok\n", "text/plain; charset=utf-8")
            case ["sandbox", "mails.json"]:
                self._json([_as_json(mail) for mail in self.store.mails(asked.get("to", ""))])
            case _:
                self._page(pages.page("Not here", '<p><a href="/">All mailboxes</a></p>'), HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """For tests: `/sandbox/faults` with JSON {"at": "rcpt", "code": 451, "times": 2}.

        Code 0 cuts the connection; {} turns all faults off.
        """
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 10_000))
        if self.path != "/sandbox/faults":
            self._page(pages.page("Not here", ""), HTTPStatus.NOT_FOUND)
            return
        try:
            wish = json.loads(body or b"{}")
            fault = Fault(At(wish["at"]), int(wish["code"]), int(wish.get("times", 1))) if wish else None
        except (ValueError, KeyError, TypeError, AttributeError):
            self._send(b"no such fault\n", "text/plain; charset=utf-8", HTTPStatus.BAD_REQUEST)
            return
        if fault:
            self.faults.add(fault)
        else:
            self.faults.clear()
        self._json({"ok": True})

    def _mail(self, mail: StoredMail, rest: list[str], *, as_html: bool) -> None:
        if rest == ["html"] and mail.html:
            # A link inside the frame opens a window of its own: the portal refuses to be framed.
            document = mail.html.replace("<head>", '<head><base target="_blank">', 1)
            self._page(document, policy=MAIL_POLICY)
        else:
            self._page(pages.mail(mail, self.portal_url, as_html=as_html and bool(mail.html)))

    def _phone(self) -> None:
        now = time.time()
        try:
            secret = self.totp_file.read_text() if self.totp_file else ""
            shown = pages.phone(phone.code(secret, now), phone.seconds_left(now)) if secret.strip() else ""
        except (OSError, ValueError):
            shown = ""
        self._page(shown or pages.page("Phone", "<p>No authenticator is set up on this phone yet.</p>", refresh=5))

    def _page(self, text: str, status: HTTPStatus = HTTPStatus.OK, *, policy: str = PAGE_POLICY) -> None:
        self._send(text.encode(), "text/html; charset=utf-8", status, policy)

    def _json(self, value: object) -> None:
        self._send(json.dumps(value).encode(), "application/json")

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK, policy: str = PAGE_POLICY) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a page's address names a mailbox."""


def _as_json(mail: StoredMail) -> dict[str, object]:
    return {
        "id": mail.id,
        "from": mail.sender,
        "to": mail.recipient,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "headers": {name: str(value) for name, value in mail.message.items()},
    }
