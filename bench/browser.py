"""A browser as lean as can be: one kept connection, cookies, redirects. What is measured are the servers, not this.

It runs on the same processors as they do, so it reads answers by itself: http.client takes ten times as long for one.
"""

import socket
from io import BufferedReader
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

FORM = "application/x-www-form-urlencoded"


class Page(NamedTuple):
    """Where the browser is now, and what stands there."""

    url: str
    status: int
    text: str


class Browser:
    """A visit to one server; raises RuntimeError for anything but a page in the end."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._host = urlsplit(server).netloc
        host, _, port = self._host.partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._answers = self._socket.makefile("rb")
        self._cookies: dict[str, str] = {}

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._answers.close()
        self._socket.close()

    def get(self, url: str) -> Page:
        """Open a page."""
        return self._arrive("GET", url, None)

    def post(self, url: str, fields: dict[str, str]) -> Page:
        """Send a form."""
        return self._arrive("POST", url, urlencode(fields))

    def _arrive(self, method: str, url: str, body: str | None) -> Page:
        path = url.removeprefix(self._server)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        if self._cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self._cookies.items()))
        if body is not None:
            lines += [f"Content-Type: {FORM}", f"Content-Length: {len(body)}"]
        try:
            self._socket.sendall("\r\n".join([*lines, "", body or ""]).encode())
            status, headers, text = _answer(self._answers)
        except (OSError, ValueError) as error:
            raise RuntimeError(f"{method} {path} got no answer: {error!r}") from error
        for cookie in headers.get("set-cookie", ()):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        if status == 302:
            return self.get(headers["location"][0])
        if status != 200:
            raise RuntimeError(f"{method} {path} gave {status}: {text[:500]}")
        return Page(path, status, text)


def _answer(stream: BufferedReader) -> tuple[int, dict[str, list[str]], str]:
    """Status, headers by their names in lower case, and body (RFC 9112). Raises ValueError for what is no answer."""
    status = int(stream.readline().partition(b" ")[2][:3])
    headers: dict[str, list[str]] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), []).append(value.strip())
    if "content-length" in headers:
        return status, headers, stream.read(int(headers["content-length"][0])).decode()
    chunks = []
    while size := int(stream.readline(), 16):
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return status, headers, b"".join(chunks).decode()
