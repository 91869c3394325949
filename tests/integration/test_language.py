"""The language button leads back to the page somebody looks at, also where only a form could go."""

import re

import pytest
from django.test import Client

from migration.models import Mailbox
from tests import factories

from .door import owner_client, sign_in

pytestmark = pytest.mark.django_db
HOST = "http://testserver"


def leads_to(page: str) -> str:
    """Where the language button of the page goes."""
    found = re.search(r'name="next" value="([^"]*)"', page)
    assert found
    return found[1]


def test_a_list_is_shown_again_with_its_question(support_client: Client) -> None:
    assert leads_to(support_client.get("/staff/?q=anna").content.decode()) == "/staff/?q=anna"


def test_an_owner_s_page_does_not_repeat_what_stands_in_the_address_line(client: Client) -> None:
    assert leads_to(client.get("/again?password=Secret").content.decode()) == "/again"


def test_a_refused_sign_in_leads_back_to_the_link(client: Client, mailbox: Mailbox) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    link = f"/s/{first_login.locator}"

    page = sign_in(client, mailbox.address, "wrong", locator=first_login.locator, headers={"referer": HOST + link})

    assert page.status_code == 422
    assert leads_to(page.content.decode()) == link


def test_where_only_a_form_can_go_it_leads_back_to_the_page_of_the_form() -> None:
    browser = Client(enforce_csrf_checks=True)

    page = browser.post("/sign-out", headers={"referer": f"{HOST}/done#top"})

    assert page.status_code == 403
    assert leads_to(page.content.decode()) == "/done"


@pytest.mark.parametrize("referer", ["https://evil.example/done", "//evil.example", "javascript:alert(1)", ""])
def test_another_host_is_never_led_to(referer: str) -> None:
    page = Client(enforce_csrf_checks=True).post("/sign-out", headers={"referer": referer})

    assert leads_to(page.content.decode()) == "/sign-out"


def test_whoever_opens_the_address_of_the_sign_out_stays_signed_in(mailbox: Mailbox) -> None:
    browser = owner_client(mailbox)

    answer = browser.get("/sign-out")

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.get("/password").status_code == 200


def test_after_a_refusal_the_language_can_be_changed_without_javascript(client: Client, mailbox: Mailbox) -> None:
    page = client.post("/", {"address": mailbox.address, "secret": "wrong"}, headers={"referer": f"{HOST}/"})

    answer = client.post("/language", {"language": "en", "next": leads_to(page.content.decode())}, follow=True)

    assert answer.status_code == 200
    assert "Sign in" in answer.content.decode()
