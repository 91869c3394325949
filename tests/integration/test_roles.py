"""What a role may do stands in one table; neither the database nor a flag in it gives anybody more."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import RIGHTS, permissions_of
from migration.addresses import masked
from migration.desk.access import address_for
from tests.factories import make_mailbox, make_staff
from tests.unit.test_docs import DOCS, table

pytestmark = pytest.mark.django_db

ORDER = [User.Role.READONLY, User.Role.SUPPORT, User.Role.OPERATOR, User.Role.ADMIN]


def test_the_table_of_the_documentation_is_the_one_of_the_code() -> None:
    told = [
        (what, set(names.replace("`", "").split(", ")), {role for role, mark in zip(ORDER, marks, strict=True) if mark})
        for what, names, *marks in table(DOCS / "security.md", "rights")
    ]

    assert told == [(right.what, set(right.permissions), set(right.roles)) for right in RIGHTS]


def test_each_role_may_do_what_the_table_says_and_no_more() -> None:
    readonly, support, operator, admin = (permissions_of(role) for role in ORDER)

    assert all(name.startswith("migration.view_") for name in readonly)
    assert support - readonly == {
        f"migration.{name}" for name in ("invite_mailbox", "answer_case", "add_note", "export_mailbox")
    }
    assert operator == {
        f"migration.{name}" for name in ("view_domain", "view_customer", "view_target", "operate", "audit")
    }
    assert readonly < support < admin
    assert operator < admin
    assert {name for name in admin if name.startswith("accounts.")} == {
        f"accounts.{action}_user" for action in ("add", "change", "delete", "view")
    }
    assert permissions_of("owner") == frozenset()


@pytest.mark.parametrize("page", ["/admin/", "/staff/search/", "/staff/bans/", "/staff/pause/"])
def test_a_superuser_flag_in_the_table_opens_nothing(page: str, staff_client: Callable[..., Client]) -> None:
    client = staff_client("operator", is_superuser=True)

    assert client.get(page, follow=True).status_code == 403


def test_an_operator_sees_how_far_the_domains_are_and_no_address(staff_client: Callable[..., Client]) -> None:
    mailbox = make_mailbox("anna")
    client = staff_client("operator")

    page = client.get(reverse("desk:domains"))

    assert page.status_code == 200
    assert mailbox.domain.name in page.content.decode()
    assert mailbox.address not in page.content.decode()
    assert reverse("desk:plan", args=[mailbox.domain_id]) in page.content.decode()
    assert reverse("desk:domain", args=[mailbox.domain_id]) + '"' not in page.content.decode()
    for name, pk in [("domain", mailbox.domain_id), ("provisioning", mailbox.domain_id), ("mailbox", mailbox.pk)]:
        assert client.get(reverse(f"desk:{name}", args=[pk])).status_code == 403
    assert client.get(reverse("desk:search"), {"q": mailbox.address}).status_code == 403


def test_an_address_is_masked_for_who_may_not_see_it() -> None:
    mailbox = make_mailbox("anna")

    assert address_for(make_staff(role="support"), mailbox) == mailbox.address
    assert address_for(make_staff(role="operator"), mailbox) == f"a…@{mailbox.domain.name}"
    assert masked("no address") == "…@no address"


@pytest.mark.parametrize(
    ("address", "status"),
    [("192.0.2.7", 200), ("::ffff:192.0.2.7", 200), ("2001:db8::7", 200), ("203.0.113.7", 403), ("2001:db9::7", 403)],
)
def test_staff_pages_open_from_the_networks_of_the_staff_only(address: str, status: int, settings: Any) -> None:
    settings.STAFF_NETWORKS = [ip_network("192.0.2.0/24"), ip_network("2001:db8::/48")]
    client = Client(REMOTE_ADDR=address)

    assert client.get(reverse("account_login")).status_code == status
    assert client.get("/admin/login/").status_code == (302 if status == 200 else status)
    assert client.get(reverse("accounts:sign_in")).status_code == 200
