"""Events are sealed late, erased in time, under keys that come and go, and the chain still holds."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import retention
from migration.audit import sealing
from migration.audit.verifying import verify
from migration.models import AuditHead, Event, Seal
from tests import factories
from tests.audit import events, found, tampered, unguarded

pytestmark = pytest.mark.django_db


def test_event_that_commits_after_a_higher_number_is_sealed_later() -> None:
    first, late, last = events(3)
    with unguarded():
        Event.objects.filter(pk=late.pk).delete()
    sealing.seal()

    late.save(force_insert=True)
    sealing.seal()

    assert list(Seal.objects.values_list("event", flat=True)) == [first.pk, last.pk, late.pk]
    assert verify().broken is None


def test_daily_run_seals_what_came_too_late_for_the_sweep() -> None:
    _first, late, _last = events(3)
    with unguarded():
        Event.objects.filter(pk=late.pk).delete()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        sealing.seal()
        late.save(force_insert=True)
        sealing.seal()
        assert sealing.unsealed().count() == 1

        retention.run()

    assert sealing.unsealed().count() == 0


def test_retention_erases_and_the_chain_still_holds() -> None:
    with time_machine.travel("2024-03-04T09:00:00Z", tick=False) as clock:
        mailbox = factories.make_mailbox()
        for ip in ("192.0.2.7", "2001:db8:1:2::3", "192.0.2.0", None):
            Event.record(Event.Action.SIGNED_IN, actor="staff:eva@x.example", mailbox=mailbox, ip=ip, way="phone")
            Event.record(Event.Action.MAIL_SENT, actor="worker", domain=mailbox.domain)
        sealing.seal()
        for days in (8, 31, 366):
            clock.shift(timedelta(days=days))
            retention.run()

            assert verify().broken is None

    told: list[Any] = list(Event.objects.filter(action="signed_in").values_list("actor", "mailbox", "ip"))
    assert set(told) == {("staff", None, None)}
    assert not Seal.objects.filter(event__in=Event.objects.filter(action="signed_in"), salt__isnull=False).exists()


@pytest.mark.parametrize(
    ("salt", "change"),
    [
        ("address_salt", "ip = '192.0.2.0'"),
        ("network_salt", "ip = NULL"),
        ("salt", "actor = 'staff', mailbox_id = NULL, detail = '{}'"),
    ],
)
def test_what_is_erased_too_early_is_found(salt: str, change: str) -> None:
    events()
    sealing.seal()

    tampered(f"UPDATE migration_seal SET {salt} = NULL WHERE number = 2")
    tampered(f"UPDATE migration_event SET {change} WHERE id = %s", Seal.objects.get(number=2).event)

    assert "too early" in found()


def test_erased_event_that_says_something_again_is_found() -> None:
    with time_machine.travel("2024-03-04T09:00:00Z", tick=False) as clock:
        chosen = events()[1]
        sealing.seal()
        clock.shift(timedelta(days=400))
        retention.run()

        tampered("UPDATE migration_event SET ip = '192.0.2.7' WHERE id = %s", chosen.pk)

        assert found().startswith(f"seal 2, event {chosen.pk}: changed (address")


def test_mailbox_that_is_gone_may_be_gone_from_its_events() -> None:
    written = events()
    sealing.seal()

    mailbox = written[0].mailbox
    assert mailbox is not None
    domain = mailbox.domain
    mailbox.delete()
    domain.mailings.all().delete()
    domain.delete()

    assert verify().broken is None


def test_old_key_may_leave_the_ring_once_a_newer_one_vouches(settings: Any) -> None:
    new = ("new", b"n" * 32)
    old = settings.KEY_RING
    events(2)
    sealing.seal()

    settings.KEY_RING = [new, *old]
    events(2)
    sealing.seal()
    settings.KEY_RING = [new]

    report = verify()
    assert (report.broken, report.checked, report.old_keys) == (None, 4, 2)


def test_key_that_alone_vouches_for_the_end_is_in_use(settings: Any) -> None:
    events(1)
    sealing.seal()
    old = settings.KEY_RING[0][0]
    settings.KEY_RING = [("new", b"n" * 32), *settings.KEY_RING]

    with pytest.raises(CommandError, match="end of the audit chain"):
        call_command("rotate_keys", check=old)
    settings.KEY_RING = settings.KEY_RING[:1]

    assert "no key of the ring vouches for the end" in found()
    events(1)
    assert sealing.seal() == 0


def test_chain_under_a_forged_key_is_not_sealed_over(settings: Any) -> None:
    events(2)
    with_ours = settings.KEY_RING
    settings.KEY_RING = [("forged", b"f" * 32)]
    sealing.seal()
    settings.KEY_RING = with_ours
    events(1)

    sealed = sealing.seal()

    assert sealed == 0
    assert "vouches" in found()


@pytest.fixture
def told() -> Callable[..., str]:
    def run(**options: Any) -> str:
        out = StringIO()
        call_command("verify_audit", stdout=out, stderr=StringIO(), **options)
        return out.getvalue()

    return run


def test_command_says_that_all_is_well(told: Callable[..., str]) -> None:
    events()
    call_command("seal_audit", stdout=StringIO())

    assert told() == "6 seals checked, the newest is number 6.\nAll is well.\n"
    assert json.loads(told(json=True)) | {"ok": True, "checked": 6} == json.loads(told(json=True))
    assert AuditHead.objects.get().verified == 6


def test_command_ends_with_the_first_broken_link(told: Callable[..., str]) -> None:
    chosen = events()[3]
    sealing.seal()
    tampered("UPDATE migration_event SET action = 'moved' WHERE id = %s", chosen.pk)

    with pytest.raises(CommandError, match=f"seal 4, event {chosen.pk}: changed"):
        told()

    assert AuditHead.objects.get().broken.startswith("seal 4")


def test_command_checks_from_a_day_on(told: Callable[..., str]) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        events()
        sealing.seal()
    events(2)
    sealing.seal()

    since = (timezone.now() - timedelta(days=1)).date().isoformat()

    assert told(since=since).startswith("2 seals checked, the newest is number 8.")
    with pytest.raises(CommandError, match="write a date"):
        told(since="yesterday")


def test_command_compares_with_a_head_of_the_log(told: Callable[..., str]) -> None:
    events()
    sealing.seal()
    end = AuditHead.objects.get()

    assert "All is well" in told(head=f"6:{bytes(end.link).hex()}")
    with pytest.raises(CommandError, match="truncated end"):
        told(head=f"7:{bytes(end.link).hex()}")
    with pytest.raises(CommandError, match="as the log has it"):
        told(head="seven")
