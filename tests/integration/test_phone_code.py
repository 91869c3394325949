"""A code from the phone: what opens the owner's door with it, and what does not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.attempts import Attempts
from migration import mailboxes, phone_codes
from migration.models import Event, FirstLogin, Mailbox, PhoneCode, Push
from migration.refusals import VerbRefused
from tests import factories
from tests.racing import at_once

from .door import GOOD, save, sign_in

WRONG = "0000 0000"


def give(mailbox: Mailbox, **fields: Any) -> str:
    """The digits of a fresh code."""
    told = {"checked": PhoneCode.Checked.CALLED_BACK, "note": "", "seen": phone_codes.newest(mailbox)}
    return phone_codes.give(mailbox, actor="staff:eva@provider.example", **(told | fields))


def enter(address: str, code: str, client: Client | None = None, **headers: Any) -> Any:
    """Post the form of the phone's door."""
    return (client or Client()).post("/phone", {"address": address, "digits": code}, **headers)


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**8:08}"


def reasons(mailbox: Mailbox) -> list[str]:
    """Why sign-ins failed, oldest first."""
    failed = Event.objects.filter(mailbox=mailbox, action=Event.Action.SIGN_IN_FAILED).order_by("id")
    return [event.detail["reason"] for event in failed]


def test_a_code_leads_to_the_page_for_the_new_password_and_is_used_up_by_saving_it(mailbox: Mailbox) -> None:
    code, client = give(mailbox), Client()

    answer = enter(mailbox.address, code, client)
    page = client.get(answer["Location"])
    saved = save(client)

    assert (answer.status_code, answer["Location"]) == (302, "/password")
    assert mailbox.address in page.content.decode()
    assert saved["Location"] == "/done"
    assert client.get("/done").status_code == 200
    assert Push.objects.get().mailbox == mailbox
    assert PhoneCode.objects.get().consumed_at is not None
    assert enter(mailbox.address, code).status_code == 422


def test_a_code_may_be_typed_as_people_type(mailbox: Mailbox) -> None:
    code = give(mailbox)

    for typed in (f" {code[:4]}-{code[4:]} ", " ".join(code), f"{code[:2]}.{code[2:]}", code.translate(FULL_WIDTH)):
        assert enter(mailbox.address, typed).status_code == 302, typed


FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)}


def test_it_may_be_entered_twice_but_saves_once(mailbox: Mailbox) -> None:
    code, first, second = give(mailbox), Client(), Client()
    enter(mailbox.address, code, first)
    enter(mailbox.address, code, second)

    save(first)

    assert save(second)["Location"] == "/phone"
    assert Push.objects.count() == 1


def test_an_imported_mailbox_is_signed_in_by_it_and_still_gets_its_invitation(mailbox: Mailbox) -> None:
    code = give(mailbox)
    assert Mailbox.objects.get().state == Mailbox.State.IMPORTED

    enter(mailbox.address, code)

    assert Mailbox.objects.get().state == Mailbox.State.SIGNED_IN
    told = Event.objects.get(action=Event.Action.SIGNED_IN)
    assert (told.actor, told.detail) == ("owner", {"way": "phone"})


def test_a_mailed_password_keeps_working_beside_it(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)

    enter(mailbox.address, give(mailbox))

    assert sign_in(Client(), mailbox.address, secret, locator=first_login.locator).status_code == 302


def test_an_owner_with_a_new_password_may_choose_another_one(mailbox: Mailbox) -> None:
    factories.make_push(mailbox, state=Push.State.DELIVERED)
    client = Client()

    enter(mailbox.address, give(mailbox), client)

    assert save(client)["Location"] == "/done"
    assert Push.objects.count() == 2


def test_a_quarter_of_an_hour_later_it_opens_nothing(mailbox: Mailbox) -> None:
    code, now = give(mailbox), timezone.now()

    with time_machine.travel(now + timedelta(minutes=14, seconds=50), tick=False):
        assert enter(mailbox.address, code).status_code == 302
    with time_machine.travel(now + timedelta(minutes=15, seconds=5), tick=False):
        assert enter(mailbox.address, code).status_code == 422

    assert reasons(mailbox) == ["code_none"]


def test_it_dies_with_the_fifth_wrong_try_and_staff_read_so(mailbox: Mailbox) -> None:
    code = give(mailbox)

    for _ in range(5):
        assert enter(mailbox.address, wrong(code)).status_code == 422

    assert enter(mailbox.address, code).status_code == 422
    assert reasons(mailbox) == [*["code_wrong"] * 4, "code_dead", "code_none"]


def test_the_right_code_uses_up_no_try(mailbox: Mailbox) -> None:
    code = give(mailbox)
    for _ in range(4):
        enter(mailbox.address, wrong(code))

    assert [enter(mailbox.address, code).status_code for _ in range(3)] == [302, 302, 302]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nothing can race")
def test_of_many_wrong_tries_at_once_five_are_looked_at(mailbox: Mailbox) -> None:
    code = give(mailbox)

    at_once(*[lambda: phone_codes.check(mailbox, wrong(code))] * 12)

    assert PhoneCode.objects.get().tries == 5
    assert phone_codes.check(mailbox, code).code is None


@pytest.mark.django_db(transaction=True)
def test_two_given_at_once_leave_one(mailbox: Mailbox) -> None:
    given: list[str] = []

    def one() -> None:
        try:
            given.append(give(mailbox, seen=None))
        except VerbRefused as refused:
            given.append(refused.code)

    at_once(one, one)

    assert sorted(given)[1] == "code_shown"
    assert PhoneCode.objects.filter(revoked_at=None).count() == 1


def test_a_second_code_kills_the_first_and_its_session(mailbox: Mailbox) -> None:
    first, client = give(mailbox), Client()
    enter(mailbox.address, first, client)

    second = give(mailbox)

    assert enter(mailbox.address, first).status_code == 422
    assert client.get("/password")["Location"] == "/phone"
    assert enter(mailbox.address, second).status_code == 302


def test_it_opens_no_other_mailbox(mailbox: Mailbox) -> None:
    code = give(mailbox)
    other = factories.make_mailbox("berta", domain=mailbox.domain)
    give(other)

    assert enter(other.address, code).status_code == 422
    assert sign_in(Client(), mailbox.address, code).status_code == 422


@pytest.mark.parametrize("end", ["exclude", "revoke", "reopen"])
def test_what_ends_the_mailed_passwords_ends_the_code(mailbox: Mailbox, end: str) -> None:
    if end == "reopen":
        factories.make_push(mailbox, state=Push.State.DELIVERED)
    code, client = give(mailbox), Client()
    enter(mailbox.address, code, client)
    mailbox.refresh_from_db()

    ends: dict[str, Callable[[], object]] = {
        "exclude": lambda: mailboxes.exclude(mailbox, actor="staff:x", reason="left"),
        "revoke": lambda: mailboxes.revoke(mailbox, actor="staff:x"),
        "reopen": lambda: mailboxes.reopen(mailbox, actor="staff:x"),
    }
    ends[end]()

    assert enter(mailbox.address, code).status_code == 422
    assert client.get("/password").status_code == 302


def test_only_a_fingerprint_is_kept_and_the_run_deletes_it(mailbox: Mailbox) -> None:
    code = give(mailbox, note="knows the old address")
    enter(mailbox.address, wrong(code))

    kept = PhoneCode.objects.get()
    assert code.encode() not in bytes(kept.mac)
    assert code not in str([*Event.objects.values("detail"), *Attempts.objects.values()])
    [rule] = phone_codes.RULES
    assert rule.due(timezone.now() - rule.after) == []
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        rule.erase(rule.due(timezone.now() - rule.after))
    assert not PhoneCode.objects.exists()


def test_the_new_password_is_asked_the_same_rules(mailbox: Mailbox) -> None:
    client = Client()
    enter(mailbox.address, give(mailbox), client)

    assert save(client, "kurz").status_code == 422
    assert save(client, GOOD).status_code == 302
    assert not FirstLogin.objects.exists()
