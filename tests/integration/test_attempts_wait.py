"""Wrong tries with one mailed link wait longer and longer.

Nobody sleeps, nothing typed too early counts, and whoever has no link makes nobody wait.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import sign_in as door
from accounts.attempts import Attempts, Bucket
from accounts.forms import SignInForm
from accounts.waits import TooEarly, spend_in_turn, wait_after
from migration import first_login as first_logins
from migration import mailboxes
from migration.models import Event, FirstLogin, Mailbox
from tests import factories
from tests.racing import at_once

from .door import let_pass, sign_in, without_csrf

WRONG = "bcdf-ghjk-mnpq-rs34"


def wrong(first_login: FirstLogin, times: int) -> list[int]:
    """The answers to so many wrong tries with the link, a minute apart; after the last one no time has passed."""
    answers = []
    for _ in range(times):
        let_pass()
        answers.append(sign_in(Client(), first_login.mailbox.address, WRONG, locator=first_login.locator).status_code)
    return answers


def counted() -> dict[str, int]:
    return dict(Attempts.objects.exclude(count=0).values_list("bucket", "count"))


def turns_of(number: int, bucket: Bucket) -> tuple[list[int], int]:
    """The counts of those of so many at once who got their turn, and how many came too early."""
    counts: list[int] = []
    early: list[int] = []

    def one() -> None:
        try:
            counts.append(spend_in_turn(bucket))
        except TooEarly as refused:
            early.append(refused.seconds)

    at_once(*[one] * number)
    return sorted(counts), len(early)


def test_the_wait_begins_with_the_fifth_wrong_try_and_doubles_up_to_a_minute() -> None:
    assert [wait_after(count).seconds for count in range(1, 14)] == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert wait_after(10**6) == timedelta(minutes=1)


@pytest.mark.parametrize("count", [*range(13), 19, 500])
def test_the_row_says_when_the_next_try_may_come(db: None, count: int) -> None:
    bucket = Bucket("link", "1")
    if count:
        Attempts.objects.create(bucket=bucket.key, count=count, since=timezone.now())

    assert spend_in_turn(bucket) == count + 1

    not_before, now = Attempts.objects.values_list("not_before", Now()).get()
    wait = wait_after(count + 1)
    if wait:
        assert now < not_before <= now + wait
    else:
        assert not_before is None


def test_too_early_says_how_long_is_left_and_counts_nothing(db: None) -> None:
    bucket = Bucket("link", "1")
    Attempts.objects.create(bucket=bucket.key, count=30, since=timezone.now(), not_before=Now() + timedelta(seconds=41))

    for _ in range(3):
        with pytest.raises(TooEarly) as early:
            spend_in_turn(bucket)
        assert early.value.seconds in range(30, 42)

    assert Attempts.objects.get().count == 30
    let_pass(42)
    assert spend_in_turn(bucket) == 31


def test_a_clock_that_was_set_back_makes_nobody_wait(db: None) -> None:
    bucket = Bucket("link", "1")
    Attempts.objects.create(bucket=bucket.key, count=30, since=timezone.now(), not_before=Now() + timedelta(hours=2))

    assert spend_in_turn(bucket) == 31


@pytest.mark.django_db(transaction=True)
def test_taking_ones_turn_inside_a_transaction_is_an_error_of_the_program() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        spend_in_turn(Bucket("link", "1"))


def test_four_mistakes_with_the_link_cost_no_wait(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)

    answers = [sign_in(Client(), mailbox.address, WRONG, locator=first_login.locator).status_code for _ in range(4)]

    assert answers == [422] * 4
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302


def test_the_right_secret_too_early_is_not_counted_and_opens_the_door_after_the_wait(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    assert wrong(first_login, 12) == [422] * 12
    before, events = counted(), Event.objects.count()
    client = Client()

    early = [sign_in(client, mailbox.address, secret, locator=first_login.locator).status_code for _ in range(3)]

    assert early == [429] * 3
    assert counted() == before
    assert Event.objects.count() == events
    assert client.get("/password")["Location"] == "/"
    let_pass()
    assert sign_in(client, mailbox.address, secret, locator=first_login.locator).status_code == 302
    assert not Attempts.objects.filter(bucket__startswith="link:").exists()


def test_it_is_said_in_words_how_long_to_wait(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(first_login, 11)
    let_pass(20)

    response = sign_in(Client(), mailbox.address, secret, locator=first_login.locator)

    page = response.content.decode()
    seconds = int(response["Retry-After"])
    assert 20 <= seconds <= 40
    assert f"Please wait {seconds} seconds, then enter the first-login password once more." in page
    assert f'data-countdown="{seconds}" hidden' in page
    assert 'id="refusal"' not in page
    assert 'value="anna@demo.example"' in page
    assert secret not in page


def test_one_second_is_said_in_the_singular(rf: RequestFactory) -> None:
    form = SignInForm()
    form.wait_seconds = 1

    page = render_to_string("accounts/sign_in.html", {"form": form}, request=rf.get("/"))

    assert "Please wait 1 second, then" in page


def test_it_is_said_in_german_too(mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    wrong(first_login, 11)

    response = sign_in(Client(), mailbox.address, WRONG, locator=first_login.locator, headers={"accept-language": "de"})

    assert f"Bitte warten Sie {response['Retry-After']} Sekunden" in response.content.decode()


def test_too_early_the_answer_does_not_depend_on_what_was_typed(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(first_login, 11)
    answers, statements = [], []

    for typed in (secret, WRONG, "x" * 500):
        with CaptureQueriesContext(connection) as queries:
            response = sign_in(Client(), mailbox.address, typed, locator=first_login.locator)
        seconds = response["Retry-After"].encode()
        masked = without_csrf(response).replace(b"wait " + seconds, b"wait")
        masked = masked.replace(b"<strong>" + seconds, b"<strong>")
        answers.append(masked.replace(b'countdown="' + seconds, b'countdown="'))
        statements.append([query["sql"].split()[0] for query in queries])

    assert answers[0] == answers[1] == answers[2]
    assert statements[0] == statements[1] == statements[2]


@pytest.mark.parametrize("state", ["wrong", "expired", "revoked", "used up", "excluded"])
def test_the_wait_does_not_tell_what_became_of_the_invitation(mailbox: Mailbox, state: str) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    if state == "expired":
        FirstLogin.objects.update(minted_at=timezone.now() - timedelta(days=15))
    elif state == "revoked":
        mailboxes.revoke(mailbox, actor="staff:eva")
    elif state == "used up":
        FirstLogin.objects.update(consumed_at=timezone.now())
    elif state == "excluded":
        mailboxes.exclude(mailbox, actor="staff:eva", reason="leaves")

    answers = [*wrong(first_login, 11), sign_in(Client(), mailbox.address, WRONG, locator=first_login.locator)]

    assert answers[:-1] == [422] * 11
    assert answers[-1].status_code == 429


def test_the_fresh_password_typed_at_a_dead_link_ends_its_wait(mailbox: Mailbox) -> None:
    dead, _ = factories.make_first_login(mailbox)
    FirstLogin.objects.update(revoked_at=timezone.now())
    assert wrong(dead, 2) == [422] * 2
    _, secret = factories.make_first_login(mailbox)

    assert sign_in(Client(), mailbox.address, secret, locator=dead.locator).status_code == 302

    assert not Attempts.objects.filter(bucket=f"link:{dead.pk}").exists()


def test_whoever_has_no_link_makes_nobody_wait(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    other, _ = factories.make_first_login(factories.make_mailbox("berta", domain=mailbox.domain))
    for number in range(40):
        for locator in ("", other.locator, "AAAAAAAAAAA"):
            door.attempt(mailbox.address, WRONG, locator=locator, ip=f"198.51.100.{number}")

    assert not Attempts.objects.exclude(not_before=None).exists()
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302


def test_a_wait_with_one_link_is_no_wait_with_a_fresh_one_or_without(mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    wrong(first_login, 12)
    fresh, secret = factories.make_first_login(mailbox)

    assert sign_in(Client(), mailbox.address, secret).status_code == 302
    assert sign_in(Client(), mailbox.address, secret, locator=fresh.locator).status_code == 302


def test_too_early_costs_the_network_nothing(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(first_login, 12)

    answers = {
        sign_in(Client(), mailbox.address, secret, locator=first_login.locator)["Retry-After"] for _ in range(150)
    }

    assert "900" not in answers
    assert counted()["network_link:127.0.0.1"] == 12
    assert not Attempts.objects.filter(bucket__startswith="network:").exists()


def test_nothing_is_compared_too_early(mailbox: Mailbox, monkeypatch: Any) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(first_login, 12)
    compared: list[Any] = []
    monkeypatch.setattr(first_logins, "mac_matches", lambda *args: compared.append(args))

    sign_in(Client(), mailbox.address, secret, locator=first_login.locator)

    assert compared == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", [9, 10, 30])
def test_of_many_tries_at_once_only_the_first_is_looked_at(before: int) -> None:
    bucket = Bucket("link", "1")
    Attempts.objects.create(bucket=bucket.key, count=before, since=timezone.now())
    counts, early = turns_of(12, bucket)

    assert (counts, early) == ([before + 1], 11)
    assert Attempts.objects.get().count == before + 1


@pytest.mark.django_db(transaction=True)
def test_the_first_four_at_once_are_counted_exactly() -> None:
    assert turns_of(4, Bucket("link", "1")) == ([1, 2, 3, 4], 0)


@pytest.mark.django_db(transaction=True)
def test_ten_guesses_at_once_with_the_link_are_one_guess(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    wrong(first_login, 11)
    let_pass()
    answers: list[int] = []

    def guess() -> None:
        answers.append(sign_in(Client(), mailbox.address, WRONG, locator=first_login.locator).status_code)

    at_once(*[guess] * 10)

    assert sorted(answers) == [422] + [429] * 9
    assert counted()[f"link:{first_login.pk}"] == counted()["network_link:127.0.0.1"] == 12
    let_pass()
    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302
