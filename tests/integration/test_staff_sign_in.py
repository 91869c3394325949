"""Staff sign in with a password and an authenticator app; before that, no staff page is open to them."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, format_hotp_value, hotp_value
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts import owners
from accounts.models import User
from accounts.staff_sessions import IDLE_SECONDS, SESSION_SECONDS
from migration.models import Event
from tests.factories import TOTP_SECRET, make_first_login, make_mailbox, make_staff

pytestmark = pytest.mark.django_db

PASSWORD = "Staff-Password-1"
DESK = "/staff/"


def code(secret: str = TOTP_SECRET) -> str:
    """What the authenticator app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def sign_in(client: Client, user: User, password: str = PASSWORD) -> str:
    """Type address and password; returns where the browser is sent."""
    answer = client.post(reverse("account_login"), {"login": user.email, "password": password})
    return answer.headers.get("Location", "")


def test_password_and_code_open_the_desk() -> None:
    user, client = make_staff(), Client()

    with time_machine.travel("2026-03-01 10:00:00+00:00", tick=False):
        assert sign_in(client, user) == reverse("mfa_authenticate")
        assert client.get(DESK).status_code == 302
        answer = client.post(reverse("mfa_authenticate"), {"code": code()})

        assert answer.headers["Location"] == DESK
        assert client.get(DESK).status_code == 200


def test_signing_in_ends_the_session_of_an_owner() -> None:
    mailbox = make_mailbox("anna")
    secret, user, client = make_first_login(mailbox)[1], make_staff(), Client()
    client.post(reverse("accounts:sign_in"), {"address": mailbox.address, "secret": secret})
    assert owners.KEY in client.session

    with time_machine.travel(timezone.now(), tick=False):
        sign_in(client, user)
        client.post(reverse("mfa_authenticate"), {"code": code()})

        assert client.get(DESK).status_code == 200
        assert owners.KEY not in client.session


def test_the_same_code_works_only_once() -> None:
    user = make_staff()

    with time_machine.travel("2026-03-01 10:00:00+00:00", tick=False):
        for expected in (302, 200):
            client = Client()
            sign_in(client, user)
            assert client.post(reverse("mfa_authenticate"), {"code": code()}).status_code == expected


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "{}",
        "no json",
        '{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": "e30"}}',
    ],
)
def test_what_is_no_passkey_of_his_opens_nothing_and_is_written_down(credential: str) -> None:
    user, client = make_staff(), Client()
    sign_in(client, user)
    client.get(reverse("mfa_authenticate"))

    answer = client.post(reverse("mfa_authenticate"), {"credential": credential})

    assert answer.status_code == 200
    assert client.get(DESK).status_code == 302
    failed = Event.objects.get(action=Event.Action.STAFF_SIGN_IN_FAILED)
    assert (failed.actor, failed.detail) == (f"staff:{user.email}", {"step": "passkey"})


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer() -> None:
    user, client = make_staff(), Client()

    wrong = client.post(reverse("account_login"), {"login": user.email, "password": "not-his"})
    unknown = client.post(reverse("account_login"), {"login": "nobody@x.example", "password": "not-his"})

    assert wrong.context["form"].errors == unknown.context["form"].errors != {}


def test_after_five_wrong_passwords_even_the_right_one_waits() -> None:
    user, client = make_staff(), Client()
    for _try in range(5):
        sign_in(client, user, "not-his")

    assert sign_in(client, user) == ""


def test_a_closed_sign_in_stays_closed() -> None:
    user, client = make_staff(is_active=False), Client()

    sign_in(client, user)

    assert client.get(DESK).status_code == 302


def test_closing_the_sign_in_ends_the_session(staff_client: Callable[..., Client]) -> None:
    client = staff_client("support")
    assert client.get(DESK).status_code == 200

    User.objects.update(is_active=False)

    assert client.get(DESK).status_code == 302


@pytest.mark.parametrize("address", ["/staff/", "/staff/search/", "/admin/", "/staff/sign-in/second-factor/"])
def test_without_a_second_factor_every_page_leads_to_setting_it_up(
    address: str, staff_client: Callable[..., Client]
) -> None:
    client = staff_client("admin", second_factor=False)

    assert client.get(address).headers["Location"] == reverse("mfa_activate_totp")


def test_setting_up_the_second_factor_opens_the_desk() -> None:
    user, client = make_staff(second_factor=False), Client()
    enrol = reverse("mfa_activate_totp")
    with time_machine.travel("2026-03-01 10:00:00+00:00", tick=False):
        sign_in(client, user)
        again = client.get(enrol).headers["Location"]
        assert again.startswith(reverse("account_reauthenticate"))
        client.post(again, {"password": PASSWORD})

        page = client.get(enrol)
        secret = page.context["form"].secret
        answer = client.post(enrol, {"code": code(secret)})

        assert answer.headers["Location"] == reverse("mfa_view_recovery_codes")
        assert client.get(DESK).status_code == 200


def test_the_qr_code_is_part_of_the_page(staff_client: Callable[..., Client]) -> None:
    user, client = make_staff(second_factor=False), Client()
    sign_in(client, user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    page = client.get(reverse("mfa_activate_totp")).content.decode()

    assert '<svg class="qr"' in page
    assert "data:" not in page


def test_a_secret_waits_sealed_until_the_second_factor_is_set_up() -> None:
    user, client = make_staff(second_factor=False), Client()
    sign_in(client, user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    for _look in range(2):
        secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
        assert secret not in str(dict(client.session))

    with time_machine.travel(timezone.now(), tick=False):
        assert client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 200
        assert secret not in str(dict(client.session))
        assert client.post(reverse("mfa_activate_totp"), {"code": code(secret)}).status_code == 302
    assert SECRET_SESSION_KEY not in client.session


def test_secrets_of_the_second_factor_are_sealed_in_the_database() -> None:
    user = make_staff()
    codes = RecoveryCodes.activate(user)

    stored = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert TOTP_SECRET not in stored
    assert len(codes.get_unused_codes()) == 10


def test_a_recovery_code_opens_the_desk_once() -> None:
    user = make_staff()
    one = RecoveryCodes.activate(user).get_unused_codes()[0]

    for expected in (302, 200):
        client = Client()
        sign_in(client, user)
        assert client.post(reverse("mfa_authenticate"), {"code": one}).status_code == expected


@pytest.mark.parametrize(("idle", "signed_in"), [(IDLE_SECONDS - 1, True), (IDLE_SECONDS, False)])
def test_half_an_hour_idle_ends_the_session(idle: int, signed_in: bool, staff_client: Callable[..., Client]) -> None:
    client = staff_client("support")
    with time_machine.travel("2026-03-01 10:00:00+00:00", tick=False) as clock:
        client.get(DESK)
        clock.shift(idle)

        assert (client.get(DESK).status_code == 200) is signed_in


def test_eight_hours_end_the_session_however_busy(staff_client: Callable[..., Client]) -> None:
    client = staff_client("support")
    with time_machine.travel("2026-03-01 06:00:00+00:00", tick=False) as clock:
        client.get(DESK)
        for _quarter in range(SESSION_SECONDS // 900 - 1):
            clock.shift(900)
            assert client.get(DESK).status_code == 200
        clock.shift(900)

        assert client.get(DESK).headers["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    "name", ["account_signup", "account_email", "account_reset_password", "account_set_password", "mfa_trust"]
)
def test_pages_of_allauth_we_do_not_need_are_not_there(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_add_staff_prints_a_password_once_and_leaves_the_second_factor_to_the_first_sign_in() -> None:
    out = io.StringIO()

    call_command("add_staff", "Eva@Provider.example", "--role", "admin", stdout=out)

    user = User.objects.get(email="eva@provider.example")
    assert user.check_password(out.getvalue().split()[-1])
    assert user.role == User.Role.ADMIN
    assert not Authenticator.objects.exists()


def test_add_staff_can_set_up_the_second_factor_from_a_file(tmp_path: Path) -> None:
    file, client, out = tmp_path / "totp", Client(), io.StringIO()
    call_command("add_staff", "demo@provider.example", "--totp-secret-file", str(file), stdout=out)
    user = User.objects.get(email="demo@provider.example")

    assert file.stat().st_mode & 0o077 == 0
    with time_machine.travel("2026-03-01 10:00:00+00:00", tick=False):
        sign_in(client, user, out.getvalue().split()[-1])
        client.post(reverse("mfa_authenticate"), {"code": code(file.read_text().strip())})
        assert client.get(DESK).status_code == 200


def test_add_staff_touches_an_existing_address_only_when_told_to() -> None:
    user = make_staff("eva@provider.example")

    with pytest.raises(CommandError, match="--renew"):
        call_command("add_staff", user.email)
    assert Authenticator.objects.filter(user=user).exists()

    call_command("add_staff", user.email, "--renew", stdout=io.StringIO())
    assert not Authenticator.objects.filter(user=user).exists()


@pytest.mark.parametrize("text", ["not base32 !", "JBSWY3DP"])
def test_add_staff_refuses_a_bad_secret(text: str, tmp_path: Path) -> None:
    file = tmp_path / "totp"
    file.write_text(text)

    with pytest.raises(CommandError):
        call_command("add_staff", "eva@provider.example", "--totp-secret-file", str(file))
    assert not User.objects.exists()
