"""A server that says exactly the bytes a test gives it: for what no HTTP library would send."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Self

Script = Callable[["Connection"], None]


class Connection:
    """One accepted connection, as a test's script sees it."""

    def __init__(self, server: RawServer, peer: socket.socket, number: int) -> None:
        self._server = server
        self._peer = peer
        self.number = number

    def request(self) -> bytes:
        """The next request, whole; empty when the client has closed the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._peer.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += self._peer.recv(65536)
        self._server.requests.append(head + b"\r\n\r\n" + body)
        return self._server.requests[-1]

    def send(self, data: bytes) -> None:
        self._peer.sendall(data)

    def drip(self, data: bytes) -> None:
        """One byte every twentieth of a second, for ever repeating the last one."""
        position = 0
        while not self._server.over.wait(0.05):
            self.send(data[position : position + 1])
            position = min(position + 1, len(data) - 1)


class RawServer:
    """`with RawServer(script) as server:` runs the script for every connection to `server.url`."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = f"{'https' if tls else 'http'}://localhost:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_error: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, peer, self.connections)

    def _serve(self, peer: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.closing(peer):
            peer.settimeout(5)
            if self._tls:
                with self._tls.wrap_socket(peer, server_side=True) as inner:
                    self._script(Connection(self, inner, number))
            else:
                self._script(Connection(self, peer, number))


def http(body: bytes, status: str = "200 OK", content_type: str = "application/json", *headers: str) -> bytes:
    """A plain HTTP reply with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
