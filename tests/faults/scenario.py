"""A move in bad weather: owners, workers, support, an old server and a mailcow, with troubles drawn by a seed.

Owners come through the portal's door, mailcow is behind a wire that misbehaves, and a crew works the outboxes off. Time
is virtual: everything recorded grows older between two rounds.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from migration import mailboxes, pushes
from migration.models import Mailbox, Push, Target
from migration.refusals import VerbRefused
from sandbox.mailhost import At, MailHost
from tests import factories
from tests.faults.crew import Crew
from tests.faults.door import Door
from tests.faults.proxy import Proxy, Strike
from tests.faults.watched import Watched
from tests.racing import at_once

READ = b"GET /api"
# mailcow lets a request run for an hour: whatever is held in the wire lands before that.
LATEST_MINUTES = 55
STAFF = "staff:eva@provider.example"
# Seventy in all: the last look at a password that may be overtaken is 65 minutes after it was delivered.
QUIET_MINUTES = (1, 4, 5, 5, 10, 20, 20, 5)
# Most owners who change their mind at once, in one round.
OVERTAKEN = 2


class Move:
    """One domain on its way."""

    def __init__(self, seed: int, mailcow: Watched, wire: Proxy, host: MailHost, crew: Crew, *, size: int) -> None:
        self.chance = random.Random(seed)
        self.mailcow, self.wire, self.host, self.crew = mailcow, wire, host, crew
        self.door = Door(host)
        self.domain = factories.make_domain("demo.example")
        self.troubles = 0
        self.late_writes = 0
        self._held: list[tuple[float, Strike]] = []
        self._minutes = 0.0
        self._size = size
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
        owners += [box for box in invited if box.pk in set(silent) and box not in owners and self.chance.random() < 0.3]
        others = [box for box in invited if box not in owners]
        errands: list[Callable[[], object]] = [partial(self._owner, box.pk, self._dice()) for box in owners]
        hasty = self.chance.sample(others, k=min(len(others), self.chance.randint(1, OVERTAKEN)))
        errands += [partial(self._changes_his_mind, box.pk, self._dice()) for box in hasty]
        errands += [partial(self._stranger, self._dice()) for _ in range(self.chance.randint(1, 3))]
        errands += self.crew.errands(self._dice())
        errands += [partial(self._support, self._dice())] * (self.chance.random() < 0.8)
        self.chance.shuffle(errands)
        at_once(*errands)
        self._pass(self.chance.choice([0.1, 1, 4, 6, 15, 20]))

    def quieten(self) -> None:
        """Nothing goes wrong any more, support mends what stands still, and 70 minutes pass.

        What is still held in the wire lands when all newer passwords are there: later is worse.
        """
        self.wire.calm()
        self.host.repair()
        self._mend()
        pushes.retry_all(actor=STAFF)
        self.crew.finish()
        self._let_go(0)
        for minutes in QUIET_MINUTES:
            self.crew.finish()
            self._pass(minutes)
        self.crew.finish()

    # --- Who acts -----------------------------------------------------------------------------------------------------

    def _owner(self, pk: int, chance: random.Random) -> None:
        mailbox = _mailbox(pk)
        for _ in range(chance.choice([1, 1, 1, 2])):
            self.door.owner_saves(mailbox, chance)

    def _changes_his_mind(self, pk: int, chance: random.Random) -> None:
        """The first password is held in the wire; before it lands, the second one is there."""
        mailbox = _mailbox(pk)
        held = self.wire.strike("hold", when=f'"{mailbox.address}"'.encode())
        self._held.append((self._minutes, held))
        if self.door.owner_saves(mailbox, chance):
            self.crew.carry_out(mailbox, held)
            if self.door.owner_saves(mailbox, chance):
                self.crew.carry_out(mailbox, held)

    def _stranger(self, chance: random.Random) -> None:
        self.door.stranger_guesses(f"m{chance.randrange(self._size)}@{self.domain.name}")

    def _support(self, chance: random.Random) -> None:
        if chance.random() < 0.7 and Target.objects.exclude(breaker_opened_at=None).exists():
            self._mend()
        if chance.random() < 0.5:
            pushes.retry_all(actor=STAFF)
        mailbox = Mailbox.objects.select_related("domain__customer").order_by("pk")[chance.randrange(5)]
        with suppress(VerbRefused):
            mailboxes.retry_push(mailbox, actor=STAFF)
        with suppress(VerbRefused):
            mailboxes.re_invite(mailbox, actor=STAFF)

    def _mend(self) -> None:
        self.mailcow.mend()
        for target in Target.objects.exclude(breaker_opened_at=None):
            pushes.close_breaker(target, actor=STAFF)

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
        for _ in range(held := chance.choice([0, 0, 1])):
            self._held.append((self._minutes, wire.strike("hold")))
        self.troubles += len(chosen) + held

    def _pass(self, minutes: float) -> None:
        """So much time passes; what is held lands before it is an hour old."""
        self._let_go(LATEST_MINUTES - minutes)
        self.crew.pass_time(minutes)
        self._minutes += minutes

    def _let_go(self, older_than: float) -> None:
        """What is held lands, and who is frozen wakes up: by chance, and in any case after so many minutes."""
        for held in list(self._held):
            since, strike = held
            if self._minutes - since >= older_than or self.chance.random() < 0.1:
                self._held.remove(held)
                if self.wire.release(strike):
                    assert strike.landed.wait(30), "a write that was let go did not land: the move cannot be judged"
                    self.late_writes += 1
        self.crew.let_go(
            lambda since: (
                self._minutes - since >= older_than or (self._minutes - since > 3 and self.chance.random() < 0.5)
            )
        )

    def _dice(self) -> random.Random:
        return random.Random(self.chance.getrandbits(64))


def _mailbox(pk: int) -> Mailbox:
    return Mailbox.objects.select_related("domain__customer").get(pk=pk)
