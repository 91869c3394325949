"""Owners save while workers claim, give back and reap: nobody meets an error, the newest is kept."""

import uuid
from functools import partial

import pytest

from migration import mailboxes, pushes
from migration.models import Mailbox, Push
from sandbox.mailcow import MailcowStandIn
from tests import factories
from tests.pushing import time_passes
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8
STATES = Push.State


@pytest.fixture
def owners(mailcow: MailcowStandIn) -> list[Mailbox]:
    """Mailboxes whose owners have signed in, and are known to mailcow."""
    made = [factories.make_mailbox(state=Mailbox.State.SIGNED_IN) for _ in range(4)]
    for mailbox in made:
        mailcow.add_mailbox(mailbox.address)
    return made


def save(mailbox: Mailbox) -> None:
    fresh = Mailbox.objects.select_related("domain__customer").get(pk=mailbox.pk)
    mailboxes.set_password(fresh, password_hash=factories.HASH, kept_old=False, submission=uuid.uuid4(), ip="192.0.2.1")


def held(mailbox: Mailbox) -> list[int]:
    """The versions whose payload is still there."""
    return list(Push.objects.filter(mailbox=mailbox, payload__isnull=False).values_list("version", flat=True))


def test_saving_while_workers_give_back_what_is_unclear(owners: list[Mailbox], mailcow: MailcowStandIn) -> None:
    mailcow.faults.answer_500(times=None)
    for _ in range(ROUNDS):
        time_passes(minutes=20)
        at_once(*[partial(save, owner) for owner in owners], pushes.work, pushes.work)

    for owner in owners:
        owner.refresh_from_db()
        assert owner.version == ROUNDS
        assert held(owner) == [ROUNDS]
        assert not owner.is_done


def test_saving_while_the_sweep_gives_back_what_dead_workers_had(owners: list[Mailbox]) -> None:
    for _ in range(ROUNDS):
        pushes.claim()
        pushes.claim()
        time_passes(minutes=20)
        at_once(*[partial(save, owner) for owner in owners], pushes.reap_leases, pushes.reap_leases)

    time_passes(minutes=20)
    pushes.reap_leases()
    for owner in owners:
        assert held(owner) == [ROUNDS]


def test_saving_while_workers_deliver(owners: list[Mailbox], mailcow: MailcowStandIn) -> None:
    for _ in range(ROUNDS):
        at_once(*[partial(save, owner) for owner in owners], pushes.work, pushes.work)
        time_passes(mailcow, minutes=20)
        for owner in owners:
            owner.refresh_from_db()
            newest = owner.pushes.get(version=owner.version)
            assert owner.is_done is (newest.state == STATES.DELIVERED)

    while pushes.work():
        time_passes(mailcow, minutes=20)
    assert {state for owner in owners for state in owner.pushes.values_list("state", flat=True)} <= {
        STATES.DELIVERED,
        STATES.SUPERSEDED,
    }
    assert [held(owner) for owner in owners] == [[], [], [], []]
