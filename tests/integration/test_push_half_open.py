"""Half-open: while mailcow often gives no clear answer it is asked once a minute, until one push arrives."""

import pytest

from migration import pushes
from migration.mailcow.errors import UNCLEAR, Reason
from migration.models import Event, Push, Target
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_mailbox, make_push
from tests.pushing import deliver, time_passes

pytestmark = pytest.mark.django_db


def waiting(mailcow: MailcowStandIn, count: int) -> list[Push]:
    found = [make_push(make_mailbox()) for _ in range(count)]
    for push in found:
        mailcow.add_mailbox(push.mailbox.address)
    return found


def is_half_open() -> bool:
    return Target.objects.filter(probe_after__isnull=False).exists()


@pytest.fixture
def half_open(mailcow: MailcowStandIn) -> MailcowStandIn:
    """Five unclear tries, and six pushes more that wait."""
    waiting(mailcow, 11)
    mailcow.faults.answer_500(times=5)
    pushes.work()
    assert is_half_open()
    return mailcow


def test_five_unclear_tries_slow_down(half_open: MailcowStandIn) -> None:
    assert len(half_open.calls) == 5
    assert pushes.work() == 0
    event = Event.objects.get(action=Event.Action.BREAKER_HALF_OPENED)
    assert event.detail == {"target": half_open.url.partition("://")[2], "unclear": 5, "tries": 5}


def test_one_push_a_minute_is_tried(half_open: MailcowStandIn) -> None:
    half_open.faults.answer_500(times=None)

    for minute in range(1, 4):
        time_passes(half_open, seconds=61)
        assert pushes.work() == 1
        assert pushes.work() == 0
        assert len(half_open.calls) == 5 + minute


def test_the_first_push_that_arrives_lets_all_others_go(half_open: MailcowStandIn) -> None:
    time_passes(half_open, seconds=61)

    assert pushes.work() == 11

    assert not is_half_open()
    assert Event.objects.get(action=Event.Action.BREAKER_CLOSED).actor == "worker"
    assert set(Push.objects.values_list("state", flat=True)) == {Push.State.DELIVERED}


def test_nothing_is_tried_while_the_last_try_is_still_out(half_open: MailcowStandIn) -> None:
    time_passes(half_open, seconds=61)
    assert pushes.claim() is not None
    time_passes(half_open, seconds=61)

    assert pushes.claim() is None


def test_a_person_who_starts_everything_again_is_believed(half_open: MailcowStandIn) -> None:
    assert pushes.retry_all(actor="command:retry_pushes") == 11
    assert pushes.work() == 11


def test_four_unclear_tries_say_nothing(mailcow: MailcowStandIn) -> None:
    waiting(mailcow, 4)
    mailcow.faults.answer_500(times=4)
    pushes.work()

    assert not is_half_open()


@pytest.mark.parametrize(("unclear", "expected"), [(2, False), (3, True)])
def test_more_than_a_fifth_must_be_unclear(mailcow: MailcowStandIn, unclear: int, expected: bool) -> None:
    waiting(mailcow, 8)
    pushes.work()
    for push in waiting(mailcow, unclear):
        mailcow.faults.answer_500()
        deliver(push)

    assert is_half_open() is expected


def test_what_was_unclear_more_than_five_minutes_ago_is_forgotten(mailcow: MailcowStandIn) -> None:
    waiting(mailcow, 4)
    mailcow.faults.answer_500(times=4)
    pushes.work()
    time_passes(mailcow, minutes=5, seconds=1)
    mailcow.faults.answer_500()
    deliver(waiting(mailcow, 1)[0])

    assert not is_half_open()


def test_being_turned_away_is_never_probed(mailcow: MailcowStandIn) -> None:
    waiting(mailcow, 11)
    mailcow.faults.answer_500(times=4)
    mailcow.faults.wrong_key()
    pushes.work()
    calls = len(mailcow.calls)
    assert calls == 5

    for _ in range(3):
        time_passes(mailcow, hours=8)
        assert pushes.work() == 0

    assert len(mailcow.calls) == calls
    assert not is_half_open()


def test_refusals_for_one_mailbox_say_nothing_about_the_others(mailcow: MailcowStandIn) -> None:
    waiting(mailcow, 8)
    mailcow.faults.reject("password_complexity", times=8)
    pushes.work()

    assert not is_half_open()


def test_every_unclear_outcome_counts() -> None:
    """The list of reasons has the unclear ones first."""
    reasons = list(Reason)

    assert set(reasons[: reasons.index(Reason.QUOTA)]) == UNCLEAR
