"""Support sees whom the new server keeps out, and wishes a ban away."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration import bans
from migration.models import Ban, BanPoll, Lifting, Mailbox, SourceLogin
from sandbox.mailcow import MailcowStandIn

pytestmark = pytest.mark.django_db
PAGE, LIFT = reverse("desk:bans"), reverse("desk:lift_ban")
PHONE = "198.51.100.7/32"


@pytest.fixture
def told() -> Ban:
    BanPoll.objects.create(pk=BanPoll.ONLY, asked_at=timezone.now(), answered_at=timezone.now())
    return Ban.objects.create(network=PHONE, until=timezone.now() + timedelta(minutes=29))


def content(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_page_names_the_network_its_owner_and_the_end(told: Ban, mailbox: Mailbox, support_client: Client) -> None:
    SourceLogin.objects.create(mailbox=mailbox, at=timezone.now(), ip="198.51.100.7", protocol="imap")

    page = content(support_client)

    for shown in (PHONE, "anna@demo.example", reverse("desk:mailbox", args=[mailbox.pk]), "Lift the ban"):
        assert shown in page
    assert "no answer lately" not in page
    assert 'aria-current="page">Bans' in page


def test_page_says_that_nobody_is_banned_and_whether_mailcow_answered(support_client: Client) -> None:
    page = content(support_client)

    assert "Nobody is banned" in page
    assert "no answer lately" in page


def test_page_says_when_the_last_question_was_not_answered(told: Ban, support_client: Client) -> None:
    BanPoll.objects.update(problem="timeout")

    assert "no answer lately" in content(support_client)


def test_pages_are_turned(support_client: Client) -> None:
    Ban.objects.bulk_create(Ban(network=f"198.51.{n}.0/24") for n in range(51))

    page = support_client.get(PAGE, {"page": 2})

    assert len(page.context["page"]) == 1
    assert "page=1" in page.content.decode()


def test_support_wishes_a_ban_away_and_the_worker_lifts_it(
    told: Ban, support_client: Client, mailcow: MailcowStandIn
) -> None:
    mailcow.ban(PHONE)

    answer = support_client.post(LIFT, {"network": PHONE}, follow=True)

    assert answer.redirect_chain == [(PAGE, 302)]
    assert "The ban is being lifted" in answer.content.decode()
    assert "Lift the ban of" not in answer.content.decode()
    assert not mailcow.calls, "the web process has no key"
    lifting = Lifting.objects.get()
    assert lifting.asked_by.startswith("staff:")

    bans.lift(lifting.pk)

    assert PHONE in mailcow.state.unban_queue
    assert "being lifted" in content(support_client)


def test_ban_for_good_has_no_button(told: Ban, support_client: Client) -> None:
    Ban.objects.update(until=None)

    page = content(support_client)

    assert "for good" in page
    assert "Lift the ban of" not in page
    assert "denylist" in support_client.post(LIFT, {"network": PHONE}, follow=True).content.decode()


def test_wish_that_failed_can_be_made_again(told: Ban, support_client: Client) -> None:
    Lifting.objects.create(network=PHONE, asked_by="staff:x", state=Lifting.State.FAILED, reason="timeout")

    page = content(support_client)

    assert "could not be lifted" in page
    assert "Lift the ban of" in page


@pytest.mark.parametrize("network", [None, "", "198.51.100.8/32", "<script>", "9" * 60, "\0"])
def test_what_is_no_ban_of_ours_is_refused_in_words(network: str | None, told: Ban, support_client: Client) -> None:
    answer = support_client.post(LIFT, {} if network is None else {"network": network}, follow=True)

    assert "There is no such ban any more." in answer.content.decode()
    assert not Lifting.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("readonly", 403), ("support", 200), ("admin", 200)])
def test_bans_are_for_those_who_help(role: str, status: int, told: Ban, staff_client: Callable[..., Client]) -> None:
    assert staff_client(role).get(PAGE).status_code == status


def test_who_only_reads_lifts_nothing(told: Ban, staff_client: Callable[..., Client]) -> None:
    assert staff_client("readonly").post(LIFT, {"network": PHONE}).status_code == 403
    assert not Lifting.objects.exists()


def test_stranger_is_sent_to_the_sign_in(told: Ban) -> None:
    assert "login" in Client().get(PAGE).headers["Location"]
    assert "login" in Client().post(LIFT, {"network": PHONE}).headers["Location"]
    assert not Lifting.objects.exists()


def test_a_forged_form_lifts_nothing(told: Ban, support_client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = support_client.cookies

    assert strict.post(LIFT, {"network": PHONE}).status_code == 403
    assert not Lifting.objects.exists()


def test_methods_are_what_they_should_be(support_client: Client) -> None:
    assert support_client.post(PAGE).status_code == 405
    assert support_client.get(LIFT).status_code == 405


def test_link_is_shown_only_to_who_may_follow_it(staff_client: Callable[..., Client]) -> None:
    home = reverse("desk:domains")

    assert PAGE in staff_client("support").get(home).content.decode()
    assert PAGE not in staff_client("readonly").get(home).content.decode()
