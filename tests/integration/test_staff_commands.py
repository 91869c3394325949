"""Who makes staff: the command line, and an admin who changes what they may do, after a proof."""

import io
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.staff_sessions import live
from migration.models import Customer, Event
from tests.factories import make_customer, make_staff
from tests.integration.proof import is_asked, proves_who_it_is

pytestmark = pytest.mark.django_db


def run(command: str, *words: str) -> str:
    out = io.StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue()


def test_create_admin_makes_the_first_one_and_prints_a_password_once() -> None:
    told = run("create_admin", "Eva@Provider.example", "--name", "Eva Erste")

    user = User.objects.get()
    assert (user.email, user.name, user.role) == ("eva@provider.example", "Eva Erste", User.Role.ADMIN)
    assert user.check_password(told.split()[-1])
    assert not user.is_superuser
    assert not Authenticator.objects.exists()
    event = Event.objects.get()
    assert (event.action, event.actor) == (Event.Action.STAFF_ADDED, "command:create_admin")
    assert event.detail == {"staff": "eva@provider.example", "role": "admin"}


def test_create_admin_makes_a_second_one_only_when_told_to() -> None:
    make_staff("eva@provider.example", role="admin")

    with pytest.raises(CommandError, match="--another"):
        run("create_admin", "otto@provider.example")
    assert User.objects.count() == 1

    run("create_admin", "otto@provider.example", "--another")
    assert User.objects.filter(role="admin").count() == 2


def test_an_admin_who_may_not_sign_in_does_not_stand_in_the_way() -> None:
    make_staff("eva@provider.example", role="admin", is_active=False)

    run("create_admin", "otto@provider.example")

    assert User.objects.filter(is_active=True).get().email == "otto@provider.example"


@pytest.mark.parametrize(("address", "why"), [("no address", "no mail address"), ("eva@provider.example", "exists")])
def test_create_admin_refuses_what_is_no_new_address(address: str, why: str) -> None:
    make_staff("eva@provider.example", role="support")

    with pytest.raises(CommandError, match=why):
        run("create_admin", address)
    assert User.objects.get().role == "support"


def test_add_staff_is_written_down_and_a_new_start_ends_the_sessions() -> None:
    run("add_staff", "eva@provider.example", "--role", "operator")
    user, client = User.objects.get(), Client()
    client.force_login(user, backend="accounts.staff.RoleBackend")
    client.get("/staff/")
    assert live(user).count() == 1

    run("add_staff", "eva@provider.example", "--renew")

    assert live(user).count() == 0
    told = [(event.action, event.actor, event.detail.get("fields")) for event in Event.objects.order_by("pk")]
    assert told == [
        ("staff_added", "command:add_staff", None),
        ("staff_changed", "command:add_staff", ["password", "second factor"]),
        ("staff_signed_out", "command:add_staff", None),
    ]


def change(client: Client, user: User, **fields: str) -> Any:
    page = reverse("admin:accounts_user_change", args=[user.pk])
    return client.post(page, {"name": "", "role": user.role, "is_active": "on"} | fields)


def test_a_role_is_changed_after_a_proof_and_written_down(admin_client_mfa: Client) -> None:
    other = make_staff(role="readonly")

    assert is_asked(change(admin_client_mfa, other, role="operator"))
    other.refresh_from_db()
    assert other.role == "readonly"

    proves_who_it_is(admin_client_mfa)
    change(admin_client_mfa, other, role="operator")
    other.refresh_from_db()
    assert other.role == "operator"
    assert Event.objects.get(action=Event.Action.STAFF_CHANGED).detail == {
        "staff": other.email,
        "fields": ["role"],
        "role": "operator",
        "active": True,
    }


def test_who_saves_without_a_change_writes_nothing_down(admin_client_mfa: Client) -> None:
    proves_who_it_is(admin_client_mfa)

    change(admin_client_mfa, make_staff(role="support"))

    assert not Event.objects.filter(action=Event.Action.STAFF_CHANGED).exists()


@pytest.mark.parametrize("way", ["one", "several"])
def test_what_is_deleted_in_the_admin_asks_for_a_proof_first(way: str, admin_client_mfa: Client) -> None:
    customer = make_customer()
    pages: dict[str, tuple[str, dict[str, Any]]] = {
        "one": (reverse("admin:migration_customer_delete", args=[customer.pk]), {"post": "yes"}),
        "several": (
            reverse("admin:migration_customer_changelist"),
            {"action": "delete_selected", "_selected_action": [customer.pk], "post": "yes"},
        ),
    }
    page, fields = pages[way]

    assert is_asked(admin_client_mfa.post(page, fields))
    assert Customer.objects.exists()

    proves_who_it_is(admin_client_mfa)
    admin_client_mfa.post(page, fields)
    assert not Customer.objects.exists()


def test_a_proof_does_not_make_an_admin_of_an_operator(staff_client: Callable[..., Client]) -> None:
    operator, other = staff_client("operator"), make_staff(role="readonly")
    proves_who_it_is(operator)

    assert change(operator, other, role="admin").headers["Location"].startswith("/admin/login/")
    other.refresh_from_db()
    assert other.role == "readonly"


@pytest.mark.parametrize(("command", "options"), [("create_admin", ()), ("add_staff", ("--role", "admin"))])
def test_a_first_password_nobody_used_opens_nothing_after_a_day(command: str, options: tuple[str, ...]) -> None:
    told = run(command, "eva@provider.example", *options)
    password = told.split()[-1]
    assert "24 hours" in told

    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        assert authenticate(None, email="eva@provider.example", password=password)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert authenticate(None, email="eva@provider.example", password=password) is None

        renewed = run("add_staff", "eva@provider.example", "--renew").split()[-1]
        assert authenticate(None, email="eva@provider.example", password=renewed)


def test_who_signed_in_but_set_up_no_second_factor_is_out_after_a_day() -> None:
    run("create_admin", "eva@provider.example")
    client = Client()
    client.force_login(User.objects.get(), backend="accounts.staff.RoleBackend")

    assert client.get("/staff/").url == "/staff/sign-in/second-factor/app/"  # type: ignore[attr-defined]
    User.objects.update(first_password_until=timezone.now() - timedelta(seconds=1))
    assert client.get("/staff/").url.startswith("/staff/sign-in/login/")  # type: ignore[attr-defined]


def test_with_a_second_factor_the_password_has_no_end() -> None:
    password = run("create_admin", "eva@provider.example").split()[-1]
    user, client = User.objects.get(), Client()
    client.force_login(user, backend="accounts.staff.RoleBackend")
    client.post(reverse("account_reauthenticate"), {"password": password})

    enrol = reverse("mfa_activate_totp")
    client.get(enrol)
    secret = decrypt(client.session[SECRET_SESSION_KEY])
    client.post(enrol, {"code": format_hotp_value(hotp_value(secret, int(time.time()) // 30))})

    assert Authenticator.objects.filter(user=user, type="totp").exists()
    assert User.objects.get().first_password_until is None
