"""Help on the phone, as support sees it: the question, the code once, and no second time."""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration import phone_codes
from migration.models import Event, Mailbox, PhoneCode
from tests import factories

from .proof import is_asked, proven_long_ago, proves_who_it_is


@pytest.fixture
def support_client(staff_client: Callable[..., Client]) -> Client:
    """Support, who has just proven who he is."""
    client = staff_client("support")
    proves_who_it_is(client)
    return client


def ask(client: Client, mailbox: Mailbox, **fields: Any) -> Any:
    """Answer the question on the page as it is now."""
    page = client.get(reverse("desk:phone_code", args=[mailbox.pk])).content.decode()
    seen = re.search(r'name="seen" value="(\d*)"', page)
    assert seen
    sent = {"seen": seen[1], "checked": "called_back", "note": ""} | fields
    return client.post(reverse("desk:phone_code", args=[mailbox.pk]), sent)


def shown(answer: Any) -> str:
    """The code on a page, without its blank; empty if there is none."""
    found = re.search(r'id="code">(\d{4}) (\d{4})<', answer.content.decode())
    return found[1] + found[2] if found else ""


def test_support_says_how_it_checked_and_sees_a_code_that_opens_the_door(
    support_client: Client, mailbox: Mailbox
) -> None:
    answer = ask(support_client, mailbox, checked="invoice", note="invoice of May")

    code = shown(answer)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert phone_codes.check(mailbox, code).code
    told = Event.objects.get(action=Event.Action.CODE_GIVEN)
    assert told.detail == {"checked": "invoice", "reason": "invoice of May"}
    assert told.actor.startswith("staff:")
    timeline = support_client.get(reverse("desk:mailbox", args=[mailbox.pk])).content.decode()
    assert "knows the customer number and the last invoice: “invoice of May”" in timeline


def test_without_an_answer_to_the_question_there_is_no_code(support_client: Client, mailbox: Mailbox) -> None:
    for checked in ("", "trust me"):
        answer = ask(support_client, mailbox, checked=checked)

        assert (answer.status_code, shown(answer)) == (422, "")
    assert not PhoneCode.objects.exists()


def test_loading_the_answer_again_shows_no_code_and_makes_none(support_client: Client, mailbox: Mailbox) -> None:
    address, sent = reverse("desk:phone_code", args=[mailbox.pk]), {"seen": "", "checked": "contact"}
    code = shown(support_client.post(address, sent))

    again = support_client.post(address, sent)

    assert (again.status_code, shown(again)) == (409, "")
    assert code not in again.content.decode()
    assert PhoneCode.objects.count() == 1
    assert phone_codes.check(mailbox, code).code


def test_a_code_that_still_works_is_told_before_another_one_kills_it(support_client: Client, mailbox: Mailbox) -> None:
    first = shown(ask(support_client, mailbox))
    page = support_client.get(reverse("desk:phone_code", args=[mailbox.pk])).content.decode()

    second = shown(ask(support_client, mailbox))

    assert "It dies when you give another one." in page
    assert not phone_codes.check(mailbox, first).code
    assert phone_codes.check(mailbox, second).code


def test_the_code_is_in_no_session_message_or_later_page(support_client: Client, mailbox: Mailbox) -> None:
    code = shown(ask(support_client, mailbox))

    pages = [support_client.get(reverse(f"desk:{name}", args=[mailbox.pk])) for name in ("mailbox", "phone_code")]

    for page in pages:
        assert code not in page.content.decode().replace(" ", "")
    assert not any(code in str(session.get_decoded()) for session in Session.objects.all())


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that is logged, whatever the level."""
    kept: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(f"{record.getMessage()} {record.__dict__}")

    keeper, root = Keeper(), logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(keeper)
    root.setLevel(level)


def test_the_code_is_in_no_log(support_client: Client, mailbox: Mailbox, logged: list[str]) -> None:
    code = shown(ask(support_client, mailbox))
    Client().post("/phone", {"address": mailbox.address, "digits": "0"})
    Client().post("/phone", {"address": mailbox.address, "digits": code})

    assert logged
    assert not [line for line in logged if code in line]


def test_readers_see_no_button_and_no_page(staff_client: Callable[..., Client], mailbox: Mailbox) -> None:
    client = staff_client("readonly")
    address = reverse("desk:phone_code", args=[mailbox.pk])

    assert address not in client.get(reverse("desk:mailbox", args=[mailbox.pk])).content.decode()
    assert client.get(address).status_code == 403
    assert client.post(address, {"seen": "", "checked": "contact"}).status_code == 403
    assert not PhoneCode.objects.exists()


def test_before_the_contact_was_told_the_page_says_why_there_is_none(support_client: Client, db: None) -> None:
    mailbox = factories.make_mailbox(domain=factories.make_domain(announced=False))

    page = support_client.get(reverse("desk:phone_code", args=[mailbox.pk])).content.decode()

    assert "The customer&#x27;s contact has not been told yet." in page
    assert "<button" not in page.partition("<main")[2]


def test_without_a_fresh_proof_of_who_is_signed_in_there_is_no_page_and_no_code(
    support_client: Client, mailbox: Mailbox
) -> None:
    address, sent = reverse("desk:phone_code", args=[mailbox.pk]), {"seen": "", "checked": "contact"}
    proven_long_ago(support_client)

    assert is_asked(support_client.get(address))
    assert is_asked(support_client.post(address, sent))
    assert not PhoneCode.objects.exists()

    proves_who_it_is(support_client)
    assert shown(support_client.post(address, sent))


@pytest.mark.parametrize(("minutes", "asked"), [(9, False), (11, True)])
def test_a_proof_is_good_for_ten_minutes_of_phone_calls(
    support_client: Client, mailbox: Mailbox, minutes: int, asked: bool
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        answer = support_client.get(reverse("desk:phone_code", args=[mailbox.pk]))

    assert is_asked(answer) == asked
