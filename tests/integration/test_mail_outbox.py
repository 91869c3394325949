"""The mail outbox, with the old server as it answers on a bad day."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from migration import first_login as first_logins
from migration.mailings import claims, outbox, route
from migration.models import Event, FirstLogin, Mailbox, Mailing
from sandbox.mailhost import At, MailHost

S = Mailing.State


@pytest.fixture
def queued(mailbox: Mailbox) -> Mailing:
    return invite(mailbox)


def invite(mailbox: Mailbox) -> Mailing:
    number = mailbox.first_logins.count() + 1
    invitation = FirstLogin.objects.create(mailbox=mailbox, number=number, locator=first_logins.new_locator())
    Mailbox.objects.filter(pk=mailbox.pk).update(state=Mailbox.State.INVITED)
    return outbox.enqueue(
        Mailing.Kind.INVITATION,
        domain=mailbox.domain,
        mailbox=mailbox,
        first_login=invitation,
        recipient=route.recipient(mailbox),
        language="de",
    )


def again(mailing: Mailing) -> Mailing:
    """Let the time until the next try pass, and try."""
    Mailing.objects.filter(pk=mailing.pk).update(due_at=Now())
    outbox.send(mailing.pk)
    mailing.refresh_from_db()
    return mailing


def secret_in(text: str) -> str:
    return next(line.strip() for line in text.splitlines() if line.count("-") == 3 and len(line.strip()) == 19)


def test_accepted_mail_is_sent_and_its_secret_works(host: MailHost, queued: Mailing, mailbox: Mailbox) -> None:
    outbox.send(queued.pk)

    (mail,) = host.mails("anna@demo.example")
    queued.refresh_from_db()
    assert queued.state == S.SENT
    assert queued.sent_at is not None
    assert first_logins.check(mailbox, secret_in(mail.text)) == queued.first_login
    event = Event.objects.get(action=Event.Action.MAIL_SENT)
    assert (event.actor, event.mailbox, event.domain) == ("worker", mailbox, mailbox.domain)


def test_second_message_for_the_same_row_sends_nothing(host: MailHost, queued: Mailing) -> None:
    outbox.send(queued.pk)
    outbox.send(queued.pk)
    outbox.send(queued.pk + 1000)

    assert len(host.mails()) == 1


@pytest.mark.parametrize(
    ("at", "code"),
    [
        pytest.param(At.GREETING, 421, id="R23-421-greeting"),
        (At.MAIL, 451),
        (At.RCPT, 450),
        (At.DATA, 451),
        pytest.param(At.DOT, 451, id="R23-354-then-451"),
    ],
)
def test_temporary_refusal_is_tried_again_with_a_fresh_secret(
    host: MailHost, queued: Mailing, at: At, code: int
) -> None:
    host.fail(code, at=at)

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert (queued.state, queued.sent_at) == (S.WAITING, None)
    assert str(code) not in queued.error
    wait = queued.due_at - timezone.now()
    assert timedelta(minutes=4) < wait < timedelta(minutes=6)
    first_mac = bytes(FirstLogin.objects.get().mac or b"")
    assert again(queued).state == S.SENT
    assert bytes(FirstLogin.objects.get().mac or b"") != first_mac
    assert len(host.mails()) == 1


@pytest.mark.parametrize("at", [At.GREETING, At.MAIL, At.RCPT, At.DATA])
def test_connection_lost_before_the_end_is_tried_again(host: MailHost, queued: Mailing, at: At) -> None:
    host.cut(at=at)

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert queued.state == S.WAITING
    assert again(queued).state == S.SENT
    assert len(host.mails()) == 1


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (At.MAIL, 553),
        pytest.param(At.RCPT, 550, id="R24-550"),
        pytest.param(At.DATA, 554, id="R24-554"),
        pytest.param(At.DOT, 552, id="R24-552"),
    ],
)
def test_permanent_refusal_is_shown_and_not_repeated(host: MailHost, queued: Mailing, at: At, code: int) -> None:
    host.fail(code, at=at)

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert queued.state == S.FAILED
    assert "mailbox unavailable" in queued.error
    assert Event.objects.get(action=Event.Action.MAIL_FAILED).detail["code"] == code
    assert again(queued).state == S.FAILED
    assert host.mails() == []


def test_refusal_before_the_mail_tells_of_the_server_and_is_repeated(host: MailHost, queued: Mailing) -> None:
    host.fail(554, at=At.GREETING)

    outbox.send(queued.pk)

    assert again(queued).state == S.SENT


def test_connection_lost_after_the_end_is_unclear_and_never_repeated(
    host: MailHost, queued: Mailing, mailbox: Mailbox
) -> None:
    host.cut(at=At.DOT)

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert queued.state == S.UNCLEAR
    assert again(queued).state == S.UNCLEAR
    assert outbox.due() == []
    (mail,) = host.mails()
    assert first_logins.check(mailbox, secret_in(mail.text)) is not None
    assert Event.objects.filter(action=Event.Action.MAIL_UNCLEAR).count() == 1


def test_connection_lost_after_the_servers_yes_is_sent_r23(host: MailHost, queued: Mailing) -> None:
    host.cut(at=At.REPLY)

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert queued.state == S.SENT


def test_unreachable_server_is_tried_again(settings: Any, queued: Mailing) -> None:
    settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "127.0.0.1", 9

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert (queued.state, queued.error) == (S.WAITING, "connection refused")


def test_mail_is_given_up_after_three_days_of_tries(host: MailHost, queued: Mailing) -> None:
    host.fail(450, times=50)
    waited = sum((claims.backoff(tries) for tries in range(1, claims.TRIES)), timedelta())
    Mailing.objects.filter(pk=queued.pk).update(attempts=claims.TRIES - 1)

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert queued.state == S.FAILED
    assert timedelta(days=2, hours=20) < waited <= timedelta(days=3)
    assert [claims.backoff(tries) for tries in (1, 2, 7, 500)] == [
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(hours=4),
        timedelta(hours=4),
    ]


def test_paused_domain_sends_nothing_until_it_goes_on(host: MailHost, queued: Mailing) -> None:
    domain = queued.domain
    domain.paused_at = timezone.now()
    domain.save()

    outbox.send(queued.pk)
    assert (outbox.due(), host.mails()) == ([], [])

    domain.paused_at = None
    domain.save()
    assert outbox.due() == [queued.pk]
    assert again(queued).state == S.SENT


@pytest.mark.parametrize("end", ["consume_all", "revoke_all"])
def test_invitation_nobody_needs_any_more_is_cancelled(
    host: MailHost, queued: Mailing, mailbox: Mailbox, end: str
) -> None:
    getattr(first_logins, end)(mailbox)

    outbox.send(queued.pk)

    queued.refresh_from_db()
    assert (queued.state, host.mails()) == (S.CANCELLED, [])


def test_who_is_waited_for_leaves_before_a_whole_domain_and_then_the_longest_due(mailbox: Mailbox) -> None:
    rows = [invite(mailbox).pk for _ in range(4)]
    Mailing.objects.filter(pk__in=rows[:3]).update(is_bulk=True)
    Mailing.objects.filter(pk=rows[2]).update(due_at=timezone.now() - timedelta(hours=1))
    Mailing.objects.filter(pk=rows[1]).update(due_at=timezone.now() + timedelta(hours=1))

    assert outbox.due() == [rows[3], rows[2], rows[0]]


@pytest.mark.parametrize(("ended", "state"), [(False, S.WAITING), (True, S.UNCLEAR)])
def test_row_of_a_lost_worker_is_settled_by_how_far_it_got(queued: Mailing, ended: bool, state: str) -> None:
    past = timezone.now() - timedelta(minutes=1)
    Mailing.objects.filter(pk=queued.pk).update(
        state=S.SENDING, lease="gone", lease_until=past, attempts=1, sent_at=past if ended else None
    )

    assert outbox.due() == []
    queued.refresh_from_db()
    assert queued.state == state


def test_row_under_a_living_lease_is_left_alone(queued: Mailing) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    Mailing.objects.filter(pk=queued.pk).update(state=S.SENDING, lease="other", lease_until=soon)

    assert claims.reap_leases() == 0
    outbox.send(queued.pk)
    queued.refresh_from_db()
    assert (queued.state, queued.lease) == (S.SENDING, "other")


def test_worker_that_slept_past_its_lease_does_not_end_the_mail(
    host: MailHost, queued: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=-1))
    outbox.send(queued.pk)
    monkeypatch.undo()

    assert host.mails() == []
    assert claims.reap_leases() == 1
    assert again(queued).state == S.SENT
    assert len(host.mails()) == 1


def test_no_secret_is_kept_in_the_row_or_the_log(
    host: MailHost, queued: Mailing, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    outbox.send(queued.pk)

    secret = secret_in(host.mails()[0].text)
    kept = str(Mailing.objects.values().get(pk=queued.pk)) + str(list(Event.objects.values()))
    seen = kept + caplog.text + "".join(capsys.readouterr())
    assert secret not in seen
    assert first_logins.normalise(secret) not in seen


def test_notice_of_a_saved_password_goes_out_too(host: MailHost, mailbox: Mailbox) -> None:
    mailing = outbox.enqueue(
        Mailing.Kind.PASSWORD_SAVED,
        domain=mailbox.domain,
        mailbox=mailbox,
        recipient=mailbox.address,
        language="en",
    )

    outbox.send(mailing.pk)

    (mail,) = host.mails()
    assert "Was it not you?" in mail.text
