"""A worker asks mailcow whom it keeps out, and lifts a ban that staff wished away; the web process does neither."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.retention import RULES
from migration import bans, tasks
from migration.models import Ban, BanPoll, Event, Lifting, Mailbox, SourceLogin, Target
from migration.refusals import VerbRefused
from migration.retention import run
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_mailbox

pytestmark = pytest.mark.django_db
PHONE, OTHER = "198.51.100.7/32", "203.0.113.9/32"
EVA = "staff:eva@provider.example"


def six_minutes_pass() -> None:
    BanPoll.objects.update(asked_at=F("asked_at") - timedelta(minutes=6))


@pytest.fixture
def banned(mailcow: MailcowStandIn) -> MailcowStandIn:
    """A phone is banned, and we were told."""
    mailcow.ban(PHONE)
    assert bans.poll() == 1
    mailcow.calls.clear()
    return mailcow


def seen_at(mailbox: Mailbox, ip: str, *, days_ago: float = 1) -> None:
    SourceLogin.objects.create(mailbox=mailbox, at=timezone.now() - timedelta(days=days_ago), ip=ip, protocol="imap")


def names(network: str = PHONE) -> list[str]:
    return [str(mailbox) for row in bans.shown() if row.ban.network == network for mailbox in row.mailboxes]


def test_bans_are_kept_as_mailcow_tells_them(mailcow: MailcowStandIn) -> None:
    mailcow.ban(PHONE, seconds=1800)
    mailcow.state.denied.append(OTHER)

    assert bans.poll() == 2

    until = Ban.objects.get(network=PHONE).until
    assert until is not None
    assert timedelta(minutes=29) < until - timezone.now() < timedelta(minutes=31)
    assert Ban.objects.get(network=OTHER).until is None


def test_each_answer_replaces_the_one_before(banned: MailcowStandIn) -> None:
    banned.state.bans.clear()
    banned.ban(OTHER)
    six_minutes_pass()

    bans.poll()

    assert [ban.network for ban in Ban.objects.all()] == [OTHER]


def test_mailcow_is_asked_at_most_every_five_minutes(banned: MailcowStandIn) -> None:
    assert bans.poll() is None
    assert not banned.calls

    six_minutes_pass()

    assert bans.poll() == 1
    assert len(banned.calls) == 1


def test_an_answer_that_is_unclear_changes_nothing_and_is_noted(banned: MailcowStandIn) -> None:
    six_minutes_pass()
    banned.faults.answer_500()

    assert bans.poll() is None

    assert Ban.objects.count() == 1
    assert BanPoll.objects.get().problem == "server_error"


def test_being_turned_away_opens_the_breaker_and_then_nobody_asks(banned: MailcowStandIn) -> None:
    banned.faults.wrong_key()
    for _ in range(3):
        six_minutes_pass()
        bans.poll()

    assert Target.objects.get().breaker_reason == "key"
    assert len(banned.calls) == 1


def test_a_process_without_the_key_asks_nobody(banned: MailcowStandIn, settings: Any) -> None:
    settings.MAILCOW_API_KEY = ""
    six_minutes_pass()

    assert bans.poll() is None
    lifting = bans.ask_to_lift(PHONE, actor=EVA)
    bans.lift(lifting.pk)

    assert not banned.calls
    assert Lifting.objects.get().state == Lifting.State.ASKED


def test_a_wish_is_carried_out_and_written_down(banned: MailcowStandIn, mailbox: Mailbox) -> None:
    seen_at(mailbox, "198.51.100.7")
    lifting = bans.ask_to_lift(PHONE, actor=EVA)
    assert not banned.calls

    bans.lift(lifting.pk)

    assert PHONE in banned.state.unban_queue
    assert Ban.objects.get().is_queued
    assert Lifting.objects.get().state == Lifting.State.DONE
    event = Event.objects.get(action=Event.Action.BAN_LIFTED)
    assert (event.actor, event.mailbox, event.ip, event.detail) == (EVA, mailbox, "198.51.100.7", {})


def test_lifting_a_strangers_ban_is_written_down_too(banned: MailcowStandIn) -> None:
    bans.lift(bans.ask_to_lift(PHONE, actor=EVA).pk)

    assert Event.objects.get(action=Event.Action.BAN_LIFTED).mailbox is None


def test_a_message_that_comes_twice_lifts_once(banned: MailcowStandIn) -> None:
    lifting = bans.ask_to_lift(PHONE, actor=EVA)
    bans.lift(lifting.pk)
    bans.lift(lifting.pk)
    bans.lift(999)

    assert sum(call.is_write for call in banned.calls) == 1
    assert Event.objects.filter(action=Event.Action.BAN_LIFTED).count() == 1


def test_a_wish_nobody_was_told_of_is_found_by_the_sweep(banned: MailcowStandIn) -> None:
    lifting = bans.ask_to_lift(PHONE, actor=EVA)

    assert [found.pk for found in bans.due()] == [lifting.pk]
    tasks.sweep()
    tasks.lift_ban(lifting.pk)

    assert list(bans.due()) == []


def test_a_wish_that_ended_unclear_is_tried_again_but_not_for_ever(banned: MailcowStandIn) -> None:
    banned.faults.answer_500(times=None, calls="write")
    lifting = bans.ask_to_lift(PHONE, actor=EVA)
    bans.lift(lifting.pk)
    bans.lift(lifting.pk)
    assert len(banned.calls) == 1

    for _ in range(6):
        Lifting.objects.update(due_at=F("due_at") - timedelta(minutes=3))
        bans.lift(lifting.pk)

    lifting.refresh_from_db()
    assert (lifting.state, lifting.reason, lifting.attempts) == (Lifting.State.FAILED, "server_error", bans.TRIES)
    assert len(banned.calls) == bans.TRIES


def test_a_network_that_stays_banned_is_a_failure_at_once(banned: MailcowStandIn) -> None:
    banned.state.denied.append(PHONE)
    lifting = bans.ask_to_lift(PHONE, actor=EVA)

    bans.lift(lifting.pk)

    lifting.refresh_from_db()
    assert (lifting.state, lifting.reason) == (Lifting.State.FAILED, "not_stored")
    assert not Event.objects.filter(action=Event.Action.BAN_LIFTED).exists()


def test_a_lifting_that_is_turned_away_opens_the_breaker(banned: MailcowStandIn) -> None:
    banned.faults.read_only()
    bans.lift(bans.ask_to_lift(PHONE, actor=EVA).pk)

    assert Target.objects.get().breaker_reason == "read_only"


def test_a_wish_of_an_hour_ago_is_given_up(banned: MailcowStandIn) -> None:
    lifting = bans.ask_to_lift(PHONE, actor=EVA)
    Lifting.objects.update(asked_at=F("asked_at") - timedelta(minutes=61))

    bans.lift(lifting.pk)

    lifting.refresh_from_db()
    assert (lifting.state, lifting.reason) == (Lifting.State.FAILED, "too_late")
    assert not banned.calls


def refusal(network: str) -> str:
    with pytest.raises(VerbRefused) as caught:
        bans.ask_to_lift(network, actor=EVA)
    return caught.value.code


def test_only_a_ban_we_were_told_of_can_be_wished_away(banned: MailcowStandIn) -> None:
    assert refusal(OTHER) == "no_ban"
    assert refusal("0.0.0.0/0") == "no_ban"
    assert refusal("") == "no_ban"
    Ban.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert refusal(PHONE) == "no_ban"
    Ban.objects.update(until=None)
    assert refusal(PHONE) == "banned_for_good"
    assert not Lifting.objects.exists()


def test_a_ban_is_wished_away_once(banned: MailcowStandIn) -> None:
    bans.ask_to_lift(PHONE, actor=EVA)
    assert refusal(PHONE) == "ban_is_lifted"

    with pytest.raises(IntegrityError), transaction.atomic():
        Lifting.objects.create(network=PHONE, asked_by=EVA)


def test_a_ban_that_is_being_lifted_needs_no_wish(banned: MailcowStandIn) -> None:
    Ban.objects.update(is_queued=True)

    assert refusal(PHONE) == "ban_is_lifted"
    assert not Lifting.objects.exists()


def test_an_owner_is_known_by_his_login_on_the_old_server_or_here(banned: MailcowStandIn) -> None:
    anna, ben, eva = (make_mailbox(name) for name in ("anna", "ben", "eva"))
    seen_at(anna, "198.51.100.7")
    seen_at(eva, "198.51.100.8")
    for actor, mailbox in (("owner", ben), (EVA, eva)):
        Event.record(Event.Action.SIGNED_IN, actor=actor, mailbox=mailbox, ip="198.51.100.7")

    assert sorted(names()) == sorted([str(anna), str(ben)])


def test_an_owner_seen_more_than_a_week_ago_is_not_named(banned: MailcowStandIn, mailbox: Mailbox) -> None:
    seen_at(mailbox, "198.51.100.7", days_ago=7.1)

    assert names() == []


@pytest.mark.parametrize(
    ("network", "ip"),
    [("198.51.100.0/24", "198.51.100.200"), ("2001:db8:1::/64", "2001:db8:1::5"), ("2001:db8::1/128", "2001:db8::1")],
)
def test_an_owner_is_known_in_a_wider_network(mailcow: MailcowStandIn, mailbox: Mailbox, network: str, ip: str) -> None:
    mailcow.ban(network)
    mailcow.ban("203.0.113.0/24")
    bans.poll()
    seen_at(mailbox, ip)

    assert names(network) == [str(mailbox)]
    assert names("203.0.113.0/24") == []


def test_bans_of_known_owners_come_first_and_only_while_they_last(mailcow: MailcowStandIn, mailbox: Mailbox) -> None:
    for network in ("192.0.2.1/32", PHONE, OTHER):
        mailcow.ban(network)
    bans.poll()
    seen_at(mailbox, "198.51.100.7")
    Ban.objects.filter(network=OTHER).update(until=timezone.now() - timedelta(seconds=1))

    assert [row.ban.network for row in bans.shown()] == [PHONE, "192.0.2.1/32"]


def test_number_of_queries_does_not_depend_on_the_number_of_bans(mailcow: MailcowStandIn) -> None:
    def queries(many: int) -> int:
        for number in range(many):
            mailcow.ban(f"198.51.100.{number}/32")
            if not SourceLogin.objects.filter(ip=f"198.51.100.{number}").exists():
                seen_at(make_mailbox(), f"198.51.100.{number}")
        six_minutes_pass()
        bans.poll()
        with CaptureQueriesContext(connection) as captured:
            assert len(bans.shown()) == many
        assert not any("legacy_hash" in query["sql"] for query in captured)
        return len(captured)

    assert queries(4) == queries(40)


def test_what_is_over_is_erased(banned: MailcowStandIn) -> None:
    bans.ask_to_lift(PHONE, actor=EVA)
    Ban.objects.create(network=OTHER)

    with time_machine.travel(timezone.now() + timedelta(days=1, hours=1), tick=False):
        assert {code: n for code, n in run(RULES).items() if n} == {"ban": 1}
    with time_machine.travel(timezone.now() + timedelta(days=7, hours=1), tick=False):
        assert run(RULES)["lifting"] == 1

    assert [ban.network for ban in Ban.objects.all()] == [OTHER], "for good"
