"""The wire to mailcow and to the old server breaks, stalls and swaps: one password, one mail, and the newest wins."""

import uuid
from typing import Any

import pytest
from django.utils import timezone

from migration import first_login as first_logins
from migration import mailboxes, pushes, schemes
from migration.mailcow.errors import Reason
from migration.mailings import outbox
from migration.models import Event, Mailbox, Mailing, Push, Target
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost
from tests import factories
from tests.faults.proxy import DOT, Proxy
from tests.integration.door import owner_client, save
from tests.integration.test_mail_outbox import again, invite, secret_in
from tests.pushing import NEWER, PASSWORD, deliver, push, save_newer, time_passes
from tests.racing import at_once

ANNA = "anna@demo.example"
STATES = Push.State

__all__ = ["push"]


@pytest.mark.django_db
def test_a_write_overtaken_in_the_wire_is_put_right(
    seed: int, push: Push, mailcow: MailcowStandIn, wire: Proxy, settings: Any
) -> None:
    settings.MAILCOW_CALL_SECONDS = 0.5
    first = wire.strike("hold")
    deliver(push)
    assert push.reason == Reason.TIMEOUT
    settings.MAILCOW_CALL_SECONDS = 60
    newest = save_newer(push)
    assert deliver(newest).state == STATES.SETTLING
    time_passes(mailcow, seconds=30)
    first.released.set()
    assert first.landed.wait(30)
    assert mailcow.verify(ANNA, PASSWORD), "nobody can take back what is on the wire"

    time_passes(mailcow, minutes=5.5)
    pushes.work()

    assert mailcow.verify(ANNA, NEWER)
    assert Event.objects.filter(action=Event.Action.SETTLE_REPUSH).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["cut", "cut_in_reply"])
def test_a_reply_that_is_lost_leaves_one_password_in_force(
    push: Push, mailcow: MailcowStandIn, wire: Proxy, kind: Any
) -> None:
    wire.strike(kind)
    deliver(push)
    assert push.state == STATES.WAITING
    time_passes(mailcow, minutes=1)

    deliver(push)

    assert push.state == STATES.DELIVERED
    assert len({entry.digest for entry in mailcow.journal}) == 1
    assert mailcow.verify(ANNA, PASSWORD)
    assert Event.objects.filter(action=Event.Action.PUSH_DELIVERED).count() == 1


@pytest.mark.django_db
def test_a_request_that_is_lost_is_made_again(push: Push, mailcow: MailcowStandIn, wire: Proxy) -> None:
    wire.strike("cut_before")
    deliver(push)
    assert mailcow.journal == []

    deliver(push)

    assert push.state == STATES.DELIVERED
    assert len(mailcow.journal) == 1


@pytest.mark.django_db
def test_a_write_that_was_held_once_is_not_held_by_what_waits_for_its_mailbox(
    push: Push, mailcow: MailcowStandIn, wire: Proxy, settings: Any
) -> None:
    """Or it would land later than mailcow lets any request live, and no product could be ready for that."""
    settings.MAILCOW_CALL_SECONDS = 0.5
    held = wire.strike("hold")
    deliver(push)
    wire.strike("hold", when=f'"{ANNA}"'.encode())

    wire.release(held)

    assert held.landed.wait(5)
    assert mailcow.verify(ANNA, PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_while_mailcow_is_slow_owners_are_served_and_nothing_is_slowed_down(
    push: Push, mailcow: MailcowStandIn, wire: Proxy, settings: Any
) -> None:
    settings.MAILCOW_CALL_SECONDS = 100
    stuck = [wire.strike("hold") for _ in range(settings.MAILCOW_WRITES_IN_FLIGHT)]
    others = [factories.make_mailbox() for _ in range(5)]
    for other in others:
        mailcow.add_mailbox(other.address)

    def owners_come() -> None:
        # All of this is done before mailcow has answered anything.
        for other in others:
            assert save(owner_client(other))["Location"] == "/done"
        stuck[0].released.set()
        stuck[1].released.set()

    at_once(pushes.work, owners_come)
    pushes.work()

    assert Push.objects.filter(state=STATES.DELIVERED).count() == 1 + len(others)
    assert not Target.objects.exclude(breaker_opened_at=None, probe_after=None).exists()


@pytest.mark.django_db
def test_a_mail_whose_last_reply_is_lost_is_unclear_and_its_secret_works(host: MailHost, settings: Any) -> None:
    mailbox = factories.make_mailbox("anna", domain=factories.make_domain("demo.example"))
    queued = invite(mailbox)
    with Proxy("127.0.0.1", host.smtp_port) as wire:
        settings.SOURCE_SMTP_PORT = wire.port
        wire.strike("cut", when=DOT)

        again(queued)
        for _ in range(3):
            again(queued)
        Mailing.objects.update(lease_until=timezone.now())
        assert queued.pk not in outbox.due()

    assert (queued.state, queued.attempts) == (Mailing.State.UNCLEAR, 1)
    (mail,) = host.mails(ANNA)
    assert first_logins.check(mailbox, secret_in(mail.text)) == queued.first_login


@pytest.mark.django_db
def test_a_mail_cut_before_its_end_arrives_once_with_a_fresh_secret(host: MailHost, settings: Any) -> None:
    mailbox = factories.make_mailbox("anna", domain=factories.make_domain("demo.example"))
    queued = invite(mailbox)
    with Proxy("127.0.0.1", host.smtp_port) as wire:
        settings.SOURCE_SMTP_PORT = wire.port
        wire.strike("cut_before", when=b"data\r\n")
        again(queued)
        assert (queued.state, host.mails(ANNA)) == (Mailing.State.WAITING, [])

        again(queued)

    (mail,) = host.mails(ANNA)
    assert queued.state == Mailing.State.SENT
    assert first_logins.check(mailbox, secret_in(mail.text)) == queued.first_login


@pytest.mark.django_db(transaction=True)
def test_a_message_five_times_for_each_of_four_workers_makes_one_push(mailcow: MailcowStandIn) -> None:
    rows = []
    for _ in range(6):
        box = factories.make_mailbox(state=Mailbox.State.SIGNED_IN)
        mailcow.add_mailbox(box.address)
        hashed = schemes.make_hash(PASSWORD)
        rows.append(
            mailboxes.set_password(box, password_hash=hashed, kept_old=False, submission=uuid.uuid4(), ip=None).pk
        )

    def messages() -> None:
        for pk in rows * 5:
            pushes.work(pk)

    at_once(*[messages] * 4)

    assert set(Push.objects.values_list("state", "attempts")) == {(STATES.DELIVERED, 1)}
    assert len(mailcow.journal) == len(rows)
