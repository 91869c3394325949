"""A restored database pushes no old password and repeats no mail before an operator has looked at it."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.urls import reverse

from migration import pushes, restore_guard, restores, tasks
from migration.mailings import outbox
from migration.models import Event, HighWaterMark, Mailbox, Mailing, Push, Target
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost
from tests.audit import unguarded
from tests.factories import make_domain, make_first_login, make_mailbox, make_push
from tests.pushing import NEWER, PASSWORD, deliver, push, save_newer, time_passes

from .marks import a_worker_ran

pytestmark = pytest.mark.django_db
ANNA = "anna@demo.example"
STATES = Push.State

__all__ = ["push"]

Restore = Callable[[], None]


@pytest.fixture
def dump(tmp_path: Path) -> Callable[[], Restore]:
    """Take a dump of an hour ago; what is returned restores it, while the workers have gone on."""

    def take(mailcow: MailcowStandIn | None = None) -> Restore:
        file = tmp_path / "dump.json"
        time_passes(mailcow, hours=1)
        Mailing.objects.update(created_at=F("created_at") - timedelta(hours=1))
        a_worker_ran(seconds_ago=3600)
        call_command("dumpdata", "migration", output=str(file), verbosity=0)
        restore_guard.watch()

        def restore() -> None:
            with unguarded():
                for model in (Event, Push, Mailing, HighWaterMark, Mailbox):
                    model._default_manager.all().delete()
            call_command("loaddata", str(file), verbosity=0)

        return restore

    return take


def confirm_restore(*arguments: str) -> str:
    out = StringIO()
    call_command("confirm_restore", *arguments, stdout=out)
    return out.getvalue()


def test_an_old_password_of_a_backup_is_never_pushed(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    restore = dump(mailcow)
    deliver(save_newer(push))
    assert mailcow.verify(ANNA, NEWER)
    restore()
    stored = len(mailcow.journal)

    tasks.sweep()
    assert pushes.work() == 0
    assert pushes.claim(push.pk) is None

    restores.confirm(actor="command:test")
    assert pushes.work() == 1
    push.refresh_from_db()
    assert (push.state, push.reason) == (STATES.BLOCKED, Push.Reason.OVERTAKEN)
    assert len(mailcow.journal) == stored
    assert mailcow.verify(ANNA, NEWER)


def test_support_retries_an_overtaken_push_in_vain(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    restore = dump(mailcow)
    deliver(save_newer(push))
    restore()
    restore_guard.watch()
    restores.confirm(actor="command:test")
    pushes.work()

    pushes.retry(push.mailbox)
    pushes.work()

    push.refresh_from_db()
    assert (push.state, push.reason) == (STATES.BLOCKED, Push.Reason.OVERTAKEN)
    assert mailcow.verify(ANNA, NEWER)


def test_a_password_nobody_replaced_is_pushed_after_the_yes(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    dump(mailcow)()
    restore_guard.watch()
    mailcow.faults.answer_500(calls="write")

    restores.confirm(actor="command:test")
    pushes.work()
    assert deliver(push).state == STATES.DELIVERED, "its own try that ended unclear is no newer password"

    assert mailcow.verify(ANNA, PASSWORD)


def test_a_push_watched_in_the_backup_does_not_write_over_a_newer_one(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    mailcow.faults.drop_before_write()
    deliver(push)
    watched = deliver(save_newer(push))
    assert watched.state == STATES.SETTLING
    restore = dump(mailcow)
    deliver(save_newer(push, "Marillen-Knoedel-33"))
    restore()
    restore_guard.watch()
    restores.confirm(actor="command:test")

    deliver(watched)

    assert (watched.state, watched.payload) == (STATES.DELIVERED, None)
    assert mailcow.verify(ANNA, "Marillen-Knoedel-33")


def test_a_password_saved_after_the_restore_waits_for_the_yes_and_goes(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    dump(mailcow)()
    restore_guard.watch()
    push.mailbox.refresh_from_db()
    newer = save_newer(push)
    assert pushes.work() == 0

    restores.confirm(actor="command:test")
    pushes.work()

    newer.refresh_from_db()
    assert newer.state == STATES.DELIVERED
    assert mailcow.verify(ANNA, NEWER)


def test_a_time_that_cannot_be_read_counts_as_newer(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    dump(mailcow)()
    restore_guard.watch()
    mailcow.mailboxes[ANNA].attributes["passwd_update"] = None
    restores.confirm(actor="command:test")

    pushes.work()

    push.refresh_from_db()
    assert push.reason == Push.Reason.OVERTAKEN


@pytest.mark.parametrize(
    ("told", "blocked"),
    [("09:49:59", False), ("09:50:01", True), ("10:30:00", True), ("11:49:00", True), ("12:30:00", True)],
)
def test_mailcows_time_has_no_zone_so_the_later_reading_counts(
    push: Push, mailcow: MailcowStandIn, settings: Any, told: str, *, blocked: bool
) -> None:
    settings.TIME_ZONE = "Europe/Vienna"
    saved = push.created_at.replace(year=2026, month=7, day=1, hour=10, minute=0, second=0, microsecond=0)
    Push.objects.update(created_at=saved, from_backup=True)
    mailcow.mailboxes[ANNA].attributes["passwd_update"] = f"2026-07-01 {told}"

    assert (deliver(push).reason == Push.Reason.OVERTAKEN) == blocked


def test_a_mail_of_the_backup_is_not_sent_again(host: MailHost, dump: Callable[..., Restore]) -> None:
    first_login, _secret = make_first_login(make_mailbox("anna"), sent=False)
    restore = dump()
    outbox.send(first_login.mailing.pk)
    assert len(host.mails()) == 1
    restore()

    outbox.send(first_login.mailing.pk)
    restores.confirm(actor="command:test")
    outbox.send(first_login.mailing.pk)

    assert len(host.mails()) == 1
    mailing = Mailing.objects.get(first_login=first_login)
    assert mailing.state == Mailing.State.UNCLEAR
    assert Event.objects.filter(action=Event.Action.MAIL_UNCLEAR, mailbox=first_login.mailbox).count() == 1


def test_a_mail_of_after_the_restore_is_sent_after_the_yes(host: MailHost, dump: Callable[..., Restore]) -> None:
    dump()()
    restore_guard.watch()
    first_login, _secret = make_first_login(make_mailbox("anna"), sent=False)
    outbox.send(first_login.mailing.pk)
    assert host.mails() == []

    restores.confirm(actor="command:test")
    outbox.send(first_login.mailing.pk)

    assert len(host.mails()) == 1


def test_operator_reads_first_what_would_be_pushed(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    domain = push.mailbox.domain
    make_push(make_mailbox("ben", domain=domain))
    make_push(make_mailbox("eva", domain=domain))
    mailcow.add_mailbox("ben@demo.example")
    restore = dump(mailcow)
    deliver(save_newer(push))
    restore()
    restore_guard.watch()

    said = confirm_restore()

    verdicts = {line.split()[0]: line for line in said.splitlines() if "@" in line}
    assert "stays back: the mailbox has a newer password" in verdicts[ANNA]
    assert "would be pushed" in verdicts["ben@demo.example"]
    assert "there is no such mailbox" in verdicts["eva@demo.example"]
    assert "Nothing was changed" in said
    assert pushes.work() == 0
    assert sum("get/mailbox/reduced" in call.path for call in mailcow.calls) == 1


def test_operators_yes_is_written_down_and_lets_everything_go_on(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    dump(mailcow)()
    restore_guard.watch()

    said = confirm_restore("--yes")

    assert "1 pushes are compared" in said
    assert Event.objects.get(action=Event.Action.RESTORE_CONFIRMED).actor == "command:confirm_restore"
    assert restore_guard.watch()
    assert pushes.work() == 1
    assert "Nothing waits" in confirm_restore("--yes")
    assert restores.confirm(actor="command:test") is None


def test_a_mailcow_that_cannot_be_asked_is_said(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    dump(mailcow)()
    restore_guard.watch()
    mailcow.faults.answer_500()

    assert "mailcow could not be asked" in confirm_restore()


def test_a_command_without_the_key_asks_nobody(
    push: Push, mailcow: MailcowStandIn, settings: Any, dump: Callable[..., Restore]
) -> None:
    dump(mailcow)()
    restore_guard.watch()
    settings.MAILCOW_API_KEY = ""

    assert "mailcow could not be asked" in confirm_restore()


def test_a_command_that_is_turned_away_opens_the_breaker_and_asks_no_more(
    push: Push, mailcow: MailcowStandIn, dump: Callable[..., Restore]
) -> None:
    make_push(make_mailbox("ben", domain=make_domain("other.example")))
    dump(mailcow)()
    restore_guard.watch()
    mailcow.calls.clear()
    mailcow.faults.wrong_key()

    confirm_restore()
    confirm_restore()

    assert len(mailcow.calls) == 1
    assert Target.objects.get().breaker_opened_at


def test_support_and_the_watchdog_see_that_the_database_is_older(
    push: Push, mailcow: MailcowStandIn, support_client: Client, dump: Callable[..., Restore]
) -> None:
    dump(mailcow)()
    restore_guard.watch()

    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "restored, to be confirmed"})
    assert "confirm_restore" in support_client.get(reverse("desk:domains")).content.decode()

    restores.confirm(actor="command:test")
    pushes.work()
    assert Client().get("/readyz").status_code == 200
    assert "confirm_restore" not in support_client.get(reverse("desk:domains")).content.decode()
