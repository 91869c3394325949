"""Clocks that differ, and days that are not like others."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models.functions import Now
from django.utils import timezone

from migration import first_login as first_logins
from migration import pushes
from migration.mailings import outbox
from migration.models import Mailbox, Mailing, Push
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost
from tests import factories
from tests.integration.door import owner_client
from tests.integration.test_mail_outbox import invite
from tests.pushing import push, time_passes

__all__ = ["push"]

OFF_BY = [timedelta(minutes=-10), timedelta(minutes=10)]
# What a calendar can do to us: Vienna's clocks forward and back, a leap day, new year here and there.
JUMPS = {
    "summer time begins": datetime(2027, 3, 28, 1, tzinfo=UTC),
    "summer time ends": datetime(2027, 10, 31, 1, tzinfo=UTC),
    "leap day": datetime(2028, 2, 29, tzinfo=UTC),
    "new year in Vienna": datetime(2026, 12, 31, 23, tzinfo=UTC),
    "new year in UTC": datetime(2027, 1, 1, tzinfo=UTC),
}
S = Push.State


def waits_for(row: type[Push | Mailing], minutes: int) -> None:
    """Due so long from now by the database's clock."""
    row._default_manager.update(due_at=Now() + timedelta(minutes=minutes))


@pytest.mark.django_db
@pytest.mark.parametrize("off_by", OFF_BY, ids=["behind", "ahead"])
def test_a_worker_whose_clock_is_off_takes_nothing_early_and_nothing_late(
    push: Push, mailcow: MailcowStandIn, host: MailHost, off_by: timedelta
) -> None:
    mailing = invite(factories.make_mailbox())

    with time_machine.travel(timezone.now() + off_by):
        waits_for(Push, 5)
        waits_for(Mailing, 5)
        assert (pushes.work(), outbox.due()) == (0, [])
        waits_for(Push, 0)
        waits_for(Mailing, 0)
        outbox.send(mailing.pk)
        assert pushes.work() == 1

    push.refresh_from_db()
    mailing.refresh_from_db()
    assert (push.state, mailing.state) == (S.DELIVERED, Mailing.State.SENT)


@pytest.mark.django_db
def test_a_worker_whose_clock_is_off_ends_no_living_claim(push: Push, mailcow: MailcowStandIn) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=10)):
        assert pushes.claim(push.pk)

    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert pushes.reap_leases() == 0
        time_passes(mailcow, seconds=200)
        assert pushes.reap_leases() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_a_session_across_a_jump_lasts_as_long_as_any(mailbox: Mailbox, jump: datetime) -> None:
    with time_machine.travel(jump - timedelta(minutes=10), tick=False) as clock:
        owner = owner_client(mailbox)
        clock.shift(timedelta(minutes=14))
        assert owner.get("/password").status_code == 200

        clock.shift(timedelta(minutes=16))
        assert owner.get("/password").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_a_first_login_password_across_a_jump_lives_as_many_seconds_as_any(mailbox: Mailbox, jump: datetime) -> None:
    with time_machine.travel(jump - timedelta(days=7), tick=False) as clock:
        first_login, secret = factories.make_first_login(mailbox)

        clock.shift(timedelta(days=14, seconds=-1))
        assert first_logins.check(mailbox, secret) == first_login
        clock.shift(timedelta(seconds=2))
        assert first_logins.check(mailbox, secret) is None
