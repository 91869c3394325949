"""A transport for `requests` that keeps a deadline for the whole call.

The timeouts of `requests` are per read, so a server sending one byte a second holds a call for ever. Here a
watchman shuts the connection down when the call's time is over, whatever it is doing: handshake, headers or
body.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
import time
from typing import Any, Self

import requests.adapters
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_running = threading.local()


class _Watchman:
    """One thread that ends every call whose time is over; a thread for each call would cost more than the call's rest.

    He sleeps until the first deadline he knows, so one that is later than that need not wake him.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: set[Deadline] = set()
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._watched.add(deadline)
            if self._thread is None:
                self._thread = threading.Thread(target=self._walk, name="mailcow-deadlines", daemon=True)
                self._thread.start()
            elif deadline.at < self._wakes_at:
                self._changed.notify()

    def remove(self, deadline: Deadline) -> None:
        with self._changed:
            self._watched.discard(deadline)

    def _walk(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for deadline in [one for one in self._watched if one.at <= now]:
                    self._watched.discard(deadline)
                    deadline.end()
                self._wakes_at = min((one.at for one in self._watched), default=math.inf)
                self._changed.wait(None if self._wakes_at == math.inf else self._wakes_at - now)


_watchman = _Watchman()


def _new_watchman() -> None:
    """A forked process has no other threads, and a lock may have been held by one of them."""
    global _watchman  # noqa: PLW0603
    _watchman = _Watchman()


os.register_at_fork(after_in_child=_new_watchman)


class Deadline:
    """Bounds every call this thread makes through `Transport` inside `with Deadline(seconds) as deadline`.

    Looking up the host name is not bounded; it happens before there is a connection to shut down.
    """

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.passed = False
        """The time was over before the call was."""
        self.reused = False
        """The call went over a connection that an earlier call had opened."""

    def __enter__(self) -> Self:
        _running.deadline = self
        _watchman.add(self)
        return self

    def __exit__(self, *_error: object) -> None:
        _watchman.remove(self)
        _running.deadline = None
        with self._lock:
            self._let_go()

    def watch(self, descriptor: int, *, reused: bool) -> None:
        """End this connection when the time is over.

        The descriptor is copied, since TLS and the pool take away or close theirs.
        """
        with self._lock:
            self._let_go()
            self._socket, self.reused = socket.socket(fileno=os.dup(descriptor)), reused
            if self.passed:
                self._shut_down()

    def end(self) -> None:
        """The time is over: shut down whatever the call waits for."""
        with self._lock:
            self.passed = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Watched(HTTPConnection):
    """A connection that the running deadline may end, from its first byte on."""

    _used = False

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        _show(connection, reused=False)
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            _show(self.sock, reused=self._used)
        self._used = True
        super().request(*args, **kwargs)

    def close(self) -> None:
        self._used = False
        super().close()


def _show(connection: socket.socket, *, reused: bool) -> None:
    deadline: Deadline | None = getattr(_running, "deadline", None)
    if deadline is not None:
        deadline.watch(connection.fileno(), reused=reused)


class _WatchedTLS(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


class Transport(requests.adapters.HTTPAdapter):
    """`requests`' own transport over connections that a Deadline can end. It never repeats a call."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put the watched connections in place of the plain ones."""
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}

    def close(self) -> None:
        """Close the kept connections now; urllib3 alone would leave that to the garbage collector."""
        pools = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118  (urllib3's container refuses to be iterated)
            pool = pools.get(key)
            if pool is not None:
                pool.close()
        super().close()
