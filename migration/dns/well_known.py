"""Fetch one page of a domain's web server, warily: whoever has the domain chooses what we connect to.

https only, by a name whose addresses are all of the internet's, to the very address that was looked at; no redirect is
followed, no proxy asked, little is read, and all of it within seconds (OWASP SSRF; ASVS 5.0, 1.3.6).
"""

import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .lookup import Lookup
from .servers import is_public

CONNECT_SECONDS = 4.0
WHOLE_SECONDS = 8.0
BYTES_AT_MOST = 64 * 1024
# Mozilla's config-v1.1.xml has <hostname>, Outlook's autodiscover.xml <Server>. No XML parser: strangers wrote it.
_HOSTS = re.compile(rb"<(?:hostname|server)>\s*([A-Za-z0-9.-]{1,253})\s*</", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """What came. `hosts`: the mail servers it names. `failure`: why nothing came, a key of `words.FAILURES`."""

    status: int = 0
    hosts: tuple[str, ...] = ()
    moved_to: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Fetcher:
    """Fetches pages, each within so many `seconds`.

    `may_connect` says to which addresses; `port` and `context` are for tests on one machine.
    """

    lookup: Lookup
    may_connect: Callable[[str], bool] = is_public
    port: int = 443
    context: ssl.SSLContext | None = None
    seconds: float = WHOLE_SECONDS

    def get(self, host: str, path: str) -> Page:
        """The page, or why there is none. A host without an address has no page: status 404."""
        answer = self.lookup.addresses(host)
        if answer.failure:
            return Page(failure=answer.failure)
        if not answer.values:
            return Page(status=404)
        if not all(map(self.may_connect, answer.values)):
            return Page(failure="private")
        try:
            return self._fetched(host, answer.values[0], path)
        except (OSError, ValueError) as error:
            return Page(failure=_why(error))

    def _fetched(self, host: str, address: str, path: str) -> Page:
        ends = time.monotonic() + self.seconds
        context = self.context or ssl.create_default_context()
        plain = socket.create_connection((address, self.port), timeout=CONNECT_SECONDS)
        with plain, context.wrap_socket(plain, server_hostname=host) as wire:
            lines = (f"GET {path} HTTP/1.0", f"Host: {host}", "User-Agent: Umzug", "Accept: */*", "", "")
            wire.sendall("\r\n".join(lines).encode("ascii"))
            head, _gap, body = _read(wire, ends).partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        if not found:
            raise ValueError("no answer of a web server")
        moved = re.search(rb"\r\nlocation:[ \t]*([!-~]{1,500})", head, re.IGNORECASE)
        hosts = {name.decode("ascii").lower() for name in _HOSTS.findall(body)}
        return Page(int(found[1]), tuple(sorted(hosts)), _host_of(moved[1]) if moved else "")


def _read(wire: ssl.SSLSocket, ends: float) -> bytes:
    content = b""
    while len(content) < BYTES_AT_MOST:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        wire.settimeout(min(left, CONNECT_SECONDS))
        try:
            more = wire.recv(8192)
        except ssl.SSLEOFError:
            break
        if not more:
            break
        content += more
    return content


def _why(error: Exception) -> str:
    for kind, failure in ((ssl.SSLError, "tls"), (TimeoutError, "timeout"), (OSError, "network")):
        if isinstance(error, kind):
            return failure
    return "broken"


def _host_of(location: bytes) -> str:
    return (urlsplit(location.decode("ascii")).hostname or "")[:253]
