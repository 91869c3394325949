"""The audit trail proves itself: what is changed past the application is found."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from migration.audit import head, sealing
from migration.audit.verifying import verify
from migration.models import AuditHead, Event, Mailbox, Seal
from migration.tasks import sweep
from tests.audit import events, found, tampered, unguarded

pytestmark = pytest.mark.django_db


def test_sweep_seals_what_happened_and_the_check_finds_all_well() -> None:
    written = events()

    sweep()
    sweep()

    report = verify()
    assert (report.broken, report.checked, report.unsealed) == (None, 6, 0)
    assert list(Seal.objects.values_list("number", "event")) == list(enumerate([e.pk for e in written], start=1))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", timezone.now() - timedelta(seconds=1)),
        ("actor", "staff:eva@y.example"),
        ("action", "signed_ix"),
        ("ip", "192.0.2.6"),
        ("detail", '{"number": 7}'),
        ("mailbox_id", None),
        ("domain_id", None),
    ],
)
def test_one_byte_changed_in_an_event_is_found(column: str, value: object) -> None:
    chosen = events()[3]
    sealing.seal()

    tampered(f"UPDATE migration_event SET {column} = %s WHERE id = %s", value, chosen.pk)

    assert found().startswith(f"seal 4, event {chosen.pk}: changed")


@pytest.mark.parametrize("column", ["digests", "link", "mac", "salt", "address_salt", "network_salt"])
def test_one_byte_changed_in_a_seal_is_found(column: str) -> None:
    events()
    sealing.seal()
    stored = bytes(Seal.objects.values_list(column, flat=True).get(number=4))

    tampered(f"UPDATE migration_seal SET {column} = %s WHERE number = 4", stored[:-1] + bytes([stored[-1] ^ 1]))

    assert "seal 4," in found()
    assert "changed" in found()


@pytest.mark.parametrize(
    ("column", "value"), [("mailbox", 0), ("domain", 0), ("sealed_at", timezone.now()), ("event", 0), ("number", 99)]
)
def test_one_number_changed_in_a_seal_is_found(column: str, value: object) -> None:
    events()
    sealing.seal()

    tampered(f"UPDATE migration_seal SET {column} = %s WHERE number = 4", value)

    assert found().startswith("seal 4")


def test_event_that_was_deleted_is_missed() -> None:
    chosen = events()[2]
    sealing.seal()

    tampered("DELETE FROM migration_event WHERE id = %s", chosen.pk)

    assert found() == f"seal 3, event {chosen.pk}: missing (the event is not there)"


def test_event_that_was_deleted_with_its_seal_is_missed() -> None:
    chosen = events()[2]
    sealing.seal()

    tampered("DELETE FROM migration_event WHERE id = %s", chosen.pk)
    tampered("DELETE FROM migration_seal WHERE number = 3")

    assert found() == "seal 3: missing (the seal is not there)"


def test_seals_that_changed_places_are_found() -> None:
    events()
    sealing.seal()

    for old, new in ((2, 1000), (4, 2), (1000, 4)):
        tampered("UPDATE migration_seal SET number = %s WHERE number = %s", new, old)

    assert "reordered (the seal belongs to place 4)" in found()


def test_events_that_changed_places_are_found() -> None:
    second, fourth = (events()[place] for place in (1, 3))
    sealing.seal()

    for old, new in ((second.pk, 10**9), (fourth.pk, second.pk), (10**9, fourth.pk)):
        tampered("UPDATE migration_event SET id = %s WHERE id = %s", new, old)

    assert found().startswith(f"seal 2, event {second.pk}: changed")


def test_end_that_was_cut_off_is_missed() -> None:
    written = events()
    sealing.seal()

    tampered("DELETE FROM migration_seal WHERE number > 4")
    tampered("DELETE FROM migration_event WHERE id > %s", written[3].pk)

    assert found() == "seal 4: truncated end (the end was noted as 6)"


def test_end_that_was_cut_off_whole_is_known_outside_the_database() -> None:
    written = events()
    sweep()
    kept, end = head.kept(), AuditHead.objects.get()
    fourth = Seal.objects.get(number=4)

    tampered("DELETE FROM migration_seal WHERE number > 4")
    tampered("DELETE FROM migration_event WHERE id > %s", written[3].pk)
    AuditHead.objects.update(number=4, link=fourth.link)

    assert kept is not None
    assert (kept.number, kept.link) == (6, bytes(end.link))
    assert found() == "seal 6: truncated end (a head kept outside the database is not in this chain)"


def test_file_that_knows_more_is_not_written_over(mailbox: Mailbox) -> None:
    events()
    sweep()
    with unguarded():
        Seal.objects.all().delete()
        AuditHead.objects.update(number=0, link=b"")

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        sweep()

    kept = head.kept()
    assert kept is not None
    assert not kept.is_known()
    assert "truncated" in found() or "changed" in found()


def test_restore_an_operator_confirmed_may_have_a_shorter_chain() -> None:
    written = events()
    sweep()
    fourth = Seal.objects.get(number=4)
    tampered("DELETE FROM migration_seal WHERE number > 4")
    tampered("DELETE FROM migration_event WHERE id > %s", written[3].pk)
    AuditHead.objects.update(number=4, link=fourth.link)

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        Event.record(Event.Action.RESTORE_CONFIRMED, actor="command:root")
        sealing.seal()
        report = verify()
        head.tell()

    assert (report.broken, report.given_up) == (None, 1)
    assert head.kept() == head.Head(5, bytes(AuditHead.objects.get().link), head.kept().at)  # type: ignore[union-attr]


def test_event_smuggled_in_between_is_found() -> None:
    last = events(3)[-1]
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        Event.objects.bulk_create([Event(pk=last.pk + 10, actor="owner", action="signed_in")])
        sealing.seal()

    tampered(
        "INSERT INTO migration_event (id, at, actor, action, detail) VALUES (%s, %s, 'owner', 'signed_in', '{}')",
        last.pk + 1,
        last.at,
    )
    sealing.seal_all()

    assert found() == f"seal 5, event {last.pk + 1}: extra (written long after the events around it)"
