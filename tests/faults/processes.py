"""Who works the outboxes off in bad weather: real Celery workers, reached by kill -9, STOP and CONT.

With Redis two workers of two pool processes each, else four workers of the embedded broker. They work on the database
of the running test and are rung for by it; an operator's systemd starts again what has ended.
"""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import redis
from celery import current_app
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F

from migration import breaker, pushes
from migration.mailings import outbox
from migration.models import FirstLogin, Mailbox, Mailing, Pace, Push, Target
from sandbox.mailhost import MailHost
from sandbox.processes import Processes
from tests.faults.proxy import Proxy, Strike
from tests.faults.secrecy import own_database_url
from tests.faults.watched import Watched

CALL_SECONDS = 1
# As long as a push can take that is alive.
PATIENCE_SECONDS = 3 * CALL_SECONDS + 1
READY = "ready."


class RealWorkers:
    """Four worker processes. What befalls them comes after so many calls to mailcow as the seed says."""

    def __init__(self, folder: Path, mailcow: Watched, wire: Proxy, host: MailHost) -> None:
        self._mailcow, self._wire = mailcow, wire
        self._processes = Processes(folder)
        self._with_redis = settings.CELERY_BROKER_URL.startswith("redis")
        self._environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_DATABASE_URL": own_database_url(),
            "PORTAL_MAILCOW_URL": wire.url,
            "PORTAL_MAILCOW_API_KEY": mailcow.api_key,
            "PORTAL_MAILCOW_CALL_SECONDS": str(CALL_SECONDS),
            "PORTAL_SOURCE_SMTP_HOST": "127.0.0.1",
            "PORTAL_SOURCE_SMTP_PORT": str(host.smtp_port),
            "PORTAL_MARK_FILE": str(folder / "mark"),
        }
        self._stopped: list[tuple[float, int]] = []
        self._minutes = 0.0
        self.killed = self.frozen = 0

    # --- What a move asks of its crew ---------------------------------------------------------------------------------

    def errands(self, chance: random.Random) -> list[Callable[[], object]]:
        return [partial(self._befall, random.Random(chance.getrandbits(64))), *[_ring_sweep] * chance.randint(1, 2)]

    def carry_out(self, mailbox: Mailbox, held: Strike) -> None:
        """They were rung for it: wait until it is held in the wire, has ended, or nobody takes it up."""
        open_ = Push.objects.filter(mailbox=mailbox, state__in=(*Push.OPEN, Push.State.IN_FLIGHT))
        _until(lambda: self._wire.holds(held) or not open_.exists(), CALL_SECONDS)

    def let_go(self, since_minutes: Callable[[float], bool]) -> None:
        for since, pid in list(self._stopped):
            if since_minutes(since):
                self._stopped.remove((since, pid))
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        self._start_what_ended()

    def pass_time(self, minutes: float) -> None:
        """Everything recorded is older, but what concerns a push in flight: its worker compares times right now.

        Events stay as they are, as the database demands.
        """
        _until(lambda: not (_is_due() or _in_hand()), 2 * CALL_SECONDS)
        for _ in range(5):
            with suppress(OperationalError):  # a worker wanted the same rows in another order
                _grow_older(self._mailcow, timedelta(minutes=minutes))
                break
        self._minutes += minutes

    def finish(self) -> None:
        """Until nothing is left, or what is left is a dead worker's, or waits for the breaker: nothing moves then."""
        _ring_sweep()
        before, began = _outboxes(), time.monotonic()
        while (_is_due() or _in_hand()) and time.monotonic() - began < PATIENCE_SECONDS:
            time.sleep(0.05)
            if before != (before := _outboxes()):
                began = time.monotonic()

    # --- Their life ---------------------------------------------------------------------------------------------------

    @contextmanager
    def at_work(self) -> Iterator["RealWorkers"]:
        """Start them, and end whatever is left of them."""
        (self._processes.folder / "logs").mkdir(parents=True, exist_ok=True)
        _forget_messages()
        try:
            for number in range(2 if self._with_redis else 4):
                self._start(f"worker{number}")
            _until(lambda: all(READY in self._processes.log(name) for name in self._processes.processes), 60)
            yield self
        finally:
            for name in list(self._processes.processes):
                self._processes.kill(name)

    def _start(self, name: str) -> None:
        pool = ("-P", "prefork", "-c", "2") if self._with_redis else ("-P", "threads", "-c", "1")
        command = ("celery", "-A", "portal", "worker", *pool, "--loglevel", "INFO", "--hostname", f"{name}@localhost")
        self._processes.start(
            name, *command, "--without-gossip", "--without-mingle", "--without-heartbeat", environment=self._environment
        )

    def _start_what_ended(self) -> None:
        for name, process in list(self._processes.processes.items()):
            if process.poll() is not None:
                self._start(name)

    def _befall(self, chance: random.Random) -> None:
        """Nothing, or kill -9 or STOP for one pool process or one whole worker, in the midst of its work."""
        calls = len(self._mailcow.answered) + chance.randint(0, 6)
        what, whole, name = chance.random(), chance.random() < 0.5, f"worker{chance.randrange(4)}"
        process = self._processes.processes.get(name)
        _until(lambda: len(self._mailcow.answered) >= calls, 1)
        if process is None or what > 0.75 or process.poll() is not None:
            return
        pid = process.pid
        if not whole:
            with suppress(psutil.Error):
                pid = chance.choice([pid, *(child.pid for child in psutil.Process(pid).children())])
        if what < 0.4:
            self.killed += 1
            if pid == process.pid:
                self._processes.kill(name)
                self._start(name)
            else:
                _signal(pid, signal.SIGKILL)
        elif len(self._stopped) < 2:
            self.frozen += 1
            self._stopped.append((self._minutes, pid))
            _freeze(pid)


def _signal(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)


def _freeze(pid: int) -> None:
    """Stop it, on SQLite at a moment when it does not hold the one lock there is for writing."""
    _signal(pid, signal.SIGSTOP)
    while connection.vendor == "sqlite" and not can_be_written(Path(connection.settings_dict["NAME"])):
        _signal(pid, signal.SIGCONT)
        time.sleep(0.05)
        _signal(pid, signal.SIGSTOP)


def can_be_written(database: Path) -> bool:
    """Whether nobody holds the one lock there is for writing to this SQLite database, for a second at least."""
    with closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        file.execute("ROLLBACK")
    return True


def _outboxes() -> list[tuple[Any, ...]]:
    """Every row of both and where it is."""
    return [row for model in (Push, Mailing) for row in model._default_manager.values_list("pk", "state", "lease")]


def _in_hand() -> bool:
    """Whether some worker has something in hand, dead or alive."""
    pushed = Push.objects.filter(state=Push.State.IN_FLIGHT).exists()
    return pushed or Mailing.objects.filter(state=Mailing.State.SENDING).exists()


def _is_due() -> bool:
    return bool(pushes.due().exists() or outbox.due())


def _ring_sweep() -> None:
    with suppress(OSError):
        current_app.send_task("migration.sweep", expires=60, ignore_result=True)


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until it holds, or so long. Returns whether it does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _forget_messages() -> None:
    """What other tests rang for is not this one's."""
    if settings.CELERY_BROKER_URL.startswith("redis"):
        redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    else:
        for message in Path(settings.DATA_DIR, "broker", "queue").glob("*"):
            message.unlink(missing_ok=True)


def _grow_older(mailcow: Watched, past: timedelta) -> None:
    with transaction.atomic():
        breaker.locked_target()  # nothing is claimed meanwhile
        in_flight = Push.objects.filter(state=Push.State.IN_FLIGHT).select_related("mailbox__domain")
        busy = {push.mailbox.address for push in in_flight}
        for push in Push.objects.exclude(confirmed_update="").select_related("mailbox__domain"):
            if push.mailbox.address not in busy:
                same = Push.objects.filter(pk=push.pk, confirmed_update=push.confirmed_update)
                same.update(confirmed_update=_earlier(push.confirmed_update, past))
        for address, row in mailcow.mailboxes.items():
            if address not in busy:
                row.attributes["passwd_update"] = _earlier(row.attributes["passwd_update"] or "", past)
        columns: dict[Any, tuple[str, ...]] = {
            Push: ("due_at", "lease_until", "created_at", "delivered_at", "write_open_at"),
            Mailing: ("due_at", "lease_until"),
            FirstLogin: ("created_at",),
            Pace: ("free_at", "woken_until"),
            Target: ("probe_after",),
        }
        for model, names in columns.items():
            model.objects.update(**{name: F(name) - past for name in names})


def _earlier(text: str, past: timedelta) -> str:
    return str(datetime.fromisoformat(text) - timedelta(seconds=round(past.total_seconds())))
