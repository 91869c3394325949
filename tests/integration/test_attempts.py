"""Attempt budgets: exact, shared, committed before anything is verified, and of no use against an owner."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import sign_in as door
from accounts.attempts import BUDGETS, Attempts, Bucket, address_bucket, give_back, network, outdated, reset, spend
from migration import first_login as first_logins
from migration.models import Event, Mailbox
from tests import factories

from .door import let_pass, sign_in

WRONG = "bcdf-ghjk-mnpq-rs34"


def wrong(mailbox_or_address: Mailbox | str, times: int, *, locator: str = "", ip: str = "127.0.0.1") -> list[int]:
    address = mailbox_or_address if isinstance(mailbox_or_address, str) else mailbox_or_address.address
    answers = []
    for _ in range(times):
        answers.append(sign_in(Client(), address, WRONG, locator=locator, REMOTE_ADDR=ip).status_code)
        if locator:
            let_pass()
    return answers


def attempted(address: str) -> object:
    return door.attempt(address, WRONG, locator="", ip="127.0.0.1")


def test_a_budget_says_how_many_in_which_time() -> None:
    assert (Bucket("address", "x").limit, Bucket("address", "x").window) == (5, timedelta(minutes=15))
    assert (Bucket("network_long", "x").limit, Bucket("network_long", "x").window) == (200, timedelta(hours=1))
    assert (Bucket("link", "x").limit, Bucket("link", "x").window) == (20, None)
    assert all(Bucket(name, "x").limit > 0 for name in BUDGETS)


def test_a_window_begins_with_the_first_try_and_then_starts_again(db: None) -> None:
    bucket = Bucket("address", "x")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert [spend(bucket)[bucket] for _ in range(6)] == [1, 2, 3, 4, 5, 6]
        clock.shift(timedelta(minutes=14, seconds=59))
        assert spend(bucket)[bucket] == 7
        clock.shift(timedelta(seconds=1))
        assert spend(bucket)[bucket] == 1


def test_without_a_window_only_a_success_starts_again(db: None) -> None:
    bucket = Bucket("link", "1")
    spend(bucket)
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        assert spend(bucket)[bucket] == 2
    reset(bucket)
    assert spend(bucket)[bucket] == 1


def test_giving_back_takes_one_try_out_and_no_more(db: None) -> None:
    bucket = Bucket("network", "x")
    give_back(bucket)
    spend(bucket)
    spend(bucket)
    give_back(bucket)
    assert spend(bucket)[bucket] == 2


def test_counters_that_can_refuse_nobody_any_more_are_forgotten(db: None) -> None:
    now = timezone.now()
    spend(Bucket("network", "x"), Bucket("network_long", "x"), Bucket("all", "2026-11-24T07"), Bucket("link", "1"))

    with time_machine.travel(now + timedelta(minutes=14)):
        assert outdated().delete()[0] == 0
    with time_machine.travel(now + timedelta(minutes=16)):
        assert outdated().delete()[0] == 1
    with time_machine.travel(now + timedelta(days=7, minutes=1)):
        assert outdated().delete()[0] == 2
    assert [row.bucket for row in Attempts.objects.all()] == ["link:1"]
    with time_machine.travel(now + timedelta(days=181)):
        assert outdated().delete()[0] == 1


@pytest.mark.django_db(transaction=True)
def test_two_hundred_tries_of_forty_threads_are_counted_exactly() -> None:
    buckets = [Bucket("network", "x"), Bucket("address", "y")]
    seen: list[int] = []

    def tries() -> None:
        try:
            for _ in range(5):
                seen.append(spend(*buckets)[buckets[0]])  # noqa: PERF401 - each count on its own
        finally:
            connection.close()

    threads = [threading.Thread(target=tries) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == list(range(1, 201))
    assert {row.count for row in Attempts.objects.all()} == {200}


@pytest.mark.django_db(transaction=True)
def test_counting_inside_a_transaction_is_an_error_of_the_program() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        spend(Bucket("network", "x"))


@pytest.mark.django_db(transaction=True)
def test_an_exception_while_verifying_keeps_the_count(monkeypatch: Any) -> None:
    def breaks(*_args: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(first_logins, "check", breaks)
    client = Client(raise_request_exception=False)

    assert [sign_in(client, "nobody@demo.example", WRONG).status_code for _ in range(3)] == [500, 500, 500]
    assert {row.count for row in Attempts.objects.all()} == {3}
    assert not Attempts.objects.filter(bucket__startswith="unlisted:").exists()


def test_after_five_tries_without_the_link_even_the_right_password_must_wait(mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)
    assert wrong(mailbox, 5) == [422] * 5

    assert sign_in(Client(), mailbox.address, secret).status_code == 422
    with time_machine.travel(timezone.now() + timedelta(minutes=15)):
        assert sign_in(Client(), mailbox.address, secret).status_code == 302


def test_a_stranger_cannot_lock_the_owner_out(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    for number in range(1000):
        door.attempt(mailbox.address, WRONG, locator="", ip=f"198.51.{number % 40}.7")

    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302


def test_the_link_has_twenty_wrong_tries_in_a_row(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(mailbox, 19, locator=first_login.locator)
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302
    wrong(mailbox, 20, locator=first_login.locator)

    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 422


def test_a_fresh_invitation_brings_a_fresh_budget(mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    wrong(mailbox, 21, locator=first_login.locator)
    again, secret = factories.make_first_login(mailbox)

    assert sign_in(Client(), mailbox.address, secret, locator=again.locator).status_code == 302


@pytest.mark.parametrize(
    "variant", ["ANNA@demo.example", " anna@demo.example ", "anna@DEMO.example.", "anna@demo.example\u00a0"]
)
def test_another_spelling_uses_the_same_budget(mailbox: Mailbox, variant: str) -> None:
    _, secret = factories.make_first_login(mailbox)
    wrong(variant, 5)

    assert sign_in(Client(), mailbox.address, secret).status_code == 422
    assert Attempts.objects.filter(bucket__startswith="address:").count() == 1


def test_an_unknown_address_has_a_bucket_just_the_same(mailbox: Mailbox) -> None:
    wrong(mailbox, 1, ip="198.51.100.1")
    wrong("nobody@demo.example", 1, ip="198.51.100.1")

    kept = Attempts.objects.filter(bucket__startswith="address:")
    assert [row.count for row in kept] == [1, 1]
    assert not any("demo" in row.bucket for row in Attempts.objects.all())
    assert len({len(row.bucket) for row in kept}) == 1


def test_thirty_failures_of_one_network_are_enough_for_a_while(db: None) -> None:
    answers = [wrong(f"m{number}@demo.example", 1)[0] for number in range(31)]

    assert answers == [422] * 30 + [429]
    response = sign_in(Client(), "m@demo.example", WRONG)
    assert (response.status_code, response["Retry-After"]) == (429, "900")
    assert wrong("m@demo.example", 1, ip="198.51.100.1") == [422]


def test_two_hundred_failures_in_an_hour_are_enough_too(db: None) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answers = []
        for turn in range(8):
            answers += [attempted(f"m{turn}-{number}@demo.example") for number in range(26)]
            if turn in (1, 3, 5):
                clock.shift(timedelta(minutes=15))
            else:
                Attempts.objects.filter(bucket__startswith="network:").delete()

    assert answers == [door.Refusal.WRONG] * 200 + [door.Refusal.NETWORK_EXHAUSTED] * 8


def test_an_exhausted_network_does_not_use_up_anybodys_budget(mailbox: Mailbox) -> None:
    for number in range(30):
        wrong(f"m{number}@demo.example", 1)

    assert wrong(mailbox, 6) == [429] * 6
    assert not Attempts.objects.filter(bucket=address_bucket(mailbox.address).key).exists()


def test_a_success_neither_counts_as_a_failure_nor_clears_the_networks(mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)
    for number in range(10):
        wrong(f"m{number}@demo.example", 1)
    sign_in(Client(), mailbox.address, secret)

    assert {row.count for row in Attempts.objects.filter(bucket__startswith="network")} == {10}


def test_thirty_people_of_one_office_get_in_with_three_mistakes_each(db: None) -> None:
    domain = factories.make_domain("demo.example")
    answers = []
    for number in range(30):
        box = factories.make_mailbox(f"m{number}", domain=domain)
        first_login, secret = factories.make_first_login(box)
        assert wrong(box, 3, locator=first_login.locator) == [422] * 3
        answers.append(sign_in(Client(), box.address, secret, locator=first_login.locator).status_code)

    assert answers == [302] * 30


@pytest.mark.parametrize(
    ("ip", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2ff:1::1", "2001:db8:1:200::"),
        ("2001:db8:1:201::9", "2001:db8:1:200::"),
        ("2001:db8:1:300::9", "2001:db8:1:300::"),
        ("", "unknown"),
        ("999.9.9.9", "unknown"),
    ],
)
def test_a_network_is_an_ipv4_address_or_a_56(ip: str, counted: str) -> None:
    assert network(ip) == counted


@pytest.mark.parametrize("forwarded", ["1.2.3.4", "999.9.9.9", "x" * 4000, "1.2.3.4, 5.6.7.8"])
def test_a_forged_forwarding_header_buys_no_new_budget(db: None, forwarded: str) -> None:
    for number in range(30):
        sign_in(Client(), f"m{number}@demo.example", WRONG, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")

    assert sign_in(Client(), "m@demo.example", WRONG, HTTP_X_FORWARDED_FOR=forwarded).status_code == 429


def test_the_timeline_shows_the_failures_and_the_first_refusal_only(mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    for number in range(12):
        wrong(mailbox, 1, ip=f"198.51.100.{number}")

    actions = list(mailbox.events.order_by("id").values_list("action", flat=True))
    assert actions == [Event.Action.SIGN_IN_FAILED] * 5 + [Event.Action.SIGN_IN_REFUSED]
