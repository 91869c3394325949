"""Everything is kept as long as the table says and not longer; the clock is moved to both sides of each boundary."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session

from accounts import retention
from accounts.attempts import Attempts, Bucket
from migration import first_login as first_logins
from migration import mailboxes
from migration.audit.canonical import network_of
from migration.models import Event, FirstLogin, ImportRun, Mailbox, Mailing, Push, SourceLogin
from migration.retention import RULES
from tests import factories
from tests.audit import unguarded

pytestmark = pytest.mark.django_db

# So long ago that the database's clock, which nobody moves, lets go what is due by the moved one.
START = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def due(code: str) -> int:
    return retention.run(dry_run=True)[code]


def boundary(clock: time_machine.Traveller, code: str, days: int) -> None:
    """One second before nothing is due; one second after it is erased, and a second run finds nothing."""
    clock.move_to(START + timedelta(days=days) - SECOND)
    assert due(code) == 0
    clock.move_to(START + timedelta(days=days) + SECOND)
    assert due(code) == 1
    assert retention.run()[code] == 1
    assert due(code) == 0


def test_hash_that_could_not_be_pushed_ends_after_30_days(clock: time_machine.Traveller) -> None:
    push = factories.make_push(factories.make_mailbox(), state=Push.State.WAITING, created_at=START)

    boundary(clock, "pending_hash", 30)

    push.refresh_from_db()
    assert (push.payload, push.state, push.reason) == (None, Push.State.BLOCKED, Push.Reason.UNREADABLE)
    event = Event.objects.get(action=Event.Action.PUSH_BLOCKED)
    assert (event.mailbox_id, event.actor) == (push.mailbox_id, "retention")
    assert event.detail == {"version": 1, "reason": "unreadable", "erased": True}


def test_mailbox_whose_hash_was_erased_can_be_reopened(clock: time_machine.Traveller) -> None:
    mailbox = factories.make_mailbox()
    push = factories.make_push(mailbox)
    clock.move_to(START + timedelta(days=31))
    retention.run()

    mailboxes.reopen(mailbox, actor="test")

    push.refresh_from_db()
    assert push.state == Push.State.SUPERSEDED


def test_push_in_a_workers_hands_is_left_to_it(clock: time_machine.Traveller) -> None:
    factories.make_push(factories.make_mailbox(), state=Push.State.IN_FLIGHT)
    clock.move_to(START + timedelta(days=31))

    assert due("pending_hash") == 0


def test_watched_push_ends_as_delivered(clock: time_machine.Traveller) -> None:
    push = factories.make_push(
        factories.make_mailbox(), state=Push.State.SETTLING, confirmed_update="2024-03-04 10:00:00"
    )
    clock.move_to(START + timedelta(days=31))

    retention.run()

    push.refresh_from_db()
    assert (push.state, push.payload) == (Push.State.DELIVERED, None)


def test_old_password_ends_30_days_after_the_cut_over(clock: time_machine.Traveller) -> None:
    mailbox = factories.make_mailbox(domain=factories.make_domain(cut_over_at=START), legacy="{SSHA512}x")
    factories.make_mailbox(legacy="{SSHA512}y")

    boundary(clock, "legacy_hash", 30)

    mailbox.refresh_from_db()
    assert mailbox.legacy_hash is None


@pytest.mark.parametrize("state", Mailbox.DONE)
def test_old_password_of_a_mailbox_that_is_done_goes_at_once(state: str) -> None:
    factories.make_mailbox(legacy="{SSHA512}x", state=state)

    assert retention.run()["legacy_hash"] == 1


@pytest.mark.parametrize("ended", ["consumed_at", "revoked_at"])
def test_row_of_a_spent_first_login_password_goes_after_90_days(ended: str, clock: time_machine.Traveller) -> None:
    mailbox = factories.make_mailbox()
    _spent, _secret = factories.make_first_login(mailbox)
    FirstLogin.objects.update(**{ended: START})
    newest, _secret = factories.make_first_login(mailbox)

    boundary(clock, "first_login", 90)

    assert list(FirstLogin.objects.all()) == [newest]
    assert Mailing.objects.filter(mailbox=mailbox, first_login=None).count() == 1


def test_row_of_an_expired_first_login_password_goes_90_days_later(clock: time_machine.Traveller) -> None:
    mailbox = factories.make_mailbox()
    factories.make_first_login(mailbox)
    factories.make_first_login(mailbox)

    boundary(clock, "first_login", 14 + 90)


def test_first_login_password_lives_on_with_a_late_deadline(clock: time_machine.Traveller) -> None:
    domain = factories.make_domain(deadline=date(2024, 12, 24))
    mailbox = factories.make_mailbox(domain=domain)
    _first, secret = factories.make_first_login(mailbox)
    second, _secret = factories.make_first_login(mailbox)
    FirstLogin.objects.filter(pk=second.pk).update(revoked_at=START)
    factories.make_first_login(mailbox)
    clock.move_to(START + timedelta(days=200))

    retention.run()

    # Were the second row gone, the first would be the predecessor of the newest and open the door again.
    assert FirstLogin.objects.count() == 3
    assert first_logins.check(mailbox, secret) is None


def test_newest_first_login_password_stays_while_another_mail_may_be_asked_for(clock: time_machine.Traveller) -> None:
    mailbox = factories.make_mailbox()
    factories.make_first_login(mailbox)
    clock.move_to(START + timedelta(days=400))

    assert due("first_login") == 0
    Mailbox.objects.update(state=Mailbox.State.MOVED)
    assert due("first_login") == 1


def test_ip_address_is_cut_after_7_days_and_gone_after_30(clock: time_machine.Traveller) -> None:
    mailbox = factories.make_mailbox()
    event = Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=mailbox, ip="192.0.2.77")

    boundary(clock, "event_ip_cut", 7)
    event.refresh_from_db()
    assert event.ip == "192.0.2.0"

    boundary(clock, "event_ip", 30)
    event.refresh_from_db()
    assert event.ip is None
    assert event.mailbox == mailbox


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        ("192.0.2.77", "192.0.2.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("::ffff:192.0.2.77", "192.0.2.0"),
    ],
)
def test_ip_address_is_cut_to_its_network(whole: str, cut: str) -> None:
    assert network_of(whole) == cut
    assert network_of(cut) == cut


def test_event_is_anonymised_after_a_year(clock: time_machine.Traveller) -> None:
    mailbox = factories.make_mailbox(state=Mailbox.State.EXCLUDED)
    mailboxes.include(mailbox, actor="staff:eva@provider.example", reason="Frau Huber bat darum")

    boundary(clock, "event", 365)

    event = Event.objects.get()
    assert (event.actor, event.mailbox_id, event.detail) == ("staff", None, {})
    assert (event.action, event.domain_id) == (Event.Action.INCLUDED, mailbox.domain_id)


def test_origin_of_an_old_login_is_cut_and_then_deleted(clock: time_machine.Traveller) -> None:
    login = SourceLogin.objects.create(mailbox=factories.make_mailbox(), at=START, ip="2001:db8:1:2::3")

    boundary(clock, "source_ip_cut", 7)
    login.refresh_from_db()
    assert login.ip == "2001:db8:1::"

    boundary(clock, "source_login", 30)


def test_import_goes_after_30_days(clock: time_machine.Traveller) -> None:
    ImportRun.objects.create(domain=factories.make_domain(), file_name="x.csv", state=ImportRun.State.APPLIED)

    boundary(clock, "import", 30)


def test_attempt_counter_goes_when_it_can_refuse_nobody(clock: time_machine.Traveller) -> None:
    Attempts.objects.create(bucket=Bucket("network", "192.0.2.1").key, count=30, since=START)
    clock.move_to(START + timedelta(minutes=15) - SECOND)
    assert due("attempts") == 0
    clock.move_to(START + timedelta(minutes=15) + SECOND)

    assert retention.run()["attempts"] == 1


def test_session_goes_when_it_has_ended(clock: time_machine.Traveller) -> None:
    Session.objects.create(session_key="a", session_data="", expire_date=START)
    Session.objects.create(session_key="b", session_data="", expire_date=START + timedelta(hours=1))
    clock.move_to(START + SECOND)

    assert retention.run()["session"] == 1
    assert Session.objects.get().session_key == "b"


def test_more_than_one_batch_is_erased() -> None:
    domain = factories.make_domain()
    events = (Event(actor="owner", action="signed_in", domain=domain, ip="192.0.2.7") for _ in range(1201))
    Event.objects.bulk_create(events)
    with unguarded():
        Event.objects.update(at=START - timedelta(days=8))

    assert retention.run()["event_ip_cut"] == 1201
    assert set(Event.objects.values_list("ip", flat=True)) == {"192.0.2.0"}


def test_counter_that_counts_again_meanwhile_stays() -> None:
    bucket = Bucket("network", "192.0.2.1")
    Attempts.objects.create(bucket=bucket.key, count=5, since=START - timedelta(days=1))
    rule = retention.RULES[-2]
    chosen = rule.due(START)
    Attempts.objects.update(since=START)

    rule.erase(chosen)

    assert Attempts.objects.count() == 1


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.code for rule in retention.RULES}) == len(retention.RULES) > len(RULES)
