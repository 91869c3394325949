"""What happens when the tries are over: a fresh mail for an exhausted link, a link needed after a hundred, an alarm."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import sign_in as door
from accounts.attempts import Attempts, Bucket, address_bucket, count_failure, spend
from migration import first_login as first_logins
from migration import mailboxes
from migration.models import Event, FirstLogin, Mailbox, Mailing
from tests import factories

from .door import let_pass, owner_client, save, sign_in, without_csrf

WRONG = "bcdf-ghjk-mnpq-rs34"


def wrong(mailbox: Mailbox, times: int, *, locator: str = "") -> None:
    """So many wrong tries, each from a network of its own and, with a link, a minute after the last one."""
    for number in range(times):
        door.attempt(mailbox.address, WRONG, locator=locator, ip=f"198.51.{number // 250}.{number % 250}")
        if locator:
            let_pass()


def queued(mailbox: Mailbox) -> int:
    return Mailing.objects.filter(mailbox=mailbox, kind="invitation", state=Mailing.State.QUEUED).count()


def mailed(mailbox: Mailbox) -> tuple[FirstLogin, str]:
    """The mail that was queued reaches the owner."""
    fresh = FirstLogin.objects.select_related("mailbox").get(mailbox=mailbox, minted_at=None)
    secret = first_logins.mint(fresh)
    Mailing.objects.filter(first_login=fresh).update(state=Mailing.State.SENT)
    return fresh, secret


def test_after_twenty_wrong_tries_the_link_is_dead_and_a_fresh_one_is_mailed(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(mailbox, 19, locator=first_login.locator)
    assert queued(mailbox) == 0

    wrong(mailbox, 1, locator=first_login.locator)

    assert queued(mailbox) == 1
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 422
    assert sign_in(Client(), mailbox.address, secret).status_code == 422
    fresh, fresh_secret = mailed(mailbox)
    assert sign_in(Client(), mailbox.address, fresh_secret, locator=fresh.locator).status_code == 302
    event = mailbox.events.get(action=Event.Action.REPLACED)
    assert (event.actor, event.detail) == ("portal", {"number": 1})


def test_the_fresh_password_opens_the_door_through_the_dead_link_too(mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    wrong(mailbox, 25, locator=first_login.locator)
    _, fresh_secret = mailed(mailbox)

    # The dead link counts as none, so the address's own window has to pass.
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert sign_in(Client(), mailbox.address, fresh_secret, locator=first_login.locator).status_code == 302


def test_a_fresh_link_is_mailed_once_a_day(mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        wrong(mailbox, 20, locator=first_login.locator)
        fresh, secret = mailed(mailbox)
        wrong(mailbox, 40, locator=fresh.locator)
        assert queued(mailbox) == 0
        assert sign_in(Client(), mailbox.address, secret, locator=fresh.locator).status_code == 422
        assert sign_in(Client(), mailbox.address, secret).status_code == 302  # the password itself is still good

        clock.shift(timedelta(days=1, seconds=1))
        let_pass()
        wrong(mailbox, 1, locator=fresh.locator)

        assert queued(mailbox) == 1


def test_strangers_without_the_link_cannot_make_us_mail_anything(mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    other, _ = factories.make_first_login(factories.make_mailbox("berta", domain=mailbox.domain))

    wrong(mailbox, 60)
    wrong(mailbox, 60, locator=other.locator)

    assert queued(mailbox) == 0
    assert not mailbox.events.filter(action=Event.Action.REPLACED).exists()


@pytest.mark.parametrize("reason", ["paused", "consumed", "expired", "excluded", "waiting"])
def test_nothing_is_replaced_where_nothing_may_be_mailed(mailbox: Mailbox, reason: str) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    now = timezone.now()
    if reason == "paused":
        mailbox.domain.paused_at = now
        mailbox.domain.save()
    elif reason == "consumed":
        FirstLogin.objects.update(consumed_at=now)
    elif reason == "expired":
        FirstLogin.objects.update(minted_at=now - timedelta(days=20))
    elif reason == "excluded":
        mailboxes.exclude(mailbox, actor="staff:eva", reason="leaves")
    else:
        FirstLogin.objects.create(mailbox=mailbox, number=2, locator=first_logins.new_locator())
    before = FirstLogin.objects.values_list("revoked_at", flat=True).first()

    wrong(mailbox, 22, locator=first_login.locator)

    assert queued(mailbox) == 0
    assert FirstLogin.objects.values_list("revoked_at", flat=True).first() == before


def test_a_pause_uses_up_no_days_mail(mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    mailbox.domain.paused_at = timezone.now()
    mailbox.domain.save()
    wrong(mailbox, 21, locator=first_login.locator)
    mailbox.domain.paused_at = None
    mailbox.domain.save()

    wrong(mailbox, 1, locator=first_login.locator)

    assert queued(mailbox) == 1


def test_after_a_hundred_failures_in_a_row_only_the_link_opens_the_door(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    row = Bucket("address_row", address_bucket(mailbox.address).subject)
    for _ in range(100):
        spend(row)

    response = sign_in(Client(), mailbox.address, secret)

    assert response.status_code == 422
    assert mailbox.events.get(action=Event.Action.SIGN_IN_FAILED).detail == {"reason": "link_needed"}
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302
    assert sign_in(Client(), mailbox.address, secret).status_code == 302  # the row is broken


def test_only_tries_that_were_looked_at_count_for_the_row(mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            wrong(mailbox, 50)
            clock.shift(timedelta(minutes=15))

    assert Attempts.objects.get(bucket__startswith="address_row:").count == 15


def test_by_setting_only_links_open_the_door(mailbox: Mailbox, settings: Any) -> None:
    settings.SIGN_IN_BY_LINK_ONLY = True
    first_login, secret = factories.make_first_login(mailbox)

    by_address, unknown = sign_in(Client(), mailbox.address, secret), sign_in(Client(), "nina@demo.example", WRONG)

    assert by_address.status_code == unknown.status_code == 422
    assert without_csrf(by_address).replace(b"anna@", b"nina@") == without_csrf(unknown)
    assert mailbox.events.get(action=Event.Action.SIGN_IN_FAILED).detail == {"reason": "link_needed"}
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302


def test_the_setting_changes_the_work_for_nobody(mailbox: Mailbox, settings: Any) -> None:
    factories.make_first_login(mailbox)
    kinds = []
    for switched in (False, True):
        settings.SIGN_IN_BY_LINK_ONLY = switched
        for address in (mailbox.address, "nobody@demo.example"):
            with CaptureQueriesContext(connection) as queries:
                sign_in(Client(), address, WRONG)
            kinds.append([query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]])

    assert kinds[0] == kinds[1] == kinds[2] == kinds[3]


def alarms(caplog: pytest.LogCaptureFixture) -> list[tuple[int, float]]:
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [(line["failures"], line["usual"]) for line in lines if line["event"] == "sign_in_failures_unusual"]


def test_a_hundred_failures_in_an_hour_of_a_quiet_week_are_an_alarm(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with time_machine.travel(timezone.now().replace(minute=1), tick=False):
        for _ in range(99):
            count_failure()
        assert alarms(caplog) == []
        for _ in range(200):
            count_failure()

    assert alarms(caplog) == [(100, 0)]


def test_ten_times_the_weeks_median_hour_is_an_alarm(db: None, caplog: pytest.LogCaptureFixture) -> None:
    now = timezone.now().replace(minute=30)
    for hours in range(1, 101):
        then = now - timedelta(hours=hours)
        Attempts.objects.create(bucket=f"all:{then:%Y-%m-%dT%H}", count=30, since=then)
    with time_machine.travel(now, tick=False):
        for _ in range(299):
            count_failure()
        assert alarms(caplog) == []
        count_failure()

    assert alarms(caplog) == [(300, 30)]


def test_failures_of_everybody_count_and_successes_do_not(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(mailbox, 3)
    wrong(mailbox, 2, locator=first_login.locator)
    for number in range(31):
        door.attempt(f"m{number}@demo.example", WRONG, locator="", ip="203.0.113.1")
    sign_in(Client(), mailbox.address, secret, locator=first_login.locator)

    assert sum(Attempts.objects.filter(bucket__startswith="all:").values_list("count", flat=True)) == 36


def test_another_password_later_needs_a_new_mail_once_a_day(mailbox: Mailbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = owner_client(mailbox)
        save(client)
        Mailbox.objects.update(state=Mailbox.State.ACTIVE)
        clock.shift(timedelta(hours=2))
        Client().post("/again", {"address": mailbox.address})
        fresh, secret = mailed(mailbox)
        mailbox.refresh_from_db()
        assert mailbox.state == Mailbox.State.ACTIVE

        again = Client()
        assert sign_in(again, mailbox.address, secret, locator=fresh.locator).status_code == 302
        assert save(again, "Tulpe-77-ofen-kran").status_code == 302
        clock.shift(timedelta(hours=2))
        Client().post("/again", {"address": mailbox.address})
        assert queued(mailbox) == 0


@pytest.mark.parametrize("state", [Mailbox.State.MOVED, Mailbox.State.EXCLUDED])
def test_after_the_hand_over_no_further_mail_comes(mailbox: Mailbox, state: str) -> None:
    save(owner_client(mailbox))
    Mailbox.objects.update(state=state)

    Client().post("/again", {"address": mailbox.address})

    assert queued(mailbox) == 0
