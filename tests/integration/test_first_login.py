"""First-login passwords: what is shown, what is stored, what is accepted."""

import datetime
import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration import first_login
from migration.models import FirstLogin, Mailbox
from tests.factories import make_domain, make_first_login, make_mailbox

pytestmark = pytest.mark.django_db


def test_a_minted_password_is_sixteen_symbols_with_letters_and_a_digit() -> None:
    for _ in range(500):
        secret = first_login.new_secret()

        assert re.fullmatch(rf"[{first_login.ALPHABET}]{{16}}", secret)
        assert re.search(r"[0-9]", secret)
        assert len(re.findall(r"[a-z]", secret)) >= 2


def test_it_is_shown_in_four_groups_with_one_capital() -> None:
    assert first_login.show("3fp7mrt4xwd9hc3q") == "3Fp7-mrt4-xwd9-hc3q"


@pytest.mark.parametrize(
    "typed",
    [
        "Kfp7-mrt4-xwd9-hc3q",
        "  KFP7 MRT4 XWD9 HC3Q\n",
        "kfp7–mrt4—xwd9‑hc3q",
        "kfp7mrt4xwd9hc3q\u00ad",
        "Kfp7.mrt4.xwd9.hc3q",
        "\ufeffkfp7\u00a0mrt4\u2212xwd9 hc3q",
    ],
)
def test_case_blanks_and_any_dash_are_ignored(typed: str) -> None:
    assert first_login.normalise(typed) == "kfp7mrt4xwd9hc3q"


def test_the_database_holds_nothing_of_the_secret() -> None:
    mailbox = make_mailbox()

    row, secret = make_first_login(mailbox)

    stored = bytes(FirstLogin.objects.get(pk=row.pk).mac or b"")
    assert secret.encode() not in stored
    assert secret not in str(FirstLogin.objects.filter(pk=row.pk).values())


def test_the_right_password_is_found_and_a_wrong_one_is_not() -> None:
    mailbox = make_mailbox()
    row, secret = make_first_login(mailbox)

    assert first_login.check(mailbox, secret) == row
    assert first_login.check(mailbox, ("c" if secret[0] == "b" else "b") + secret[1:]) is None
    assert first_login.check(None, secret) is None


def test_the_password_of_another_mailbox_opens_nothing() -> None:
    mailbox, other = make_mailbox(), make_mailbox()
    make_first_login(mailbox)
    _, secret = make_first_login(other)

    assert first_login.check(mailbox, secret) is None


def test_the_newest_and_its_predecessor_work_and_the_one_before_does_not() -> None:
    mailbox = make_mailbox()
    _, oldest = make_first_login(mailbox)
    second_row, second = make_first_login(mailbox)
    newest_row, newest = make_first_login(mailbox)

    assert first_login.check(mailbox, newest) == newest_row
    assert first_login.check(mailbox, second) == second_row
    assert first_login.check(mailbox, oldest) is None


def test_an_invitation_that_waits_for_its_mail_takes_nothing_away() -> None:
    mailbox = make_mailbox()
    first_row, first = make_first_login(mailbox)
    _, second = make_first_login(mailbox)
    FirstLogin.objects.create(mailbox=mailbox, number=3, locator=first_login.new_locator())

    assert first_login.check(mailbox, first) == first_row
    assert first_login.check(mailbox, second) is not None


def test_minting_again_kills_the_earlier_secret_of_the_same_mail() -> None:
    mailbox = make_mailbox()
    row, before = make_first_login(mailbox)

    after = first_login.mint(row)

    assert first_login.check(mailbox, before) is None
    assert first_login.check(mailbox, after) == row


@pytest.mark.parametrize("what", ["consumed", "revoked", "excluded"])
def test_a_spent_password_is_refused(what: str) -> None:
    mailbox = make_mailbox()
    _, secret = make_first_login(mailbox)

    if what == "consumed":
        first_login.consume_all(mailbox)
    elif what == "revoked":
        first_login.revoke_all(mailbox)
    else:
        Mailbox.objects.filter(pk=mailbox.pk).update(state=Mailbox.State.EXCLUDED)
        mailbox.refresh_from_db()

    assert first_login.check(mailbox, secret) is None


def test_without_a_deadline_it_lives_fourteen_days() -> None:
    mailbox = make_mailbox()
    with time_machine.travel("2026-03-01 12:00Z", tick=False):
        _, secret = make_first_login(mailbox)

    with time_machine.travel("2026-03-15 11:59Z", tick=False):
        assert first_login.check(mailbox, secret) is not None
    with time_machine.travel("2026-03-15 12:00Z", tick=False):
        assert first_login.check(mailbox, secret) is None


def test_with_a_deadline_it_lives_to_the_end_of_the_grace() -> None:
    mailbox = make_mailbox(domain=make_domain(deadline=datetime.date(2026, 3, 20)))
    with time_machine.travel("2026-03-01 12:00Z", tick=False):
        _, secret = make_first_login(mailbox)

    # 27 March 23:59 in Vienna is 22:59 UTC; the clocks change a day later.
    with time_machine.travel("2026-03-27 22:59Z", tick=False):
        assert first_login.check(mailbox, secret) is not None
    with time_machine.travel("2026-03-27 23:00Z", tick=False):
        assert first_login.check(mailbox, secret) is None


def test_whoever_asks_the_same_queries_are_made() -> None:
    with_two, with_none = make_mailbox(), make_mailbox()
    make_first_login(with_two)
    make_first_login(with_two)

    counts = []
    for asked in (with_two, with_none, None):
        with CaptureQueriesContext(connection) as queries:
            first_login.check(asked, "wrong wrong wrong")
        counts.append(len(queries))

    assert counts == [1, 1, 1]


def test_find_answers_for_any_text() -> None:
    row, _ = make_first_login(make_mailbox())

    assert first_login.find(row.locator) == row
    for nonsense in ("", "x" * 5000, "ä", "\0", row.locator[:-1] + "!"):
        assert first_login.find(nonsense) is None
