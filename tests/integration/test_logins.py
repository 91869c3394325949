"""mailcow is asked, domain by domain and seldom, who signed in; who did is moved."""

import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from migration import logins
from migration.models import Domain, Event, LoginPoll, Mailbox, Push, Target, TargetLogin
from migration.tasks import poll_logins
from sandbox.mailcow import MailcowStandIn
from tests import factories

pytestmark = pytest.mark.django_db


def active(
    local_part: str = "anna", *, domain: Domain | None = None, delivered: timedelta = timedelta(hours=1)
) -> Mailbox:
    """A mailbox whose newest password was delivered that long ago."""
    mailbox = factories.make_mailbox(local_part, domain=domain or factories.make_domain("demo.example"))
    factories.make_push(mailbox, state=Push.State.DELIVERED, delivered_at=timezone.now() - delivered)
    return mailbox


def on_mailcow(mailcow: MailcowStandIn, mailbox: Mailbox, **seconds_ago: int) -> None:
    now = int(timezone.now().timestamp())
    row = mailcow.add_mailbox(mailbox.address)
    row.logins.update({service: now - ago for service, ago in seconds_ago.items()})


def state_of(mailbox: Mailbox) -> str:
    return Mailbox.objects.get(pk=mailbox.pk).state


def asked(mailcow: MailcowStandIn) -> list[str]:
    return [call.path.rpartition("/")[2] for call in mailcow.calls]


def again() -> None:
    """Ten minutes go by."""
    LoginPoll.objects.update(asked_at=timezone.now() - timedelta(minutes=10, seconds=1))


@pytest.mark.parametrize("service", ["imap", "pop3"])
def test_owner_who_reads_his_mail_on_the_new_server_is_moved(service: str, mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox, **{service: 60})

    poll_logins()

    assert state_of(mailbox) == Mailbox.State.MOVED
    assert Event.objects.get(action=Event.Action.MOVED).mailbox_id == mailbox.pk


def test_login_before_the_delivery_does_not_count(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox, imap=3700)

    assert logins.poll(mailbox.domain) == 0

    assert state_of(mailbox) == Mailbox.State.ACTIVE
    assert TargetLogin.objects.get().imap_at


def test_never_is_no_login(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox)

    assert logins.poll(mailbox.domain) == 0
    assert not TargetLogin.objects.exists()


def test_sending_is_noted_and_does_not_count(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox, smtp=5)

    assert logins.poll(mailbox.domain) == 0

    assert state_of(mailbox) == Mailbox.State.ACTIVE
    login = TargetLogin.objects.get(mailbox=mailbox)
    assert (login.imap_at, login.pop3_at) == (None, None)
    assert login.smtp_at


def test_login_of_the_future_does_not_count(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox, imap=-3600)

    assert logins.poll(mailbox.domain) == 0
    assert state_of(mailbox) == Mailbox.State.ACTIVE


def test_newer_password_on_its_way_keeps_the_mailbox_where_it_is(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    factories.make_push(mailbox)
    other = active("ben", domain=mailbox.domain)
    on_mailcow(mailcow, mailbox, imap=5)
    on_mailcow(mailcow, other, imap=5)

    assert logins.poll(mailbox.domain) == 1

    assert state_of(mailbox) == Mailbox.State.PASSWORD_SET
    assert state_of(other) == Mailbox.State.MOVED


def test_known_logins_are_brought_up_to_date(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox, smtp=500)
    logins.poll(mailbox.domain)
    first = TargetLogin.objects.get()
    mailcow.record_login(mailbox.address, "smtp")
    again()

    logins.poll(mailbox.domain)

    assert TargetLogin.objects.filter(smtp_at__gt=first.smtp_at).count() == 1


def test_domain_is_asked_about_once_in_ten_minutes(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox)

    assert [logins.poll(mailbox.domain), logins.poll(mailbox.domain)] == [0, None]
    assert logins.poll_due() == 0
    LoginPoll.objects.update(asked_at=timezone.now() - timedelta(minutes=9, seconds=59))
    assert logins.poll(mailbox.domain) is None
    again()
    assert logins.poll_due() == 1

    assert asked(mailcow) == ["demo.example", "demo.example"]


def test_domain_whose_owners_were_all_seen_is_not_asked_about_any_more(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    factories.make_mailbox("ben", domain=mailbox.domain, state=Mailbox.State.INVITED)
    on_mailcow(mailcow, mailbox, imap=5)
    poll_logins()
    again()

    poll_logins()

    assert asked(mailcow) == ["demo.example"]


def test_every_call_is_about_one_domain_and_the_longest_waiting_comes_first(mailcow: MailcowStandIn) -> None:
    for name in ("b.example", "a.example", "c.example"):
        on_mailcow(mailcow, active(domain=factories.make_domain(name)))
    factories.make_mailbox(domain=factories.make_domain("idle.example"))
    LoginPoll.objects.create(
        domain=Domain.objects.get(name="b.example"), asked_at=timezone.now() - timedelta(minutes=11)
    )

    assert logins.poll_due() == 3

    assert asked(mailcow) == ["a.example", "c.example", "b.example"]


def test_domain_mailcow_does_not_know_brings_nobody_elses_logins(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    mailcow.add_mailbox("anna@other.example")
    mailcow.record_login("anna@other.example", "imap")

    assert logins.poll(mailbox.domain) == 0
    assert state_of(mailbox) == Mailbox.State.ACTIVE


@pytest.mark.parametrize("column", ["breaker_opened_at", "probe_after"])
def test_nothing_is_asked_unless_the_breaker_is_closed(column: str, mailcow: MailcowStandIn) -> None:
    mailbox = active()
    Target.objects.create(name="mailcow", **{column: timezone.now()})

    assert logins.poll(mailbox.domain) is None
    assert logins.poll_due() == 0
    assert asked(mailcow) == []
    assert not LoginPoll.objects.exists()


def test_being_turned_away_opens_the_breaker_and_ends_the_round(mailcow: MailcowStandIn) -> None:
    for name in ("a.example", "b.example"):
        active(domain=factories.make_domain(name))
    mailcow.faults.wrong_key()

    assert logins.poll_due() == 0

    assert asked(mailcow) == ["a.example"]
    assert Target.objects.get().breaker_reason == "key"
    assert LoginPoll.objects.get().problem == "key"


def test_unclear_answer_changes_nothing_and_is_asked_again_later(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox, imap=5)
    mailcow.faults.html_error_page(times=1)

    assert logins.poll(mailbox.domain) is None
    assert state_of(mailbox) == Mailbox.State.ACTIVE
    assert LoginPoll.objects.get().problem
    assert not Target.objects.filter(breaker_opened_at__isnull=False).exists()

    again()
    assert logins.poll(mailbox.domain) == 1


def test_without_a_key_nothing_is_asked(settings: Any) -> None:
    settings.MAILCOW_API_KEY = ""
    mailbox = active()

    assert logins.poll(mailbox.domain) is None
    assert not LoginPoll.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_asks(mailcow: MailcowStandIn) -> None:
    mailbox = active()
    on_mailcow(mailcow, mailbox)
    LoginPoll.objects.create(domain=mailbox.domain)

    def ask() -> None:
        logins.poll(mailbox.domain)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert asked(mailcow) == ["demo.example"]


def test_command_asks_about_one_domain_or_all(mailcow: MailcowStandIn) -> None:
    mailbox = active(domain=factories.make_domain("xn--bcher-kva.example"))
    on_mailcow(mailcow, mailbox, imap=5)
    out = StringIO()

    call_command("poll_logins", "bücher.example", stdout=out)
    call_command("poll_logins", "bücher.example", stdout=out)
    call_command("poll_logins", stdout=out)

    first, second, third = out.getvalue().splitlines()
    assert first.startswith("1 owners were seen")
    assert second.startswith("Nothing was asked")
    assert third == "0 domains were asked about."
    with pytest.raises(CommandError, match="no such domain"):
        call_command("poll_logins", "nobody.example")


def test_unit_of_time_is_the_second_and_the_zone_utc(mailcow: MailcowStandIn) -> None:
    mailbox = active(delivered=timedelta(days=300))
    mailcow.add_mailbox(mailbox.address).logins["imap"] = 1772439301

    logins.poll(mailbox.domain)

    assert TargetLogin.objects.get().imap_at == datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC)
