"""A wire that misbehaves: a TCP proxy between a client and a server, with faults that a test switches on.

    with Proxy("127.0.0.1", mailcow_port) as wire:
        wire.strike("cut", when=b"POST /api")     # the server does it, the client never hears of it
        wire.down()                               # nobody listens any more

A fault waits until a client says `when`, on whichever connection, and then befalls that connection once.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Self

Kind = Literal["delay", "cut", "cut_in_reply", "cut_before", "hold"]
WRITE = b"POST /api/v1/edit/mailbox"
DOT = b"\r\n.\r\n"
_HTTP_STATUS_LINE = 15


@dataclass(eq=False)
class Strike:
    """One fault that is still to come.

    delay         what was said travels so many seconds later
    cut           the server hears it; its reply is thrown away and the connection ends
    cut_in_reply  as cut, but the reply's first bytes arrive
    cut_before    the connection ends before the server hears it
    hold          the server hears it when `released` is set, even if the client has gone; then `landed` is set
    """

    kind: Kind
    when: bytes
    seconds: float = 0
    released: threading.Event = field(default_factory=threading.Event)
    landed: threading.Event = field(default_factory=threading.Event)


class Proxy:
    """Listens on a port of its own on 127.0.0.1 and passes everything to `host`:`port`."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._lock = threading.Lock()
        self._strikes: list[Strike] = []
        self._held: list[Strike] = []
        self._wires: set[_Wire] = set()
        self.struck = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.is_up = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(self, *_error: object) -> None:
        self.clear()
        self.down()

    def strike(self, kind: Kind, *, when: bytes = WRITE, seconds: float = 0, times: int = 1) -> Strike:
        """Let this happen the next times a client says `when`; returns the last of them."""
        with self._lock:
            self._strikes += [Strike(kind, when, seconds) for _ in range(times)]
            return self._strikes[-1]

    def release(self, strike: Strike) -> bool:
        """Let go on what this holds, or forget it if nobody came. Returns whether it held something."""
        with self._lock:
            if strike in self._strikes:
                self._strikes.remove(strike)
            strike.released.set()
            return strike in self._held

    def holds(self, strike: Strike) -> bool:
        """Whether somebody came whom this holds."""
        with self._lock:
            return strike in self._held

    def calm(self) -> None:
        """Pass everything that comes from now on; what is held stays held."""
        with self._lock:
            self._strikes.clear()

    def clear(self) -> None:
        """Pass everything again; what is held goes on."""
        with self._lock:
            self._strikes.clear()
            for strike in self._held:
                strike.released.set()

    def cut_all(self) -> None:
        """End every connection there is."""
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            wire.cut()

    def down(self) -> None:
        """Refuse connections, and end those there are."""
        if self.is_up:
            self.is_up = False
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self.cut_all()

    def up(self) -> None:
        """Listen again, on the same port."""
        if not self.is_up:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.is_up = True
            self._listen()

    def due(self, said: bytes) -> Strike | None:
        """The first fault that was waiting for these words; it is used up."""
        with self._lock:
            found = next((strike for strike in self._strikes if strike.when in said), None)
            if found:
                self._strikes.remove(found)
                self.struck += 1
                if found.kind == "hold":
                    self._held.append(found)
            return found

    def forget(self, wire: "_Wire") -> None:
        with self._lock:
            self._wires.discard(wire)

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), name="proxy", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection(self._upstream, timeout=10)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                wire = _Wire(self, client, server)
                with self._lock:
                    self._wires.add(wire)
                wire.start()


class _Wire:
    """One connection, a thread for each direction."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._reply_left: int | None = None
        self._held: Strike | None = None
        self._directions = 2
        self._ending = threading.Lock()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for direction in (self._upward, self._downward):
            threading.Thread(target=self._run, args=(direction,), name="proxy-wire", daemon=True).start()

    def cut(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._proxy.forget(self)

    def _run(self, direction: Callable[[], None]) -> None:
        try:
            direction()
        except OSError:
            self.cut()
        with self._ending:
            self._directions -= 1
            if self._directions == 0:
                self._client.close()
                self._server.close()

    def _upward(self) -> None:
        said = b""
        while piece := self._client.recv(65536):
            said = (said + piece)[-65536 - len(piece) :]
            # What was held goes on: the rest of it is nobody else's to hold, or it would be under way for too long.
            if self._held is None and (strike := self._proxy.due(said)):
                said = b""
                if strike.kind == "cut_before":
                    self.cut()
                    return
                if strike.kind == "delay":
                    time.sleep(strike.seconds)
                elif strike.kind == "hold":
                    strike.released.wait()
                    self._held = strike
                else:
                    self._reply_left = _HTTP_STATUS_LINE if strike.kind == "cut_in_reply" else 0
            self._server.sendall(piece)
        self._server.shutdown(socket.SHUT_WR)

    def _downward(self) -> None:
        while piece := self._server.recv(65536):
            if self._reply_left is not None:
                with suppress(OSError):
                    self._client.sendall(piece[: self._reply_left])
                break
            self._note_landing()
            with suppress(OSError):  # the client has gone; the server is heard to its end all the same
                self._client.sendall(piece)
        self._note_landing()
        self.cut()

    def _note_landing(self) -> None:
        if self._held:
            self._held.landed.set()
