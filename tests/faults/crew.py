"""Who works the outboxes off in bad weather: four threads of this process, killed and frozen at a step of a push."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Protocol

from django.db import connection
from django.db.models import F

from migration import delivery, pushes
from migration.mailcow.client import Client
from migration.mailings import outbox
from migration.models import FirstLogin, Mailbox, Mailing, Push
from sandbox.mailcow import MailcowStandIn
from tests.faults.proxy import Strike
from tests.pushing import Interrupted, time_passes
from tests.racing import at_once

WORKERS = 4


class Crew(Protocol):
    """What a move needs of its workers."""

    def errands(self, chance: random.Random) -> list[Callable[[], object]]:
        """What they do in one round, beside everybody else."""

    def carry_out(self, mailbox: Mailbox, held: Strike) -> None:
        """Let the mailbox's newest push be tried now: until it has arrived, failed, or is held in the wire."""

    def let_go(self, since_minutes: Callable[[float], bool]) -> None:
        """Wake up the frozen of whom this is true, told the minute they froze."""

    def pass_time(self, minutes: float) -> None:
        """Everything recorded is so much older."""

    def finish(self) -> None:
        """Sweep, and work until nothing is due."""


class Killed(BaseException):
    """A worker's end in the midst of its work."""


class Threads:
    """Workers that are told when to end: each step of a push can be hit."""

    def __init__(self, mailcow: MailcowStandIn) -> None:
        self._mailcow = mailcow
        self._frozen: list[tuple[float, threading.Event, threading.Thread]] = []
        self._minutes = 0.0

    def errands(self, chance: random.Random) -> list[Callable[[], object]]:
        workers = [partial(self._worker, random.Random(chance.getrandbits(64))) for _ in range(WORKERS)]
        return [*workers, *[_sweep] * chance.randint(0, 2)]

    def carry_out(self, mailbox: Mailbox, held: Strike) -> None:  # noqa: ARG002 - nobody else takes it here
        open_ = Push.objects.filter(mailbox=mailbox, state__in=Push.OPEN).values_list("pk", flat=True).first()
        if open_:
            pushes.work(open_, at_most=1)

    def let_go(self, since_minutes: Callable[[float], bool]) -> None:
        for frozen in list(self._frozen):
            since, thaw, thread = frozen
            if since_minutes(since):
                self._frozen.remove(frozen)
                thaw.set()
                thread.join()

    def pass_time(self, minutes: float) -> None:
        time_passes(self._mailcow, minutes=minutes)
        how_long = timedelta(minutes=minutes)
        Mailing.objects.update(due_at=F("due_at") - how_long, lease_until=F("lease_until") - how_long)
        FirstLogin.objects.update(created_at=F("created_at") - how_long)
        self._minutes += minutes

    def finish(self) -> None:
        at_once(*[_sweep_and_work] * 2)

    def _worker(self, chance: random.Random) -> None:
        fate = chance.random()
        if fate > 0.25:
            pushes.work()
        elif claimed := pushes.claim():
            at, after = chance.randint(1, 3), chance.random() < 0.5
            if fate < 0.1:
                self._freeze(claimed, at, after=after)
            else:
                with suppress(Killed):
                    delivery.deliver(claimed, Interrupted.client(at, _die, after=after))

    def _freeze(self, claimed: Push, at: int, *, after: bool) -> None:
        """A worker that stands still, and goes on when others have had its push for long."""
        thaw, asleep = threading.Event(), threading.Event()

        def sleep() -> None:
            asleep.set()
            thaw.wait()

        def work() -> None:
            mailcow: Client = Interrupted.client(at, sleep, after=after)
            try:
                delivery.deliver(claimed, mailcow)
            finally:
                asleep.set()
                connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        asleep.wait()
        self._frozen.append((self._minutes, thaw, thread))


def _sweep() -> None:
    pushes.reap_leases()
    for pk in outbox.due():
        outbox.send(pk)


def _sweep_and_work() -> None:
    _sweep()
    while pushes.work():
        pass


def _die() -> None:
    raise Killed
