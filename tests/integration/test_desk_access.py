"""Staff without a second factor reach nothing, and a number that names no row is not found.

Who may open which page is walked by `test_matrix`.
"""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from tests.integration.proof import proves_who_it_is
from tests.matrix import routes

pytestmark = pytest.mark.django_db

SIGN_IN = "/staff/sign-in/"


def staff_addresses() -> list[str]:
    """Every staff address, with 1 where a number or a word belongs."""
    return [
        "/".join("1" if part.startswith("<") else part for part in route.split("/"))
        for route in routes()
        if route.startswith(("/staff/", "/admin/")) and "(?P<" not in route and "^" not in route
    ]


def test_the_walk_finds_the_pages() -> None:
    assert len(staff_addresses()) > 140


@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_without_second_factor_reach_nothing(method: str, staff_client: Callable[..., Client]) -> None:
    client = staff_client("admin", second_factor=False)
    closed = [a for a in staff_addresses() if not a.startswith((SIGN_IN, "/admin/login"))]

    for address in closed:
        answer = getattr(client, method)(address)
        assert answer.headers.get("Location") == reverse("mfa_activate_totp"), address


@pytest.mark.parametrize("route", [route for route in routes() if route.startswith("/staff/") and "<int:" in route])
def test_a_number_without_a_row_is_not_found(route: str, admin_client_mfa: Client) -> None:
    address = route.replace("<int:pk>", "9999999")
    proves_who_it_is(admin_client_mfa)

    assert 404 in {admin_client_mfa.get(address).status_code, admin_client_mfa.post(address).status_code}
    assert admin_client_mfa.get(address.replace("9999999", "9" * 40)).status_code in (404, 405)
