"""A browser as lean as can be: one kept connection, cookies, redirects. What is measured are the servers, not this."""

from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Page(NamedTuple):
    """Where the browser is now, and what stands there."""

    url: str
    status: int
    text: str


class Browser:
    """A visit to one server; raises RuntimeError for anything but a page in the end."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._connection = HTTPConnection(urlsplit(server).netloc, timeout=30)
        self._cookies: dict[str, str] = {}

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, url: str) -> Page:
        """Open a page."""
        return self._arrive("GET", url, None)

    def post(self, url: str, fields: dict[str, str]) -> Page:
        """Send a form."""
        return self._arrive("POST", url, urlencode(fields))

    def _arrive(self, method: str, url: str, body: str | None) -> Page:
        path = url.removeprefix(self._server)
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        try:
            self._connection.request(method, path, body, (FORM if body else {}) | (cookies if self._cookies else {}))
            response = self._connection.getresponse()
            text = response.read().decode()
        except (OSError, HTTPException) as error:
            raise RuntimeError(f"{method} {path} got no answer: {error!r}") from error
        for cookie in response.headers.get_all("Set-Cookie", ()):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        if response.status == 302:
            return self.get(response.headers["Location"])
        if response.status != 200:
            raise RuntimeError(f"{method} {path} gave {response.status}: {text[:500]}")
        return Page(path, response.status, text)
