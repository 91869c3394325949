"""Owners save, workers crash and freeze, mailcow answers badly or late: the password saved last is the one that stays.

The real outbox on the real database; mailcow is a model of one, for its late writes must land at a chosen moment.
UMZUG_MACHINE_EXAMPLES=2000 makes a long run of it.
"""

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from migration import delivery, mailboxes, pushes
from migration.mailcow.client import Client
from migration.mailcow.errors import Blocked, Missing, Reason, Refused, Unknown
from migration.mailcow.replies import MailboxFacts
from migration.models import Event, Mailbox, Push, Target
from migration.refusals import VerbRefused
from tests import factories
from tests.pushing import time_passes

EXAMPLES = int(os.environ.get("UMZUG_MACHINE_EXAMPLES", "60"))
S = Push.State
# From where to where a row may have gone between two moments of rest; anything else was done by no verb.
MOVES: dict[str, set[S]] = {
    S.QUEUED: {*S},
    S.WAITING: {*S},
    S.BLOCKED: {*S},
    S.IN_FLIGHT: {*S},
    S.SETTLING: {*S} - {S.BLOCKED, S.QUEUED},
    S.DELIVERED: {S.DELIVERED},
    S.SUPERSEDED: {S.SUPERSEDED},
}
ACCIDENTS: dict[str, Callable[[], BaseException]] = {
    "killed": KeyboardInterrupt,
    "timeout": lambda: Unknown(Reason.TIMEOUT),
    "500": lambda: Unknown(Reason.SERVER_ERROR),
    "deadlock": lambda: Unknown(Reason.DATABASE),
    "no connection": lambda: Unknown(Reason.UNREACHABLE),
}
REFUSALS: dict[str, Callable[[], BaseException]] = {
    "quota": lambda: Blocked(Reason.QUOTA),
    "no mailbox": lambda: Missing(Reason.MISSING),
    "wrong key": lambda: Refused(Reason.KEY),
}


@dataclass
class Fate:
    """What befalls one delivery at one of its three calls, before the call has its effect or after."""

    at: int = 0
    after: bool = False
    accident: str = ""
    late_minutes: float = 0  # mailcow carries the write out then, when nobody waits for it any more
    meanwhile: str = ""  # the worker is frozen, and others go on


FINE = Fate()
FATES = st.one_of(
    st.just(FINE),
    st.builds(Fate, at=st.integers(1, 3), after=st.booleans(), accident=st.sampled_from([*ACCIDENTS])),
    st.builds(Fate, at=st.integers(1, 2), accident=st.sampled_from([*REFUSALS, "no effect"])),
    st.builds(Fate, at=st.just(2), accident=st.sampled_from(["timeout", "killed"]), late_minutes=st.floats(0.1, 60)),
    st.builds(
        Fate,
        at=st.integers(1, 3),
        after=st.booleans(),
        accident=st.sampled_from(["", *ACCIDENTS]),
        meanwhile=st.sampled_from(["saved", "overtaken", "saved and overtaken"]),
    ),
)


@dataclass
class FarSide:
    """The reference model: what mailcow holds, what it will still carry out, and what the owner saved last."""

    password: str = "before"
    wanted: str = "before"
    second: int = 0
    late: list[tuple[float, str, bool]] = field(default_factory=list)  # minutes left, what, in the same second as ours

    def store(self, password: str, *, same_second: bool = False) -> None:
        self.password = password
        self.second += not same_second

    def time_passes(self, minutes: float) -> None:
        for left, password, same_second in sorted(self.late):
            if left <= minutes:
                self.store(password, same_second=same_second)
        self.late = [(left - minutes, what, same) for left, what, same in self.late if left > minutes]

    @property
    def is_at_rest(self) -> bool:
        """What was saved last is there, and nothing else can come."""
        return {self.password, *(password for _, password, _ in self.late)} == {self.wanted}


class Wire:
    """The worker's client of one delivery."""

    def __init__(self, far: FarSide, fate: Fate, meanwhile: Callable[[str], None]) -> None:
        self._far, self._fate, self._meanwhile, self._calls = far, fate, meanwhile, 0

    def mailbox(self, address: str) -> MailboxFacts:
        self._calls += 1
        self._strike(after=False)
        second = str(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._far.second))[:19]
        self._strike(after=True)
        return MailboxFacts(address, 1, "mailcow", second, "", 0, None, None, None)

    def set_password(self, _address: str, password: str, *, attribute_hash: str) -> None:  # noqa: ARG002
        self._calls += 1
        if self._fate.at == self._calls and self._fate.late_minutes:
            self._far.late.append((self._fate.late_minutes, password, self._fate.late_minutes > 30))
        self._strike(after=False)
        if not (self._fate.at == self._calls and self._fate.accident == "no effect"):
            self._far.store(password)
        self._strike(after=True)

    def _strike(self, *, after: bool) -> None:
        fate = self._fate
        if fate.at != self._calls or fate.after != after:
            return
        if fate.meanwhile:
            self._meanwhile(fate.meanwhile)
        if fate.accident in ACCIDENTS | REFUSALS:
            raise (ACCIDENTS | REFUSALS)[fate.accident]()


class Outbox(RuleBasedStateMachine):
    """One mailbox, its pushes, and a mailcow."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.mailbox = factories.make_mailbox(state=Mailbox.State.SIGNED_IN)
        self.far = FarSide()
        self.before: dict[int, str] = {}

    @rule(twice=st.booleans())
    def the_owner_saves(self, twice: bool = False) -> None:
        submission = uuid.uuid4()
        password = f"{{SHA}}{submission}"
        saved = {
            mailboxes.set_password(
                self.mailbox, password_hash=password, kept_old=False, submission=submission, ip=None
            ).pk
            for _ in range(1 + twice)
        }
        assert len(saved) == 1
        self.far.wanted = password

    @rule(fate=FATES)
    def a_worker_works(self, fate: Fate) -> None:
        waits = [row.due_at for row in Push.objects.filter(state__in=(S.QUEUED, S.WAITING, S.SETTLING))]
        waits += [target.probe_after for target in Target.objects.exclude(probe_after=None) if target.probe_after]
        until = max([(at - timezone.now()) / timedelta(minutes=1) for at in waits], default=0)
        self.time_passes(max(until, 0) + 0.1)
        self.deliver(fate)

    @rule(fate=FATES)
    def the_owner_saves_and_a_worker_works(self, fate: Fate) -> None:
        self.the_owner_saves()
        self.a_worker_works(fate)

    @rule(minutes=st.sampled_from([1, 5, 30, 70]))
    def time_passes(self, minutes: float) -> None:
        time_passes(minutes=minutes)
        self.far.time_passes(minutes)

    @rule()
    def the_sweep_comes_round(self) -> None:
        self.time_passes(3)
        pushes.reap_leases()

    @rule()
    def support_mends(self) -> None:
        for target in Target.objects.exclude(breaker_opened_at=None):
            pushes.close_breaker(target, actor="staff:eva@provider.example")
        with suppress(VerbRefused):
            mailboxes.retry_push(self.mailbox, actor="staff:eva@provider.example")

    def deliver(self, fate: Fate) -> None:
        claimed = pushes.claim()
        if claimed:
            with suppress(KeyboardInterrupt):
                delivery.deliver(claimed, cast("Client", Wire(self.far, fate, self.meanwhile)))

    def meanwhile(self, what: str) -> None:
        if "saved" in what:
            self.the_owner_saves()
        if "overtaken" in what:
            self.the_sweep_comes_round()
            self.deliver(FINE)

    @invariant()
    def rows_are_as_they_may_be(self) -> None:
        rows = list(Push.objects.filter(mailbox=self.mailbox).order_by("version"))
        states = [S(row.state) for row in rows]
        assert sum(state in Push.OPEN for state in states) <= 1
        assert states.count(S.IN_FLIGHT) <= 1
        assert states.count(S.SETTLING) <= 1
        for row in rows:
            assert (row.payload is None) is (row.state in (S.DELIVERED, S.SUPERSEDED))
            assert row.state in MOVES[self.before.get(row.pk, S.QUEUED)]
        self.before = {row.pk: row.state for row in rows}
        if not rows:
            return
        self.mailbox.refresh_from_db()
        assert rows[-1].version == self.mailbox.version == len(rows)
        assert rows[-1].state != S.SUPERSEDED
        assert all(row.payload is None for row in rows[:-1] if row.state != S.IN_FLIGHT), "no older hash is kept"
        arrived = Event.objects.filter(mailbox=self.mailbox, action=Event.Action.PUSH_DELIVERED)
        assert self.mailbox.is_done is arrived.filter(detail__version=self.mailbox.version).exists()
        assert self.mailbox.is_done or not rows[-1].is_delivered
        assert rows[-1].state != S.DELIVERED or self.far.is_at_rest, "the payload went too early"

    def teardown(self) -> None:
        """Nothing goes wrong any more: in the end mailcow holds what was saved last, and no payload is left."""
        try:
            for _ in range(12):
                if not Push.objects.exclude(payload=None).exists():
                    break
                self.support_mends()
                self.the_sweep_comes_round()
                self.a_worker_works(FINE)
                self.rows_are_as_they_may_be()
            assert list(Push.objects.exclude(payload=None).values_list("pk", "state")) == []
            assert self.far.is_at_rest or not self.mailbox.version
        finally:
            transaction.savepoint_rollback(self.savepoint)


def test_the_password_saved_last_is_the_one_that_stays(db: None) -> None:
    run_state_machine_as_test(
        Outbox,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
