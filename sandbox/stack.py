"""The whole of Umzug and the world around it as processes on this machine: for the demo, its check, tests and bench.

    stand-ins   mailcow, the old mail server (with the staff member's phone), a name server
    Umzug       web (gunicorn), worker, beat

Everything lives below one folder and listens on 127.0.0.1 only. A second start finds its data there.
"""

import base64
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import requests

from migration.secrets import new_key_line

from .processes import ROOT, START_SECONDS, Processes, StackError, free_port

__all__ = ["ROOT", "Ports", "Stack", "StackError", "free_port"]


@dataclass
class Ports:
    """Where each part listens. The defaults are the demo's; `Ports.free()` is for everything that runs beside it."""

    portal: int = 8000
    mailhost: int = 8025
    smtp: int = 2525
    mailcow: int = 8090
    dns: int = 8053

    @classmethod
    def free(cls) -> Self:
        """Ports that are free right now."""
        return cls(*(free_port() for _ in range(5)))


@dataclass
class Stack(Processes):
    """Start, ask, and stop the parts. `database_url` and `broker_url` default to the embedded ones."""

    ports: Ports = field(default_factory=Ports)
    database_url: str = ""
    broker_url: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def portal(self) -> str:
        """Where owners and staff go. `localhost`, because browsers trust that name with cookies and passkeys."""
        return f"http://localhost:{self.ports.portal}"

    @property
    def mailhost(self) -> str:
        """The old mailboxes in the browser."""
        return f"http://localhost:{self.ports.mailhost}"

    @property
    def mailcow(self) -> str:
        """The stand-in for mailcow."""
        return f"http://localhost:{self.ports.mailcow}"

    def secret(self, name: str) -> str:
        """The content of one of the secret files."""
        return (self.folder / "secrets" / name).read_text().strip()

    def prepare(self) -> bool:
        """Make the folder and its secrets. Returns False when they were there already."""
        os.umask(0o077)
        secret_files: dict[str, Callable[[], str]] = {
            "secret_key": lambda: secrets.token_urlsafe(50),
            "key_ring": lambda: new_key_line("demo"),
            "mailcow_api_key": lambda: "-".join(secrets.token_hex(3).upper() for _ in range(5)),
            "totp_secret": lambda: base64.b32encode(secrets.token_bytes(20)).decode(),
        }
        folder = self.folder / "secrets"
        fresh = not folder.exists()
        for name in ("secrets", "logs", "mails"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name, make in secret_files.items():
            if not (folder / name).exists():
                (folder / name).write_text(make() + "\n")
        return fresh

    def environment(self, *, worker: bool = False) -> dict[str, str]:
        """The settings as a process gets them. Only the worker knows mailcow's key."""
        own = {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DATA_DIR": str(self.folder),
            "PORTAL_BASE_URL": self.portal,
            "PORTAL_SECRET_KEY_FILE": str(self.folder / "secrets" / "secret_key"),
            "PORTAL_KEY_RING_FILE": str(self.folder / "secrets" / "key_ring"),
            "PORTAL_STATIC_FROM_SOURCE": "1",
            "PORTAL_SOURCE_SMTP_HOST": "127.0.0.1",
            "PORTAL_SOURCE_SMTP_PORT": str(self.ports.smtp),
            "PORTAL_SOURCE_SMTP_SECURITY": "none",
            "PORTAL_MAILCOW_URL": f"http://127.0.0.1:{self.ports.mailcow}",
            # The stand-in has no page for owners; its own page shows whose password it has.
            "PORTAL_TARGET_USER_URL": self.mailcow,
            "PORTAL_DNS_SERVERS": f"127.0.0.1:{self.ports.dns}",
            "PORTAL_DNS_CLIENT_HOST": "mailcow.iteg.at",
            "PORTAL_MAILS_PER_MINUTE": "600",
            "PORTAL_SWEEP_SECONDS": "5",
            "PORTAL_LOG_FORMAT": "console",
        }
        if worker:
            own["PORTAL_MAILCOW_API_KEY_FILE"] = str(self.folder / "secrets" / "mailcow_api_key")
        if self.database_url:
            own["PORTAL_DATABASE_URL"] = self.database_url
        if self.broker_url:
            own["PORTAL_BROKER_URL"] = self.broker_url
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        return inherited | own | self.settings

    def start_world(self) -> None:
        """Start the stand-ins. Raises StackError when a port is taken, also by another demo."""
        for part, port in vars(self.ports).items():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    raise StackError(f"port {port} ({part}) is taken: is another demo running?")
        files = self.folder / "secrets"
        self._launch(
            "mailcow",
            *("sandbox.mailcow", "--port", str(self.ports.mailcow), "--state", str(self.folder / "mailcow.json")),
            *("--api-key-file", str(files / "mailcow_api_key")),
        )
        self._launch(
            "mailhost",
            *("sandbox.mailhost", "--smtp-port", str(self.ports.smtp), "--http-port", str(self.ports.mailhost)),
            *("--folder", str(self.folder / "mails"), "--totp-secret-file", str(files / "totp_secret")),
            *("--portal-url", self.portal),
        )
        self._launch("dns", "sandbox.nameserver", "--port", str(self.ports.dns))
        self.wait_for("mailcow", f"{self.mailcow}/")
        self.wait_for("mailhost", f"{self.mailhost}/")

    def start_web(self, *, workers: int = 1) -> None:
        """Start gunicorn and wait until it answers."""
        self._launch(
            "web",
            *("gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{self.ports.portal}", "--workers", str(workers)),
            *("--threads", "8", "--no-control-socket", "--log-level", "warning"),
        )
        self.wait_for("web", f"{self.portal}/healthz")

    def start_worker(self) -> None:
        """Start the Celery worker: threads with the embedded broker, processes with Redis."""
        pool = ["-P", "prefork", "-c", "2"] if self.broker_url else ["-P", "threads", "-c", "4"]
        command = ["celery", "-A", "portal", "worker", *pool, "--loglevel", "INFO"]
        self._launch("worker", *command, "--without-gossip", "--without-mingle", worker=True)

    def start_beat(self) -> None:
        """Start the clock of the sweep."""
        (self.folder / "beat.pid").unlink(missing_ok=True)
        command = ["celery", "-A", "portal", "beat", "--loglevel", "WARNING"]
        self._launch("beat", *command, "--pidfile", str(self.folder / "beat.pid"))

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end and return what it printed. Raises StackError when it fails."""
        return self._run(str(ROOT / "manage.py"), *arguments)

    def seed(self, step: str, **settings: str) -> str:
        """Run a step of `sandbox.seed` with these settings. Raises StackError when it fails."""
        return self._run("-m", "sandbox.seed", str(self.folder), self.mailcow, step, **settings)

    def mails(self, address: str) -> list[dict[str, str]]:
        """The mails an old mailbox holds, oldest first."""
        found: list[dict[str, str]] = requests.get(
            f"{self.mailhost}/sandbox/mails.json", params={"to": address}, timeout=5
        ).json()
        return found

    def await_mail(self, address: str, *, count: int = 1) -> None:
        """Wait until an old mailbox holds so many mails. Raises StackError when they do not come."""
        deadline = time.monotonic() + START_SECONDS
        while len(self.mails(address)) < count:
            if time.monotonic() > deadline:
                raise StackError(f"no mail for {address}:\n{self.log('worker')[-2000:]}")
            time.sleep(0.2)

    def _launch(self, name: str, *module: str, worker: bool = False) -> None:
        self.start(name, *module, environment=self.environment(worker=worker))

    def _run(self, *arguments: str, **settings: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment() | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            raise StackError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout
