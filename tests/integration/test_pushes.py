"""One push: look, write, read back, settle. mailcow is the stand-in on a real socket."""

from datetime import timedelta

import pytest
from django.utils import timezone

from migration import delivery, pushes, schemes
from migration.mailcow.errors import Reason
from migration.models import Event, Mailbox, Push, Target
from migration.target import client
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_mailbox, make_push
from tests.pushing import PASSWORD, deliver, push

pytestmark = pytest.mark.django_db
STATES = Push.State

__all__ = ["push"]


def actions(mailbox: Mailbox) -> list[str]:
    return [event.action for event in mailbox.events.order_by("pk")]


def test_a_delivered_password_opens_the_mailbox_and_its_payload_is_gone(push: Push, mailcow: MailcowStandIn) -> None:
    deliver(push)

    assert mailcow.verify("anna@demo.example", PASSWORD)
    assert (push.state, push.payload, push.reason) == (STATES.DELIVERED, None, "")
    assert push.mailbox.state == Mailbox.State.ACTIVE
    assert actions(push.mailbox) == [Event.Action.PUSH_DELIVERED, Event.Action.ACTIVE]


def test_the_old_hash_is_erased_when_the_mailbox_is_active(mailcow: MailcowStandIn) -> None:
    mailbox = make_mailbox(legacy="{SSHA}anything")
    mailcow.add_mailbox(mailbox.address)

    deliver(make_push(mailbox))

    mailbox.refresh_from_db()
    assert mailbox.legacy_hash is None


def test_one_push_costs_three_calls(push: Push, mailcow: MailcowStandIn) -> None:
    deliver(push)

    assert [(call.method, call.path.split("?")[0]) for call in mailcow.calls] == [
        ("GET", "/api/v1/get/mailbox/anna@demo.example"),
        ("POST", "/api/v1/edit/mailbox"),
        ("GET", "/api/v1/get/mailbox/anna@demo.example"),
    ]


def test_the_attribute_hash_that_was_read_is_sent_back(push: Push, mailcow: MailcowStandIn) -> None:
    mailcow.mailboxes["anna@demo.example"].attributes["attribute_hash"] = "kept"

    deliver(push)

    assert mailcow.mailboxes["anna@demo.example"].attributes["attribute_hash"] == "kept"


@pytest.mark.parametrize(
    ("fault", "arguments", "reason"),
    [
        ("answer_500", {}, Reason.SERVER_ERROR),
        ("html_error_page", {"calls": "write"}, Reason.SERVER_ERROR),
        ("empty_200", {"calls": "write"}, Reason.EMPTY),
        ("drop_before_write", {}, Reason.CONNECTION_LOST),
        ("drop_after_write", {}, Reason.CONNECTION_LOST),
        ("deadlock", {}, Reason.DATABASE),
    ],
)
def test_an_unclear_outcome_is_repeated_until_it_is_clear(
    push: Push, mailcow: MailcowStandIn, fault: str, arguments: dict[str, str], reason: Reason
) -> None:
    getattr(mailcow.faults, fault)(**arguments)

    deliver(push)

    assert (push.state, push.reason) == (STATES.WAITING, reason)
    assert push.mailbox.state == Mailbox.State.PASSWORD_SET
    assert push.due_at > timezone.now() + timedelta(seconds=20)

    mailcow.mailboxes["anna@demo.example"].attributes["passwd_update"] = "2020-01-01 00:00:00"
    deliver(push)

    assert push.state == STATES.DELIVERED
    assert mailcow.verify("anna@demo.example", PASSWORD)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (["mailbox_quota_left_exceeded", "0"], Reason.QUOTA),
        ("password_complexity", Reason.POLICY),
        ("<script>alert(1)</script>", Reason.REJECTED),
    ],
)
def test_a_refusal_of_the_password_waits_for_a_person(
    push: Push, mailcow: MailcowStandIn, message: str | list[str], reason: Reason
) -> None:
    mailcow.faults.reject(message)

    deliver(push)

    assert (push.state, push.reason) == (STATES.BLOCKED, reason)
    assert push.payload is not None
    assert pushes.claim() is None


def test_a_mailbox_with_another_password_source_is_never_written_to(push: Push, mailcow: MailcowStandIn) -> None:
    mailcow.mailboxes["anna@demo.example"].authsource = "ldap"

    deliver(push)

    assert (push.state, push.reason) == (STATES.BLOCKED, Reason.AUTHSOURCE)
    assert not any(call.is_write for call in mailcow.calls)


def test_a_mailbox_that_is_not_there_yet_is_waited_for_without_a_write(
    mailbox: Mailbox, mailcow: MailcowStandIn
) -> None:
    push = deliver(make_push(mailbox, password_hash=schemes.make_hash(PASSWORD)))

    assert (push.state, push.reason) == (STATES.WAITING, Reason.MISSING)
    assert not any(call.is_write for call in mailcow.calls)

    mailcow.add_mailbox(mailbox.address)
    deliver(push)

    assert push.state == STATES.DELIVERED


def test_success_without_effect_is_never_believed(push: Push, mailcow: MailcowStandIn) -> None:
    mailcow.faults.false_success(times=2)

    deliver(push)
    assert (push.state, push.reason) == (STATES.WAITING, Reason.NOT_STORED)
    deliver(push)

    assert (push.state, push.reason) == (STATES.BLOCKED, Reason.NOT_STORED)
    assert push.mailbox.state == Mailbox.State.PASSWORD_SET


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("wrong_key", Reason.KEY), ("read_only", Reason.READ_ONLY), ("redirect", Reason.REDIRECTED)],
)
def test_being_turned_away_stops_every_transfer_until_a_person_says_so(
    push: Push, mailcow: MailcowStandIn, fault: str, reason: Reason
) -> None:
    getattr(mailcow.faults, fault)()

    deliver(push)
    calls = len(mailcow.calls)

    assert (push.state, push.reason) == (STATES.WAITING, reason)
    assert pushes.work() == 0
    assert len(mailcow.calls) == calls
    target = Target.objects.get()
    assert target.breaker_reason == reason

    mailcow.faults.clear()
    pushes.close_breaker(target, actor="staff:admin@provider.example")
    pushes.work()

    push.refresh_from_db()
    assert push.state == STATES.DELIVERED
    kinds = list(Event.objects.filter(action__startswith="breaker").order_by("pk").values_list("action", flat=True))
    assert kinds == [Event.Action.BREAKER_OPENED, Event.Action.BREAKER_CLOSED]


def test_the_newest_password_wins_when_one_was_on_its_way(push: Push, mailcow: MailcowStandIn) -> None:
    in_flight = pushes.claim(push.pk)
    newer = make_push(push.mailbox, password_hash=schemes.make_hash("Apfel-Strudel-22"))
    assert pushes.claim(newer.pk) is None
    assert in_flight is not None

    delivery.deliver(in_flight, client())

    push.mailbox.refresh_from_db()
    assert push.mailbox.state == Mailbox.State.PASSWORD_SET
    mailcow.mailboxes["anna@demo.example"].attributes["passwd_update"] = "2020-01-01 00:00:00"
    deliver(newer)
    assert mailcow.verify("anna@demo.example", "Apfel-Strudel-22")
    assert newer.mailbox.state == Mailbox.State.ACTIVE


def test_an_unclear_push_gives_way_to_a_newer_one(push: Push, mailcow: MailcowStandIn) -> None:
    in_flight = pushes.claim(push.pk)
    newer = make_push(push.mailbox)
    mailcow.faults.answer_500()
    assert in_flight is not None

    delivery.deliver(in_flight, client())

    push.refresh_from_db()
    assert (push.state, push.payload) == (STATES.SUPERSEDED, None)
    assert Push.objects.get(pk=newer.pk).state == STATES.QUEUED


def test_a_sealed_hash_moved_to_another_row_is_not_sent(push: Push, mailcow: MailcowStandIn) -> None:
    other = make_push(make_mailbox())
    Push.objects.filter(pk=push.pk).update(payload=bytes(other.payload or b""))

    deliver(push)

    assert (push.state, push.reason) == (STATES.BLOCKED, Push.Reason.UNREADABLE)
    assert len(mailcow.calls) == 0


def test_every_reason_of_the_client_has_words_for_support() -> None:
    assert {reason.value for reason in Reason} <= set(Push.Reason.values)
