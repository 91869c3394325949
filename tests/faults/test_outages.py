"""mailcow is away for hours, turns us away, or comes back to a long queue."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migration import pushes, reports
from migration.mailcow.errors import Reason
from migration.models import Event, Mailbox, Push, Target
from migration.secrets import Purpose, seal
from sandbox.mailcow import MailcowStandIn
from tests import factories
from tests.faults.conftest import SEEDS
from tests.faults.proxy import Proxy
from tests.faults.watched import Watched
from tests.pushing import time_passes
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
STATES = Push.State
WORKERS = 4
HOURS = 6
# What mailcow's netfilter bans after so many failed calls of one address.
BANNED_AFTER = 10


def queue(mailcow: MailcowStandIn, count: int) -> None:
    """So many owners have saved a password."""
    domain = factories.make_domain("demo.example")
    boxes = Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"m{number}", state=Mailbox.State.PASSWORD_SET, version=1)
        for number in range(count)
    )
    rows = [Push(mailbox=box, version=1, submission=uuid.uuid4()) for box in boxes]
    for row in rows:
        row.payload = seal(Purpose.PENDING_HASH, row.sealed_for, factories.HASH.encode())
        mailcow.add_mailbox(row.mailbox.address)
    Push.objects.bulk_create(rows)


def work_at_once() -> None:
    def until_nothing_is_due() -> None:
        while pushes.work():
            pass

    at_once(*[until_nothing_is_due] * WORKERS)


def test_six_hours_without_mailcow_give_nothing_up_and_then_all_arrives(
    settings: Any, support_client: Client, record_property: Callable[[str, object], None]
) -> None:
    count = 2000 if SEEDS > 1 else 60
    with Watched() as mailcow, Proxy("127.0.0.1", int(mailcow.url.rpartition(":")[2])) as wire:
        settings.MAILCOW_URL, settings.MAILCOW_API_KEY = wire.url, mailcow.api_key
        queue(mailcow, count)
        wire.down()
        for _ in range(HOURS * 4):
            work_at_once()
            time_passes(minutes=15)
        states = set(Push.objects.values_list("state", flat=True))
        assert states <= {STATES.QUEUED, STATES.WAITING}, "nothing was given up"
        assert set(Push.objects.exclude(reason="").values_list("reason", flat=True)) == {Reason.UNREACHABLE}
        assert reports.oldest_due_seconds() > 180

        wire.up()
        began = timezone.now()
        assert pushes.work(at_most=1) == 1, "one is tried, and it lets all others go"
        for _ in range(20):
            work_at_once()
            time_passes(minutes=1)
            if not Push.objects.exclude(state=STATES.DELIVERED).exists():
                break

    assert set(Push.objects.values_list("state", flat=True)) == {STATES.DELIVERED}
    assert len(mailcow.journal) == count
    assert mailcow.most_at_once <= 4
    took = round((timezone.now() - began).total_seconds(), 1)
    record_property("F12", f"{count} drained in {took} s, {mailcow.most_at_once} calls at once")


@pytest.mark.parametrize("turned_away", ["wrong_key", "read_only"])
def test_turned_away_with_five_hundred_due_the_door_is_left_alone(
    turned_away: str, mailcow: MailcowStandIn, record_property: Callable[[str, object], None]
) -> None:
    queue(mailcow, 500)
    getattr(mailcow.faults, turned_away)(times=None)

    work_at_once()
    calls = len(mailcow.calls)
    for _ in range(24):
        time_passes(minutes=60)
        pushes.reap_leases()
        work_at_once()

    assert calls <= 4
    assert len(mailcow.calls) == calls < BANNED_AFTER
    assert mailcow.journal == []
    assert set(Push.objects.values_list("state", flat=True)) <= {STATES.QUEUED, STATES.WAITING}
    assert Event.objects.filter(action=Event.Action.BREAKER_OPENED).count() == 1
    record_property("F19", f"{calls} calls")

    mailcow.faults.clear()
    pushes.close_breaker(Target.objects.get(), actor="staff:eva@provider.example")
    time_passes(minutes=60)
    assert pushes.work(at_most=3) == 3
    assert len(mailcow.journal) == 3
