"""Workers and people at once: nothing is made twice, and never more than two writes are in flight."""

import threading
from functools import partial

import pytest

from migration import provisioning, pushes, schemes
from migration.models import Event, ProvisionedObject, Push
from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.api import Answer, Call
from tests import factories
from tests.provisioning import STAFF, added, checked, make_domain, started, time_passes, work_until_done
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
State = ProvisionedObject.State


def most_at_once(mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many writes were at mailcow together, each time one came."""
    lock, now, seen, whole = threading.Lock(), [0], [0], mailcow.answer

    def answer(call: Call) -> Answer:
        if not call.is_write:
            return whole(call)
        with lock:
            now[0] += 1
            seen.append(now[0])
        try:
            return whole(call)
        finally:
            with lock:
                now[0] -= 1

    monkeypatch.setattr(mailcow, "answer", answer)
    return seen


def test_workers_at_once_make_each_mailbox_once_and_deliver_passwords_meanwhile(
    mailcow: MailcowStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = started(make_domain(mailboxes=30, aliases=3))
    for _ in range(6):
        owner = factories.make_mailbox()
        mailcow.add_mailbox(owner.address)
        factories.make_push(owner, password_hash=schemes.make_hash("Nussbaum-Kipferl-7"))
    seen = most_at_once(mailcow, monkeypatch)

    at_once(*[partial(provisioning.work, row.pk)] * 3, pushes.work, pushes.work)
    for _ in range(5):  # a worker that found no room leaves the rest to the sweep
        provisioning.work(row.pk)
        pushes.work()

    assert provisioning.counts(row.domain) == {State.MADE: 34}
    assert Push.objects.filter(state=Push.State.DELIVERED).count() == 6
    assert set(added(mailcow).values()) == {1}
    assert max(seen) <= 2
    assert Event.objects.filter(action=Event.Action.PROVISIONED).count() == 1


def test_two_who_begin_at_once_queue_everything_once(mailcow: MailcowStandIn) -> None:
    domain = make_domain(mailboxes=20, aliases=5)
    checked(domain)

    at_once(*[partial(provisioning.start, domain, actor=STAFF)] * 2)

    assert provisioning.counts(domain) == {State.QUEUED: 26}


def test_beginning_again_while_workers_work_and_sweeps_reap(mailcow: MailcowStandIn) -> None:
    row = started(make_domain(mailboxes=20, aliases=5))
    for _ in range(4):
        at_once(
            partial(provisioning.start, row.domain, actor=STAFF),
            partial(provisioning.work, row.pk),
            partial(provisioning.work, row.pk),
            provisioning.reap_leases,
        )
        time_passes(minutes=3)

    work_until_done(row)

    assert provisioning.counts(row.domain) == {State.MADE: 26}
    assert set(added(mailcow).values()) == {1}
    assert len(mailcow.state.aliases) == 5
