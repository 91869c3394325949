"""The guard notices a database that is older than what the workers saw, and nothing else."""

import logging
from pathlib import Path
from typing import Any

import pytest

from migration import pushes, restore_guard
from migration.mailings import outbox
from migration.models import Event, HighWaterMark
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_mailbox, make_push

from .marks import a_worker_ran, file

pytestmark = pytest.mark.django_db
HOUR = 3600


def mark() -> int:
    return HighWaterMark.objects.get().at


def test_a_new_installation_begins_to_count() -> None:
    assert restore_guard.watch()

    assert mark() > 0
    assert file().read_text() == f"{mark()}\n"
    assert file().stat().st_mode & 0o077 == 0


def test_an_installation_that_is_updated_goes_on_with_what_is_open() -> None:
    make_push(make_mailbox())

    assert restore_guard.watch()


def test_the_mark_is_written_at_most_once_a_minute() -> None:
    written = a_worker_ran(seconds_ago=30)

    assert restore_guard.watch()

    assert mark() == written


def test_the_mark_rises_after_a_minute_on_both_sides() -> None:
    before = a_worker_ran(seconds_ago=61)

    assert restore_guard.watch()

    assert mark() >= before + 61
    assert int(file().read_text()) == mark()


def test_a_portal_that_stood_still_for_a_week_is_no_restore() -> None:
    a_worker_ran(seconds_ago=7 * 24 * HOUR)

    assert restore_guard.watch()


def test_a_database_below_the_file_is_older() -> None:
    before = a_worker_ran(seconds_ago=0)
    HighWaterMark.objects.update(at=before - 61)

    assert not restore_guard.watch()

    assert Event.objects.get(action=Event.Action.RESTORED).actor == "worker"
    assert not restore_guard.watch()
    assert Event.objects.count() == 1


def test_nothing_is_claimed_from_an_older_database_even_before_anybody_looked(mailcow: MailcowStandIn) -> None:
    push = make_push(make_mailbox())
    before = a_worker_ran(seconds_ago=0)

    HighWaterMark.objects.update(at=before - 61)

    assert pushes.claim(push.pk) is None
    assert outbox.due() == []
    HighWaterMark.objects.update(at=before)
    assert pushes.claim(push.pk)


def test_a_dump_of_a_version_without_guard_is_older() -> None:
    a_worker_ran(seconds_ago=HOUR)
    HighWaterMark.objects.all().delete()
    push = make_push(make_mailbox())

    assert pushes.claim(push.pk) is None
    assert not restore_guard.watch()


def test_a_new_database_beside_an_old_file_has_nothing_to_confirm() -> None:
    a_worker_ran(seconds_ago=HOUR)
    HighWaterMark.objects.all().delete()

    assert restore_guard.watch()
    assert mark() >= int(file().read_text())


def test_a_restore_on_a_fresh_machine_is_noticed() -> None:
    a_worker_ran(seconds_ago=HOUR)
    file().unlink()

    assert not restore_guard.watch()


def test_a_machine_that_joins_running_ones_goes_along() -> None:
    a_worker_ran(seconds_ago=120)
    file().unlink()

    assert restore_guard.watch()
    assert int(file().read_text()) == mark()


def test_a_machine_that_was_away_goes_along_with_running_ones() -> None:
    a_worker_ran(seconds_ago=24 * HOUR)
    HighWaterMark.objects.update(at=mark() + 24 * HOUR - 120)

    assert restore_guard.watch()


def test_a_machine_that_was_away_cannot_vouch_for_a_database_nobody_works_on() -> None:
    a_worker_ran(seconds_ago=24 * HOUR)
    HighWaterMark.objects.update(at=mark() + 12 * HOUR)

    assert not restore_guard.watch()


def test_a_machine_that_missed_the_last_minutes_still_vouches() -> None:
    a_worker_ran(seconds_ago=24 * HOUR)
    HighWaterMark.objects.update(at=mark() + 300)

    assert restore_guard.watch()


def test_a_database_clock_that_was_set_back_does_not_stop_the_mark() -> None:
    ahead = a_worker_ran(seconds_ago=-HOUR)

    assert restore_guard.watch()

    assert mark() == ahead + 1


@pytest.mark.parametrize("content", ["", "garbage", "-5", "9" * 400, "\udcff"])
def test_a_file_that_cannot_be_read_vouches_for_nothing(content: str) -> None:
    a_worker_ran(seconds_ago=HOUR)
    file().write_bytes(content.encode("utf-8", "surrogateescape"))

    assert not restore_guard.watch()


def test_a_file_that_cannot_be_written_is_told_and_stops_nobody(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MARK_FILE = str(tmp_path / "nowhere" / "mark")

    with caplog.at_level(logging.ERROR):
        assert restore_guard.watch()

    assert "mark_not_kept" in caplog.text


def test_a_half_written_draft_is_left_behind_by_nobody() -> None:
    restore_guard.watch()

    assert [path.name for path in file().parent.glob(f"{file().name}*")] == [file().name]


def test_a_lower_mark_never_replaces_a_higher_one() -> None:
    higher = a_worker_ran(seconds_ago=0)

    restore_guard.keep(higher - 100)

    assert int(file().read_text()) == higher
