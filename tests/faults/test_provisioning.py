"""Many mailboxes on a mailcow that stumbles, and workers that die: complete, and nothing made twice."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from migration import making, provisioning
from migration.models import Event, ProvisionedObject, Target
from migration.target import client
from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.api import Answer, Call
from tests.faults.conftest import SEEDS
from tests.provisioning import NAME, added, make_domain, started, state_of, time_passes, work_until_done, writes

pytestmark = pytest.mark.django_db
State = ProvisionedObject.State
SEED = 20261124
MAILBOXES, ALIASES = (500, 50) if SEEDS > 1 else (90, 10)
DEADLOCK = "SQLSTATE[40001]: Serialization failure: 1213 Deadlock found when trying to get lock"


def stumble(mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch, *, every: int) -> Counter[str]:
    """Each `every`-th call, by chance, meets one of the accidents. Returns how often each came."""
    chance, came, whole = random.Random(SEED), Counter[str](), mailcow.answer
    switches: dict[str, Callable[[], None]] = {
        "answer_500": mailcow.faults.answer_500,
        "empty_200": mailcow.faults.empty_200,
        "html_error_page": mailcow.faults.html_error_page,
        "drop_after_write": mailcow.faults.drop_after_write,
        "drop_before_write": mailcow.faults.drop_before_write,
        "deadlock": mailcow.faults.deadlock,
        "not stored": lambda: mailcow.faults.deadlock(stored=False),
        "danger": lambda: mailcow.faults.reject(DEADLOCK),
    }

    def answer(call: Call) -> Answer:
        if not mailcow.faults.pending() and chance.randrange(every) == 0:
            name = chance.choice(sorted(switches))
            switches[name]()
            came[name] += 1
        return whole(call)

    monkeypatch.setattr(mailcow, "answer", answer)
    return came


def test_every_mailbox_is_made_once_while_mailcow_stumbles(
    mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = make_domain(mailboxes=MAILBOXES, aliases=ALIASES)
    row = started(domain)
    came = stumble(mailcow, monkeypatch, every=8)

    work_until_done(row)

    assert len(came) == 8
    assert provisioning.counts(domain) == {State.MADE: MAILBOXES + ALIASES + 1}
    assert len(mailcow.mailboxes) == len(added(mailcow)) == added(mailcow).total() == MAILBOXES
    addresses = Counter(alias.address for alias in mailcow.state.aliases.values())
    assert len(addresses) == addresses.total() == ALIASES
    assert Event.objects.filter(action=Event.Action.PROVISIONED).count() == 1
    assert not Target.objects.get().breaker_opened_at


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["before the look", "before the write", "after the write", "after the second look"])
def test_a_worker_killed_in_the_middle_leaves_nothing_twice(
    step: str, mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = started(make_domain(mailboxes=10))
    calls = 0
    at = {"before the look": 12, "before the write": 13, "after the write": 14, "after the second look": 15}[step]
    kind = type(client())
    real = kind.call

    def call(self: object, *args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(kind, "call", call)
        with pytest.raises(Killed):
            provisioning.work(row.pk)
    assert provisioning.work(row.pk) == 0, "its claim holds until the lease is over"
    time_passes(minutes=3)
    work_until_done(row)

    assert provisioning.counts(row.domain) == {State.MADE: 12}
    assert set(added(mailcow).values()) == {1}


def test_a_write_that_was_carried_out_after_all_counts_as_ours(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(aliases=0))
    mailcow.faults.drop_after_write()

    provisioning.work(row.pk)
    assert state_of(NAME) == (State.WAITING, "connection_lost")
    time_passes(seconds=31)
    provisioning.work(row.pk)

    assert provisioning.counts(row.domain) == {State.MADE: 2}
    assert len(writes(mailcow)) == 2


def test_a_thawed_worker_changes_no_row(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(mailboxes=0, aliases=0))
    frozen = provisioning.claim(row.pk)
    assert frozen
    time_passes(minutes=3)
    work_until_done(row)

    making.make(frozen, client())

    assert state_of(NAME) == (State.MADE, "")
    assert len(writes(mailcow)) == 1


def test_yes_without_an_object_is_not_believed(mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    row = started(make_domain(mailboxes=0, aliases=0))
    whole = mailcow.answer
    lie = [{"type": "success", "log": [], "msg": ["domain_added", NAME]}]
    monkeypatch.setattr(mailcow, "answer", lambda call: Answer.of(lie) if call.is_write else whole(call))

    provisioning.work(row.pk)
    assert state_of(NAME) == (State.WAITING, "not_stored")
    time_passes(seconds=31)
    provisioning.work(row.pk)

    assert state_of(NAME) == (State.BLOCKED, "not_stored")


def test_unclear_again_and_again_leaves_the_rest_to_the_next_sweep(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(mailboxes=10, aliases=0))
    ProvisionedObject.objects.filter(kind=ProvisionedObject.Kind.DOMAIN).update(state=State.THERE)
    mailcow.calls.clear()
    mailcow.faults.answer_500(times=None)

    assert provisioning.work(row.pk) == provisioning.UNCLEAR_AT_MOST

    assert len(mailcow.calls) == provisioning.UNCLEAR_AT_MOST
    assert provisioning.counts(row.domain) == {State.THERE: 1, State.WAITING: 3, State.QUEUED: 7}
