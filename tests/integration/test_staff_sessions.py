"""Staff see where they are signed in, and end it; and a session ends when what it rests on is gone."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import retention
from accounts.models import StaffSession, User
from accounts.staff_sessions import browser_of, end_all, live
from migration.models import Event
from tests.factories import TOTP_SECRET, make_staff
from tests.integration.proof import is_asked, proves_who_it_is

pytestmark = pytest.mark.django_db

DESK, PAGE = "/staff/", "/staff/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Edg/126.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Mobile Safari/604.1"


def signed_in(user: User, agent: str = FIREFOX, ip: str = "203.0.113.77") -> Client:
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=ip)
    client.force_login(user, backend="accounts.staff.RoleBackend")
    assert client.get(DESK).status_code == 200
    return client


def is_in(client: Client) -> bool:
    return client.get(DESK).status_code == 200


def ended() -> list[tuple[str, str]]:
    events = Event.objects.filter(action=Event.Action.STAFF_SIGNED_OUT).order_by("pk")
    return [(event.actor, event.detail["why"]) for event in events]


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_names_browser_and_network_of_each_session_and_which_one_this_is() -> None:
    user = make_staff()
    client, _other = signed_in(user), signed_in(user, PHONE, "2001:db8:1:2::3")

    page = text_of(client.get(PAGE))

    assert "Firefox, Linux" in page
    assert "Safari, iPhone" in page
    assert "203.0.113.0" in page
    assert "2001:db8:1::" in page
    assert "203.0.113.77" not in page
    assert page.count("this one") == 1


@pytest.mark.parametrize(
    ("agent", "words"),
    [(FIREFOX, "Firefox, Linux"), (EDGE, "Edge, Windows"), (PHONE, "Safari, iPhone"), ("curl/8.5", "curl"), ("", "")],
)
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert browser_of(agent) == words


def test_one_of_ones_own_sessions_is_ended_and_the_other_goes_on() -> None:
    user = make_staff()
    here, there = signed_in(user), signed_in(user, PHONE)
    session = live(user).get(browser="Safari, iPhone")

    here.post(reverse("staff:session_end", args=[session.pk]))

    assert (is_in(here), is_in(there)) == (True, False)
    assert ended() == [(f"staff:{user.email}", "ended by himself")]


def test_all_others_are_ended_at_once() -> None:
    user = make_staff()
    here, *others = (signed_in(user) for _session in range(3))

    here.post(reverse("staff:sessions_end_others"))

    assert [is_in(client) for client in (here, *others)] == [True, False, False]


def test_a_fourth_session_ends_the_oldest() -> None:
    user = make_staff()
    with time_machine.travel("2026-03-01 10:00:00+00:00", tick=False) as clock:
        clients = []
        for _session in range(4):
            clients.append(signed_in(user))
            clock.shift(60)

        assert [is_in(client) for client in clients] == [False, True, True, True]
    assert ended() == [("portal", "a fourth began")]


def test_somebody_elses_session_is_not_there_for_support(support_client: Client) -> None:
    other = make_staff(role="readonly")
    client = signed_in(other)
    session = live(other).get()

    assert support_client.post(reverse("staff:session_end", args=[session.pk])).status_code == 404
    assert support_client.post(reverse("staff:sessions_end_all_of", args=[other.pk])).status_code == 403
    assert other.email not in text_of(support_client.get(PAGE))
    assert is_in(client)


def test_an_admin_ends_the_sessions_of_others_after_a_proof(admin_client_mfa: Client) -> None:
    other = make_staff(role="support", name="Otto Anderer")
    first, second = signed_in(other), signed_in(other)
    one = reverse("staff:session_end", args=[live(other).latest("pk").pk])

    assert "Otto Anderer" in text_of(admin_client_mfa.get(PAGE))
    assert is_asked(admin_client_mfa.post(one))
    assert is_asked(admin_client_mfa.post(reverse("staff:sessions_end_all_of", args=[other.pk])))
    assert is_in(second)

    proves_who_it_is(admin_client_mfa)
    admin_client_mfa.post(one)
    assert (is_in(first), is_in(second)) == (True, False)
    admin_client_mfa.post(reverse("staff:sessions_end_all_of", args=[other.pk]))
    assert not is_in(first)
    assert {why for _actor, why in ended()} == {"ended by an admin"}


def test_closing_the_sign_in_ends_the_sessions_and_opening_it_again_brings_none_back(admin_client_mfa: Client) -> None:
    other = make_staff(role="support")
    client = signed_in(other)
    proves_who_it_is(admin_client_mfa)
    page = reverse("admin:accounts_user_change", args=[other.pk])

    admin_client_mfa.post(page, {"name": "", "role": "support"})
    admin_client_mfa.post(page, {"name": "", "role": "support", "is_active": "on"})

    assert not is_in(client)
    assert not StaffSession.objects.filter(user=other).exists()
    changed = Event.objects.filter(action=Event.Action.STAFF_CHANGED).order_by("pk")
    assert [event.detail["fields"] for event in changed] == [["is_active"], ["is_active"]]


def test_a_new_password_ends_all_other_sessions_and_this_one_goes_on() -> None:
    user = make_staff()
    here, there = signed_in(user), signed_in(user)
    new = {"oldpassword": "Staff-Password-1", "password1": "Amber-Rabe-24", "password2": "Amber-Rabe-24"}

    here.post(reverse("account_change_password"), new)

    assert (is_in(here), is_in(there)) == (True, False)
    assert live(user).count() == 1
    assert Event.objects.get(action=Event.Action.STAFF_CHANGED).detail == {"staff": user.email, "fields": ["password"]}
    assert ended() == [(f"staff:{user.email}", "password changed")]


def test_a_changed_factor_ends_all_other_sessions_and_is_written_down() -> None:
    user = make_staff()
    here, there = signed_in(user), signed_in(user)
    assert is_asked(here.post(reverse("mfa_generate_recovery_codes")))
    proves_who_it_is(here)

    here.post(reverse("mfa_generate_recovery_codes"))

    assert (is_in(here), is_in(there)) == (True, False)
    event = Event.objects.get(action=Event.Action.FACTOR_CHANGED)
    assert event.detail == {"staff": user.email, "added": ["recovery_codes"], "removed": []}
    assert event.actor == f"staff:{user.email}"


@pytest.mark.parametrize("page", ["mfa_activate_totp", "mfa_add_webauthn", "mfa_deactivate_totp"])
def test_a_factor_is_changed_after_a_proof_only(page: str, support_client: Client) -> None:
    assert is_asked(support_client.get(reverse(page))) or page == "mfa_activate_totp"
    before = Event.objects.count()

    answer = support_client.post(reverse(page), {"code": "000000"})

    assert answer.status_code == 302
    assert Authenticator.objects.count() == 1
    assert Event.objects.count() == before


def test_signing_in_and_out_are_written_down_and_nothing_that_was_typed() -> None:
    user, client = make_staff(), Client()
    client.post(reverse("account_login"), {"login": "Nobody@typed.example", "password": "typed-password"})
    client.post(reverse("account_login"), {"login": user.email, "password": "Staff-Password-1"})
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    with time_machine.travel(timezone.now(), tick=False):
        code = format_hotp_value(hotp_value(TOTP_SECRET, int(time.time()) // 30))
        client.post(reverse("mfa_authenticate"), {"code": code})
    client.post(reverse("account_logout"))

    whose = f"staff:{user.email}"
    told = [(event.actor, event.action, event.detail) for event in Event.objects.order_by("pk")]
    assert told == [
        ("staff", "staff_sign_in_failed", {"step": "password"}),
        (whose, "staff_sign_in_failed", {"step": "code"}),
        (whose, "staff_signed_in", {"factor": "totp"}),
        (whose, "staff_signed_out", {"staff": user.email, "why": "signed out"}),
    ]
    assert all(event.ip == "127.0.0.1" for event in Event.objects.all())
    assert not StaffSession.objects.exists()


def test_what_names_a_session_goes_with_it(staff_client: Callable[..., Client]) -> None:
    client, gone = staff_client("support"), staff_client("readonly")
    client.get(DESK)
    gone.get(DESK)
    gone.session.delete()

    assert retention.run()["staff_session"] == 1
    assert StaffSession.objects.count() == 1
    assert retention.run()["staff_session"] == 0


def test_ending_nothing_is_no_mistake() -> None:
    assert end_all(make_staff(), why="x", actor="portal") == 0


def test_the_page_costs_the_same_for_any_number_of_sessions(admin_client_mfa: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            admin_client_mfa.get(PAGE)
        return len(queries)

    admin_client_mfa.get(PAGE)
    for _session in range(2):
        signed_in(make_staff())
    few = cost()
    for _session in range(4):
        signed_in(make_staff())

    assert cost() == few
