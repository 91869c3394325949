"""A move in bad weather: owners, workers, support, an old server and a mailcow, with troubles drawn by a seed.

Real verbs on the real database, several threads at once, mailcow behind a wire that misbehaves. Time is virtual:
everything recorded grows older between two rounds.
"""

import random
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import F

from migration import delivery, mailboxes, pushes
from migration.mailcow.client import Client
from migration.mailings import outbox
from migration.models import FirstLogin, Mailbox, Mailing, Push, Target
from migration.refusals import VerbRefused
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import At, MailHost
from tests import factories
from tests.faults.proxy import Proxy, Strike
from tests.pushing import Interrupted, time_passes
from tests.racing import at_once

WORKERS = 4
READ = b"GET /api"
# mailcow lets a request run for an hour: whatever is held in the wire lands before that.
LATEST_MINUTES = 55
STAFF = "staff:eva@provider.example"
# Seventy in all: the last look at a password that may be overtaken is 65 minutes after it was delivered.
QUIET_MINUTES = (1, 4, 5, 5, 10, 20, 20, 5)


class Killed(BaseException):
    """A worker's end in the midst of its work."""


class Move:
    """One domain on its way. `saved[mailbox][version]` is every password hash an owner saw as saved."""

    def __init__(self, seed: int, mailcow: MailcowStandIn, wire: Proxy, host: MailHost, *, size: int) -> None:
        self.chance = random.Random(seed)
        self.mailcow, self.wire, self.host = mailcow, wire, host
        self.domain = factories.make_domain("demo.example")
        self.saved: dict[int, dict[int, str]] = defaultdict(dict)
        self.troubles = 0
        self._held: list[tuple[float, Strike]] = []
        self._frozen: list[tuple[float, threading.Event, threading.Thread]] = []
        self._minutes = 0.0
        for number in range(size):
            mailbox = factories.make_mailbox(f"m{number}", domain=self.domain)
            mailcow.add_mailbox(mailbox.address)
        mailboxes.invite_all(self.domain, actor=STAFF)

    def round(self) -> None:
        """Some trouble, and everybody at once; then some time passes."""
        self._make_trouble()
        delivered = {mail.recipient for mail in self.host.mails()}
        invited = [box for box in Mailbox.objects.select_related("domain") if box.address in delivered]
        owners = self.chance.sample(invited, k=min(len(invited), self.chance.randint(2, 8)))
        # Who has just been told "saved" while mailcow is silent saves again: the quick change that may be overtaken.
        silent = Push.objects.filter(write_open_at__isnull=False, mailbox__in=invited).values_list("mailbox", flat=True)
        owners += [box for box in invited if box.pk in set(silent) and box not in owners and self.chance.random() < 0.5]
        errands: list[Callable[[], object]] = [partial(self._owner, box.pk, self._dice()) for box in owners]
        errands += [partial(self._worker, self._dice()) for _ in range(WORKERS)]
        errands += [self._sweep] * self.chance.randint(0, 2)
        errands += [partial(self._support, self._dice())] * (self.chance.random() < 0.8)
        self.chance.shuffle(errands)
        at_once(*errands)
        self._pass(self.chance.choice([0.1, 1, 4, 6, 15, 20]))

    def quieten(self) -> None:
        """Nothing goes wrong any more, support mends what stands still, and 70 minutes pass."""
        self.wire.clear()
        self.mailcow.faults.clear()
        self.host.repair()
        self._let_go(0)
        for target in Target.objects.exclude(breaker_opened_at=None):
            pushes.close_breaker(target, actor=STAFF)
        pushes.retry_all(actor=STAFF)
        for minutes in QUIET_MINUTES:
            at_once(*[self._sweep_and_work] * 2)
            self._pass(minutes)
        self._sweep_and_work()

    # --- Who acts -----------------------------------------------------------------------------------------------------

    def _owner(self, pk: int, chance: random.Random) -> None:
        mailbox = Mailbox.objects.select_related("domain__customer").get(pk=pk)
        if mailbox.state == Mailbox.State.INVITED:
            mailboxes.record_sign_in(mailbox, ip=None)
        for _ in range(chance.choice([1, 1, 1, 2])):
            submission = uuid.UUID(int=chance.getrandbits(128), version=4)
            digest = f"{chance.getrandbits(250):063x}"[:43]
            password_hash = f"{{ARGON2ID}}$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA${digest}"
            for _ in range(chance.choice([1, 1, 2])):  # a double click
                with suppress(VerbRefused):  # support has just invited again
                    push = mailboxes.set_password(
                        mailbox, password_hash=password_hash, kept_old=False, submission=submission, ip=None
                    )
                    self.saved[pk][push.version] = password_hash

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

    def _sweep(self) -> None:
        pushes.reap_leases()
        for pk in outbox.due():
            outbox.send(pk)

    def _sweep_and_work(self) -> None:
        self._sweep()
        while pushes.work():
            pass

    def _support(self, chance: random.Random) -> None:
        for target in Target.objects.exclude(breaker_opened_at=None):
            pushes.close_breaker(target, actor=STAFF)
        if chance.random() < 0.3:
            pushes.retry_all(actor=STAFF)
        mailbox = Mailbox.objects.select_related("domain__customer").order_by("pk")[chance.randrange(5)]
        with suppress(VerbRefused):
            mailboxes.retry_push(mailbox, actor=STAFF)
        with suppress(VerbRefused):
            mailboxes.re_invite(mailbox, actor=STAFF)

    # --- What goes wrong ----------------------------------------------------------------------------------------------

    def _make_trouble(self) -> None:
        chance, mailcow, wire, host = self.chance, self.mailcow.faults, self.wire, self.host
        troubles: list[Callable[[], Any]] = [
            lambda: mailcow.answer_500(times=chance.randint(1, 6)),
            lambda: mailcow.html_error_page(times=2),
            lambda: mailcow.empty_200(times=2, calls="write"),
            lambda: mailcow.drop_after_write(times=chance.randint(1, 3)),
            mailcow.deadlock,
            mailcow.false_success,
            mailcow.wrong_key,
            lambda: mailcow.reject("password_complexity"),
            lambda: wire.strike("cut", times=2),
            lambda: wire.strike("cut_in_reply", when=READ),
            lambda: wire.strike("cut_before"),
            lambda: wire.strike("delay", seconds=0.05, times=5),
            lambda: host.fail(451, at=chance.choice([At.MAIL, At.RCPT, At.DATA, At.DOT]), times=chance.randint(1, 4)),
            lambda: host.fail(421, at=At.GREETING, times=3),
            lambda: host.cut(at=chance.choice([At.RCPT, At.DATA, At.DOT, At.REPLY]), times=chance.randint(1, 2)),
        ]
        chosen = chance.sample(troubles, k=chance.randint(0, 3))
        for trouble in chosen:
            trouble()
        for _ in range(held := chance.choice([0, 1, 1, 2])):
            self._held.append((self._minutes, wire.strike("hold")))
        self.troubles += len(chosen) + held

    def _pass(self, minutes: float) -> None:
        """So much time passes; what is held lands before it is an hour old."""
        self._let_go(LATEST_MINUTES - minutes)
        how_long = timedelta(minutes=minutes)
        time_passes(self.mailcow, minutes=minutes)
        Mailing.objects.update(due_at=F("due_at") - how_long, lease_until=F("lease_until") - how_long)
        FirstLogin.objects.update(created_at=F("created_at") - how_long)
        self._minutes += minutes

    def _let_go(self, older_than: float) -> None:
        """What is held lands, and who is frozen wakes up: by chance, and in any case after so many minutes."""
        for held in list(self._held):
            since, strike = held
            if self._minutes - since >= older_than or self.chance.random() < 0.2:
                self._held.remove(held)
                if self.wire.release(strike):
                    strike.landed.wait(10)
        for frozen in list(self._frozen):
            since, thaw, thread = frozen
            if self._minutes - since >= older_than or (self._minutes - since > 3 and self.chance.random() < 0.5):
                self._frozen.remove(frozen)
                thaw.set()
                thread.join()

    def _dice(self) -> random.Random:
        return random.Random(self.chance.getrandbits(64))


def _die() -> None:
    raise Killed
