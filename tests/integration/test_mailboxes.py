"""The verbs on one mailbox, as owner, support and auditor see them."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from migration import domains, first_login, mailboxes
from migration.models import Event, FirstLogin, Mailbox, Mailing, Push
from migration.refusals import SENTENCES, VerbRefused
from migration.secrets import Purpose, unseal
from migration.states import TRANSITIONS, move
from tests.audit import unguarded
from tests.factories import HASH, make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db
S = Mailbox.State


def actions(mailbox: Mailbox) -> list[str]:
    return [event.action for event in mailbox.events.order_by("pk")]


def save(mailbox: Mailbox, **fields: object) -> Push:
    arguments: dict[str, object] = {
        "password_hash": HASH,
        "kept_old": False,
        "submission": uuid.uuid4(),
        "ip": None,
    }
    return mailboxes.set_password(mailbox, **(arguments | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", S.values)
@pytest.mark.parametrize("verb", TRANSITIONS)
def test_a_verb_moves_only_from_the_states_of_its_arrow(verb: str, state: str) -> None:
    mailbox = make_mailbox(state=state)
    allowed, target = TRANSITIONS[verb]

    moved = move(mailbox, verb)

    assert moved == (state in allowed)
    assert mailbox.state == (target if moved else state)


def test_inviting_queues_one_mail_and_writes_one_event() -> None:
    mailbox = make_mailbox()

    mailing = mailboxes.invite(mailbox, actor="staff:eva@provider.example")

    assert mailbox.state == S.INVITED
    assert mailing.kind == Mailing.Kind.INVITATION
    assert mailing.recipient == mailbox.address
    assert actions(mailbox) == [Event.Action.INVITED]


def test_without_an_announcement_an_invitation_needs_a_reason() -> None:
    mailbox = make_mailbox(domain=make_domain(announced=False))

    with pytest.raises(VerbRefused, match=str(SENTENCES["not_announced"])[:20]):
        mailboxes.invite(mailbox, actor="staff:eva")
    mailboxes.invite(mailbox, actor="staff:eva", reason="told by phone")

    event = mailbox.events.get()
    assert event.detail["reason"] == "told by phone"


def test_an_announcement_that_was_not_accepted_does_not_count() -> None:
    domain = make_domain(announced=False)
    make_mailbox(domain=domain)
    domains.announce(domain, actor="staff:eva", subject="Umzug", text="Guten Tag")

    with pytest.raises(VerbRefused):
        domains.start(domain, actor="staff:eva")


def test_starting_a_domain_invites_everybody_who_was_not_and_nobody_twice() -> None:
    domain = make_domain()
    for state in (S.IMPORTED, S.IMPORTED, S.INVITED, S.EXCLUDED, S.ACTIVE):
        make_mailbox(domain=domain, state=state)

    assert domains.start(domain, actor="staff:eva") == 2
    assert domains.start(domain, actor="staff:eva") == 0
    assert Mailing.objects.filter(kind=Mailing.Kind.INVITATION).count() == 2


def test_starting_twice_as_many_mailboxes_costs_no_more_queries(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    for size in (5, 50):
        domain = make_domain()
        for _ in range(size):
            make_mailbox(domain=domain)
        with django_assert_max_num_queries(16):  # type: ignore[attr-defined]
            domains.start(domain, actor="staff:eva")


def test_a_second_invitation_within_ten_minutes_is_refused() -> None:
    mailbox = make_mailbox()
    mailboxes.invite(mailbox, actor="staff:eva")

    with pytest.raises(VerbRefused) as refused:
        mailboxes.re_invite(mailbox, actor="staff:eva")

    assert refused.value.code == "too_soon"
    assert mailbox.first_logins.count() == 1


def test_the_staff_invite_a_mailbox_again_three_times_a_day_and_no_more() -> None:
    mailbox = make_mailbox()
    mailboxes.invite(mailbox, actor="staff:eva")

    def again() -> None:
        FirstLogin.objects.update(created_at=timezone.now() - timedelta(minutes=11))
        mailboxes.re_invite(mailbox, actor="staff:eva")

    for _ in range(3):
        again()
    with pytest.raises(VerbRefused) as refused:
        again()

    assert refused.value.code == "too_many"
    assert mailbox.first_logins.count() == 4
    with unguarded():
        Event.objects.update(at=timezone.now() - timedelta(days=1, minutes=1))
    again()


def test_a_later_invitation_ends_the_owners_sessions_and_keeps_the_mailed_password_valid() -> None:
    mailbox = make_mailbox()
    row, secret = make_first_login(mailbox)
    FirstLogin.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    epoch = mailbox.epoch

    mailboxes.re_invite(mailbox, actor="staff:eva")

    mailbox.refresh_from_db()
    assert mailbox.epoch == epoch + 1
    assert first_login.check(mailbox, secret) == row


def test_nothing_is_sent_into_a_paused_domain() -> None:
    mailbox = make_mailbox()
    domains.pause(mailbox.domain, actor="staff:eva")

    with pytest.raises(VerbRefused) as refused:
        mailboxes.invite(mailbox, actor="staff:eva")

    assert refused.value.code == "paused"
    assert mailbox.state == S.IMPORTED


def test_saving_a_password_is_one_step_with_all_its_parts() -> None:
    mailbox = make_mailbox()
    _, secret = make_first_login(mailbox)
    mailboxes.record_sign_in(mailbox, ip="192.0.2.1")
    epoch = mailbox.epoch

    push = save(mailbox, ip="192.0.2.1")

    assert (mailbox.state, mailbox.version, mailbox.epoch) == (S.PASSWORD_SET, 1, epoch + 1)
    assert unseal(Purpose.PENDING_HASH, f"{mailbox.pk}:1", push.payload or b"").decode() == HASH
    assert first_login.check(mailbox, secret) is None
    assert Mailing.objects.filter(kind=Mailing.Kind.PASSWORD_SAVED, mailbox=mailbox).count() == 1
    assert actions(mailbox) == [Event.Action.SIGNED_IN, Event.Action.PASSWORD_SET]


def test_a_failure_on_the_way_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = make_mailbox(state=S.SIGNED_IN)

    def full_disk(*_arguments: object, **_fields: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Event, "record", full_disk)
    with pytest.raises(OSError, match="disk full"):
        save(mailbox)

    mailbox.refresh_from_db()
    assert (mailbox.state, mailbox.version) == (S.SIGNED_IN, 0)
    assert not Push.objects.exists()


def test_a_form_sent_twice_saves_once() -> None:
    mailbox = make_mailbox(state=S.SIGNED_IN)
    submission = uuid.uuid4()

    first = save(mailbox, submission=submission)
    second = save(mailbox, submission=submission)

    assert first == second
    assert mailbox.version == 1


def test_a_newer_password_supersedes_and_blanks_the_older_one() -> None:
    mailbox = make_mailbox(state=S.SIGNED_IN)
    older = save(mailbox)

    newer = save(mailbox)

    older.refresh_from_db()
    assert (older.state, older.payload) == (Push.State.SUPERSEDED, None)
    assert (newer.state, newer.version) == (Push.State.QUEUED, 2)


@pytest.mark.parametrize("state", [S.IMPORTED, S.INVITED, S.MOVED, S.EXCLUDED])
def test_no_password_is_saved_in_a_state_without_one(state: str) -> None:
    mailbox = make_mailbox(state=state)

    with pytest.raises(VerbRefused) as refused:
        save(mailbox)

    assert refused.value.code == ("handed_over" if state == Mailbox.State.MOVED else "wrong_state")
    assert not Push.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_by_many_at_once_saves_once() -> None:
    mailbox = make_mailbox(state=S.SIGNED_IN)
    submission = uuid.uuid4()
    saved: list[int] = []

    def send() -> None:
        try:
            saved.append(save(Mailbox.objects.get(pk=mailbox.pk), submission=submission).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    mailbox.refresh_from_db()
    assert len(saved) == 8
    assert len(set(saved)) == 1
    assert mailbox.version == 1


def test_excluding_needs_a_reason_and_ends_everything_open() -> None:
    mailbox = make_mailbox()
    _, secret = make_first_login(mailbox)
    push = make_push(mailbox)

    with pytest.raises(VerbRefused):
        mailboxes.exclude(mailbox, actor="staff:eva", reason=" ")
    mailboxes.exclude(mailbox, actor="staff:eva", reason="left the company")

    push.refresh_from_db()
    assert mailbox.state == S.EXCLUDED
    assert first_login.check(mailbox, secret) is None
    assert (push.state, push.payload) == (Push.State.SUPERSEDED, None)


@pytest.mark.parametrize("state", [S.ACTIVE, S.MOVED])
def test_a_finished_mailbox_cannot_be_excluded(state: str) -> None:
    mailbox = make_mailbox(state=state)

    with pytest.raises(VerbRefused):
        mailboxes.exclude(mailbox, actor="staff:eva", reason="why not")


def test_reopening_sends_a_new_invitation_and_kills_the_old_password() -> None:
    mailbox = make_mailbox()
    _, secret = make_first_login(mailbox)
    make_push(mailbox, state=Push.State.DELIVERED)

    mailboxes.reopen(mailbox, actor="staff:eva")

    assert mailbox.state == S.INVITED
    assert first_login.check(mailbox, secret) is None
    assert mailbox.first_logins.count() == 2


def test_a_machines_mailbox_without_anybody_to_write_to_is_not_invited() -> None:
    mailbox = make_mailbox(kind=Mailbox.Kind.MACHINE)
    mailbox.domain.customer.contact_email = ""

    with pytest.raises(VerbRefused) as refused:
        mailboxes.invite(mailbox, actor="staff:eva")

    assert refused.value.code == "no_recipient"
