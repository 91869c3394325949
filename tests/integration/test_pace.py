"""The pace: no minute sees more mails than it allows, however many workers and clocks ring."""

import random
import socket
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.db.models import F

from migration.mailings import outbox, pace, route
from migration.mailings.pace import MINUTE, granted
from migration.models import Mailing, Pace, Source
from sandbox.mailhost import At, MailHost
from tests import factories
from tests.racing import at_once

WAY = route.Way(route.SETTINGS)


def most_in_a_minute(times: list[datetime], *, blur: timedelta = timedelta(0)) -> int:
    """The largest number of times within any sixty seconds; `blur` is how late a time may have been noted."""
    most, first = 0, 0
    for last, time in enumerate(times):
        while times[first] <= time - MINUTE + blur:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("per_minute", [1, 29, 120, 300, 10_000])
@pytest.mark.parametrize("mails", [5_000])
def test_queued_mails_leave_at_the_pace_and_never_faster(per_minute: int, mails: int) -> None:
    chance = random.Random(per_minute)
    mails = min(mails, 100 * per_minute)
    now = start = datetime(2026, 3, 29, tzinfo=UTC)
    free_at = start - timedelta(days=30)
    left: list[datetime] = []

    while len(left) < mails:  # workers that come at any moment and want any number
        number, free_at = granted(free_at, now, per_minute, min(chance.randint(1, 20), mails - len(left)))
        left += [now] * number
        now += MINUTE / per_minute * chance.random() / 10

    assert most_in_a_minute(left) <= per_minute
    at_best = MINUTE / per_minute * mails
    assert left[-1] - start <= at_best * 1.06


def test_wait_of_days_saves_up_no_more_than_a_moment_of_mails() -> None:
    now = datetime(2026, 3, 29, tzinfo=UTC)

    number, _free_at = granted(now - timedelta(days=3), now, 300, 5_000)

    assert number == 10


@pytest.mark.django_db(transaction=True)
def test_many_workers_together_are_given_no_more_than_the_pace(settings: Any) -> None:
    settings.MAILS_PER_MINUTE = 300
    given: list[int] = []

    at_once(*[lambda: given.append(sum(pace.take(WAY, 3) for _ in range(5)))] * 6)

    # What was saved up, and what a slow machine lets go by meanwhile.
    assert 10 <= sum(given) <= 10 + 20


@pytest.mark.django_db
def test_each_old_server_has_a_pace_of_its_own(settings: Any) -> None:
    settings.MAILS_PER_MINUTE = 60
    source = Source.objects.create(name="Slow", smtp_host="slow.example", pace=1)
    slow = route.of_source(source)

    assert (pace.take(WAY, 100), pace.take(slow, 100)) == (2, 1)
    assert (pace.take(WAY, 100), pace.take(slow, 100)) == (0, 0)


def queue(number: int) -> list[int]:
    domain = factories.make_domain("demo.example", announced=False)
    rows = [
        Mailing(kind=Mailing.Kind.ANNOUNCEMENT, domain=domain, recipient=f"m{n}@demo.example", language="de", text="x")
        for n in range(number)
    ]
    return [row.pk for row in Mailing.objects.bulk_create(rows)]


@pytest.mark.django_db
def test_two_beats_and_every_doorbell_at_once_keep_the_pace(host: MailHost, settings: Any) -> None:
    settings.MAILS_PER_MINUTE = 90
    rows, start = queue(150), datetime.now(UTC)
    left: list[datetime] = []
    longest = timedelta(0)

    for skipped in range(200):
        began = datetime.now(UTC)
        for pk in rows[-3:]:
            outbox.send(pk)
        for first in (outbox.due()[:1], outbox.due()[:1]):
            for pk in first:
                outbox.work(pk)
        # The clock is the real one, and a second that is skipped in every round.
        now = datetime.now(UTC) + timedelta(seconds=skipped)
        longest = max(longest, datetime.now(UTC) - began)
        left += [now] * (len(host.mails()) - len(left))
        Pace.objects.update(free_at=F("free_at") - timedelta(seconds=1))

    assert len(left) == 150
    assert most_in_a_minute(left, blur=longest) <= 90
    assert timedelta(seconds=90) < left[-1] - start < timedelta(seconds=115)


@pytest.mark.django_db
def test_one_connection_serves_the_run(host: MailHost, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0
    create = socket.create_connection

    def counted(*arguments: Any, **options: Any) -> socket.socket:
        nonlocal opened
        opened += 1
        return create(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", counted)
    rows = queue(50)

    assert outbox.work(rows[0]) == 50

    assert len(host.mails()) == 50
    assert opened == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("at", "code"), [(At.MAIL, 421), (At.MAIL, 0), (At.REPLY, 0)])
def test_connection_that_the_server_ends_is_opened_again(host: MailHost, at: At, code: int) -> None:
    first, second, third = queue(3)
    Mailing.objects.filter(pk__in=(second, third)).update(due_at=F("due_at") + timedelta(hours=1))
    assert outbox.work(first) == 1
    Mailing.objects.filter(pk__in=(second, third)).update(due_at=F("due_at") - timedelta(hours=1))
    host.fail(code, at=at) if code else host.cut(at=at)

    outbox.work(second)

    assert Mailing.objects.filter(state=Mailing.State.SENT).count() >= 2
    assert len({mail.recipient for mail in host.mails()}) == len(host.mails())


@pytest.mark.django_db(transaction=True)
def test_runs_of_several_workers_send_each_mail_once(host: MailHost) -> None:
    rows = queue(60)

    at_once(*[partial(outbox.work, pk) for pk in rows[:4]])

    assert sorted(mail.recipient for mail in host.mails()) == sorted(f"m{n}@demo.example" for n in range(60))
    assert all(a.recipient != b.recipient for a, b in pairwise(sorted(host.mails(), key=lambda mail: mail.recipient)))
