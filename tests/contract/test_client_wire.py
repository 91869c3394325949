"""Our client against a server that misbehaves below HTTP: drips, cuts, floods, false certificates."""

from __future__ import annotations

import gzip
import ssl
from pathlib import Path

import pytest

from migration.mailcow.client import Client
from migration.mailcow.errors import MailcowError, Reason, Refused, Unknown

from . import certificates
from .raw_server import Connection, RawServer, Script, http

VERSION = http(b'{"version":"2026-07a"}')
HASH = "{SSHA512}" + "A" * 96
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def reason_of(url: str, call_timeout: float = 10, verify: bool | Path = True) -> tuple[type[MailcowError], Reason]:
    with Client(url, "key", call_timeout=call_timeout, verify=verify) as client, pytest.raises(MailcowError) as caught:
        client.version()
    return type(caught.value), caught.value.reason


def tls_context(files: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def dripping(start: bytes, then: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(start)
        connection.drip(then)

    return script


def saying(*answers: bytes) -> Script:
    """Answer each request of a connection in turn, then close it."""

    def script(connection: Connection) -> None:
        for answer in answers:
            if connection.request():
                connection.send(answer)

    return script


DRIPS = {
    "headers": dripping(b"", b"HTTP/1.1 200 OK\r\nX-Slow: aaa"),
    "body with length": dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b'{"version":"2026-07a"} '),
    "body without length": dripping(HEAD + b"\r\n", b'{"version":"2026-07a"} '),
    "last body of a connection": dripping(HEAD + b"Connection: close\r\nContent-Length: 9999\r\n\r\n", b"{ "),
    "chunks": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2000\r\n", b"{ "),
    "many early hints": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
}


@pytest.mark.parametrize("script", DRIPS.values(), ids=DRIPS)
def test_a_drip_does_not_outlast_the_deadline(script: Script) -> None:
    with RawServer(script) as server:
        assert reason_of(server.url, call_timeout=0.4) == (Unknown, Reason.TIMEOUT)


def test_a_drip_inside_tls_does_not_outlast_the_deadline(tmp_path: Path) -> None:
    files = certificates.make(tmp_path)

    with RawServer(DRIPS["body without length"], tls_context(files)) as server:
        assert reason_of(server.url, call_timeout=0.4, verify=files[0]) == (Unknown, Reason.TIMEOUT)


def test_a_drip_in_the_handshake_does_not_outlast_the_deadline() -> None:
    def script(connection: Connection) -> None:
        connection.drip(b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc")

    with RawServer(script) as server:
        url = server.url.replace("http:", "https:")
        assert reason_of(url, call_timeout=0.4) == (Unknown, Reason.TIMEOUT)


def test_silence_does_not_outlast_the_deadline() -> None:
    with RawServer(lambda connection: connection.drip(b"") if connection.request() else None) as server:
        assert reason_of(server.url, call_timeout=0.4) == (Unknown, Reason.TIMEOUT)


CUTS = {
    "chunk cut": HEAD + b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"version":',
    "chunk without length": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "shorter than said": HEAD + b'Content-Length: 500\r\n\r\n{"version":"2026-07a"}',
    "not HTTP": b"220 mail.example ESMTP\r\n",
    "header too long": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n{}",
    "closed at once": b"",
}


@pytest.mark.parametrize("answer", CUTS.values(), ids=CUTS)
def test_a_broken_reply_is_unknown(answer: bytes) -> None:
    with RawServer(saying(answer)) as server:
        assert reason_of(server.url) == (Unknown, Reason.CONNECTION_LOST)


def test_a_reply_cut_in_its_headers_is_unknown() -> None:
    with RawServer(saying(b"HTTP/1.1 200 OK\r\nContent-Ty")) as server:
        assert reason_of(server.url)[0] is Unknown


def test_an_endless_body_is_read_up_to_the_limit() -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(HEAD + b"\r\n")
        while True:  # until the client hangs up
            connection.send(b" " * 65536)

    with RawServer(script) as server:
        assert reason_of(server.url) == (Unknown, Reason.TOO_LARGE)


def test_an_endless_redirect_is_not_read_at_all() -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Type: text/html\r\n\r\n")
        while True:
            connection.send(b" " * 65536)

    with RawServer(script) as server:
        assert reason_of(server.url) == (Refused, Reason.REDIRECTED)
        assert len(server.requests) == 1


def test_a_redirect_to_nonsense_is_a_redirect() -> None:
    with RawServer(saying(http(b"", "308 Permanent Redirect", "text/html", "Location: http://[::1"))) as server:
        assert reason_of(server.url) == (Refused, Reason.REDIRECTED)


def test_compressed_bodies_are_not_unpacked() -> None:
    bomb = gzip.compress(b"[" * 50_000_000, compresslevel=1)

    with RawServer(saying(http(bomb, "200 OK", "application/json", "Content-Encoding: gzip"))) as server:
        assert reason_of(server.url) == (Unknown, Reason.NOT_JSON)


def test_calls_share_one_connection() -> None:
    with RawServer(saying(VERSION, VERSION, VERSION)) as server, Client(server.url, "key") as client:
        for _ in range(3):
            client.version()

        assert server.connections == 1


def closing_after(answers: int) -> Script:
    """Each connection answers so many requests, takes one more and hangs up."""
    return saying(*[VERSION] * answers, b"")


def test_a_read_on_a_connection_just_closed_is_made_once_more() -> None:
    with RawServer(closing_after(1)) as server, Client(server.url, "key") as client:
        client.version()

        assert client.version() == "2026-07a"
        assert len(server.requests) == 3


def test_a_read_on_a_fresh_connection_is_not_repeated() -> None:
    with RawServer(closing_after(0)) as server:
        assert reason_of(server.url) == (Unknown, Reason.CONNECTION_LOST)
        assert len(server.requests) == 1


def test_a_write_on_a_connection_just_closed_is_not_repeated() -> None:
    with RawServer(closing_after(1)) as server, Client(server.url, "key") as client:
        client.version()

        with pytest.raises(Unknown) as caught:
            client.set_password("anna@demo.example", HASH, attribute_hash="")

        assert caught.value.reason is Reason.CONNECTION_LOST
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("name", "expired", "trusted"), [("localhost", False, False), ("localhost", True, True), ("other", False, True)]
)
def test_a_false_certificate_opens_the_breaker(tmp_path: Path, name: str, expired: bool, trusted: bool) -> None:
    files = certificates.make(tmp_path, name, expired=expired)

    with RawServer(saying(VERSION), tls_context(files)) as server:
        assert reason_of(server.url, verify=files[0] if trusted else True) == (Refused, Reason.TLS)
        assert server.requests == [], "the key must not reach a stranger"


def test_a_certificate_of_a_named_authority_is_taken(tmp_path: Path) -> None:
    files = certificates.make(tmp_path)

    with RawServer(saying(VERSION), tls_context(files)) as server, Client(server.url, "key", verify=files[0]) as client:
        assert client.version() == "2026-07a"


def test_authorities_of_the_environment_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = certificates.make(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files[0]))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(files[0]))

    with RawServer(saying(VERSION), tls_context(files)) as server:
        assert reason_of(server.url) == (Refused, Reason.TLS)


def test_plain_http_where_tls_was_expected_opens_the_breaker() -> None:
    with RawServer(lambda connection: connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        assert reason_of(server.url.replace("http:", "https:")) == (Refused, Reason.TLS)
