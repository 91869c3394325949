"""Old servers in the administration: named by admins, their passwords typed and never shown."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from migration.mailings import route
from migration.models import Source

pytestmark = pytest.mark.django_db


def save_source(client: Client, page: str, **fields: str) -> HttpResponse:
    form = {"name": "Own", "smtp_host": "own.example", "smtp_port": "587", "security": "starttls", "pace": "60"}
    return client.post(page, form | {"smtp_user": "umzug", "new_password": ""} | fields)  # type: ignore[return-value]


def test_admin_names_an_old_server_and_never_sees_its_password_again(admin_client_mfa: Client) -> None:
    add = reverse("admin:migration_source_add")
    assert save_source(admin_client_mfa, add, new_password="Login-Secret-3").status_code == 302

    source = Source.objects.get()
    way = route.of_source(source).route()
    assert way is not None
    assert (way.host, way.port, way.password) == ("own.example", 587, "Login-Secret-3")
    assert route.of_source(source).pace == 60
    page = admin_client_mfa.get(reverse("admin:migration_source_change", args=[source.pk])).content.decode()
    assert "Login-Secret-3" not in page


def test_password_of_an_old_server_stays_until_another_is_typed(admin_client_mfa: Client) -> None:
    save_source(admin_client_mfa, reverse("admin:migration_source_add"), new_password="Login-Secret-3")
    change = reverse("admin:migration_source_change", args=[Source.objects.get().pk])

    save_source(admin_client_mfa, change, pace="")
    way = route.of_source(Source.objects.get()).route()
    assert way is not None
    assert way.password == "Login-Secret-3"

    refused = save_source(admin_client_mfa, change, smtp_host="evil.example")
    assert "Type the password that belongs to this host and user." in refused.content.decode()
    assert Source.objects.get().smtp_host == "own.example"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"security": "none", "new_password": "x"}, "offered over TLS only"),
        ({"new_password": ""}, "Type the password"),
        ({"smtp_user": "", "new_password": "x"}, "needs a user"),
        ({"smtp_host": "no host", "new_password": "x"}, "This is no host name"),
    ],
)
def test_old_server_that_could_not_be_used_safely_is_refused(
    admin_client_mfa: Client, fields: dict[str, str], words: str
) -> None:
    answer = save_source(admin_client_mfa, reverse("admin:migration_source_add"), **fields)

    assert words in answer.content.decode()
    assert not Source.objects.exists()


@pytest.mark.parametrize("role", ["support", "readonly"])
def test_only_admins_add_old_servers(staff_client: Callable[..., Client], role: str) -> None:
    answer = save_source(staff_client(role), reverse("admin:migration_source_add"), new_password="x")

    assert answer.status_code in (302, 403)
    assert not Source.objects.exists()
