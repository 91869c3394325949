"""The stand-in as one object: state, faults, journal, and the server around them."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import secrets
import ssl
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from . import passwords
from .api import Answer, Api, Call
from .faults import Dropped, Fault, Faults, canned
from .handler import Handler
from .state import MIB, Domain, Mailbox, State

LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True)
class JournalEntry:
    """One password stored by mailcow; `digest` is the SHA-256 of the stored text, to tell two apart."""

    time: float
    address: str
    scheme: str
    digest: str


class MailcowStandIn:
    """A mailcow on this machine: `with MailcowStandIn() as mailcow: Client(mailcow.url, mailcow.api_key)`.

    `port` 0 takes any free one. `state_file` keeps the state over a restart. `tls` is the pair of files
    (certificate, key) for https. `calls` holds the last thousand requests to the API, `journal` every
    password stored. Demo data comes by `add_domain` and `add_mailbox`, or over the API.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        api_key: str | None = None,
        state_file: Path | None = None,
        tls: tuple[Path, Path] | None = None,
        control_networks: tuple[str, ...] = LOOPBACK,
    ) -> None:
        self.api_key = api_key or "-".join(secrets.token_hex(3).upper() for _ in range(5))
        self.read_only_key = "-".join(secrets.token_hex(3).upper() for _ in range(5))
        self.lock = threading.RLock()
        self.state_file = state_file
        self.faults = Faults(self.keep)
        self.journal: list[JournalEntry] = []
        self.calls: deque[Call] = deque(maxlen=1000)
        self.control_networks = [ipaddress.ip_network(network) for network in control_networks]
        self.state = State.load(state_file) if state_file else State()
        self._api = Api(self.state, self.api_key, self.read_only_key, self._note)
        self._stored = threading.Condition(self.lock)
        self._recall()
        self._server = _Server((host, port), Handler)
        self._server.stand_in = self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(
                self._server.socket,
                server_side=True,
                do_handshake_on_connect=False,
            )
        self.url = f"{'https' if tls else 'http'}://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.faults.release()
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread until interrupted."""
        self._server.serve_forever()

    @property
    def mailboxes(self) -> dict[str, Mailbox]:
        """Rows by address; changing one is changing mailcow's database behind its back."""
        return self.state.mailboxes

    def add_domain(self, name: str, **columns: Any) -> Domain:
        """A domain in the database, roomy unless told otherwise."""
        row = Domain(name, **{"mailboxes": 100_000, "quota": 2 * 10**9 * MIB, **columns})
        self.state.domains[name] = row
        self.keep()
        return row

    def add_mailbox(self, address: str, **columns: Any) -> Mailbox:
        """A mailbox in the database, with a password nobody knows, made long ago; its domain comes along."""
        if address.rpartition("@")[2] not in self.state.domains:
            self.add_domain(address.rpartition("@")[2])
        row = Mailbox(address, **{"password": "{SSHA512}unusable", "quota": 1024 * MIB, **columns})
        row.attributes.setdefault("passwd_update", None)
        if "attributes" not in columns:
            row.attributes["passwd_update"] = "2020-01-01 00:00:00"
        self.state.mailboxes[address] = row
        self.keep()
        return row

    def reset(self) -> None:
        """Forget everything but the key."""
        with self.lock:
            self.state = self._api.state = State()
            self.journal.clear()
            self.calls.clear()
        self.faults.clear()

    def verify(self, address: str, password: str) -> bool:
        """Whether a mail program would get in with this password."""
        row = self.mailboxes.get(address.lower())
        domain = self.state.domains.get(row.domain) if row else None
        if row is None or domain is None or row.active != 1 or domain.active != 1:
            return False
        return passwords.verify(row.password, password)

    def ban(self, network: str, *, seconds: int = 1800) -> None:
        """Ban a network as netfilter does after ten wrong passwords."""
        with self.lock:
            self.state.bans[network] = int(time.time()) + seconds
        self.keep()

    def record_login(self, address: str, service: str) -> bool:
        """Note a login by imap, pop3, smtp or sso just now; False if there is no such mailbox or service."""
        row = self.mailboxes.get(address.lower())
        if row is None or service not in ("imap", "pop3", "smtp", "sso"):
            return False
        with self.lock:
            row.logins[service] = int(time.time())
        self.keep()
        return True

    def wait_for_passwords(self, count: int, seconds: float = 10) -> bool:
        """Wait until so many passwords were stored altogether; False when the time is over first."""
        with self._stored:
            return self._stored.wait_for(lambda: len(self.journal) >= count, seconds)

    def answer(self, call: Call) -> Answer:
        """The API's reply, with whatever fault is switched on. Raises Dropped."""
        self.calls.append(call)
        fault: Fault | None = None
        for taken in self.faults.take(write=call.is_write):
            if taken.kind == "slow":
                time.sleep(taken.argument)
            elif taken.kind == "hold":
                taken.argument.wait()
            else:
                fault = taken
        if fault is None:
            return self._performed(call)
        return self._misbehave(fault, call)

    def keep(self) -> None:
        """Write the state file, if there is one."""
        if self.state_file is not None:
            with self.lock:
                self.state.save(self.state_file)
                kept = {"faults": self.faults.pending(), "journal": [asdict(entry) for entry in self.journal]}
                self.state_file.with_suffix(".journal").write_text(json.dumps(kept), encoding="utf-8")

    def _recall(self) -> None:
        beside = self.state_file.with_suffix(".journal") if self.state_file else None
        if beside is not None and beside.exists():
            kept = json.loads(beside.read_text(encoding="utf-8"))
            self.faults.restore(kept["faults"])
            self.journal = [JournalEntry(**entry) for entry in kept["journal"]]

    def _note(self, address: str, stored: str) -> None:
        digest = hashlib.sha256(stored.encode()).hexdigest()
        with self._stored:
            self.journal.append(JournalEntry(time.time(), address, passwords.scheme_of(stored), digest))
            self._stored.notify_all()

    def _performed(self, call: Call) -> Answer:
        with self.lock:
            answer = self._api.answer(call)
        if answer.changed:
            self.keep()
        return answer

    def _misbehave(self, fault: Fault, call: Call) -> Answer:
        if fault.kind in ("drop_after_write", "deadlock"):
            self._performed(call)
        if fault.kind in ("drop_after_write", "down"):
            raise Dropped
        return canned(fault, call)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    stand_in: MailcowStandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that go away are part of the play."""
