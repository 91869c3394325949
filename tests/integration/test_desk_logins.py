"""Support sees whom to call: who has a working new password and is read on the old server all the same."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from migration.models import Domain, Mailbox, Push, SourceLogin, TargetLogin
from tests import factories

pytestmark = pytest.mark.django_db

PAGE, TABLE = reverse("desk:logins"), reverse("desk:logins_csv")


def late(local_part: str = "anna", *, domain: Domain | None = None, **fields: Any) -> Mailbox:
    """A mailbox read on the old server yesterday, ten days after its new password worked."""
    now = timezone.now()
    mailbox = factories.make_mailbox(
        local_part,
        domain=domain or factories.make_domain("demo.example"),
        source_login_at=now - timedelta(days=1),
        **fields,
    )
    factories.make_push(mailbox, state=Push.State.DELIVERED, delivered_at=now - timedelta(days=11))
    SourceLogin.objects.create(mailbox=mailbox, at=now - timedelta(days=1), ip="192.0.2.7", protocol="imap")
    return mailbox


def rows(client: Client, query: str = "") -> list[list[str]]:
    text = client.get(f"{TABLE}{query}").content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_page_names_the_mailbox_and_where_it_is_read(support_client: Client) -> None:
    mailbox = late(name="Anna Gruber")
    TargetLogin.objects.create(mailbox=mailbox, smtp_at=timezone.now())

    page = support_client.get(PAGE).content.decode()

    assert reverse("desk:mailbox", args=[mailbox.pk]) in page
    for shown in ("anna@demo.example", "Anna Gruber", "IMAP 192.0.2.7", "not read yet", "sent ", "1 mailbox"):
        assert shown in page
    assert 'aria-current="page">Still on the old server' in page


def test_page_without_anybody_says_so_and_whether_a_log_was_read(support_client: Client) -> None:
    page = support_client.get(PAGE).content.decode()
    assert "No log of the old server was read" in page
    assert "Nobody." in page

    factories.make_push(mailbox := late(), state=Push.State.DELIVERED, delivered_at=timezone.now())
    page = support_client.get(PAGE).content.decode()
    assert "No log of the old server was read" not in page
    assert "The newest login we know of" in page
    assert mailbox.address not in page


def test_origin_that_was_erased_leaves_the_time(support_client: Client) -> None:
    late()
    SourceLogin.objects.all().delete()

    page = support_client.get(PAGE).content.decode()

    assert "anna@demo.example" in page
    assert "192.0.2" not in page


def test_page_is_narrowed_to_one_domain(support_client: Client) -> None:
    anna, ben = late("anna"), late("ben", domain=factories.make_domain("xn--bcher-kva.example"))

    page = support_client.get(PAGE, {"domain": ben.domain_id}).content.decode()

    assert "ben@bücher.example" in page
    assert anna.address not in page


@pytest.mark.parametrize("domain", ["999999", "x", "", "-1", "9" * 40])
def test_domain_that_is_none_shows_all(domain: str, support_client: Client) -> None:
    late()

    assert "anna@demo.example" in support_client.get(PAGE, {"domain": domain}).content.decode()
    assert len(rows(support_client, f"?domain={domain}")) == 2


def test_pages_are_turned(support_client: Client) -> None:
    domain = factories.make_domain()
    for number in range(51):
        late(f"m{number:02}", domain=domain)

    page = support_client.get(PAGE, {"page": 2})

    assert len(page.context["page"]) == 1
    assert "page=1" in page.content.decode()


def test_number_of_queries_does_not_depend_on_the_number_of_mailboxes(support_client: Client) -> None:
    domain = factories.make_domain()
    late(domain=domain)
    support_client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        support_client.get(PAGE)
    for number in range(20):
        late(f"m{number}", domain=domain)
    with CaptureQueriesContext(connection) as many:
        support_client.get(PAGE)

    assert len(many) == len(few)
    assert not any("legacy_hash" in query["sql"] for query in many)


def test_table_for_a_spreadsheet_has_the_same_mailboxes(support_client: Client) -> None:
    mailbox = late(name="Anna Gruber")
    late("ben", domain=factories.make_domain("other.example"))

    header, row = rows(support_client, f"?domain={mailbox.domain_id}")

    assert header[0] == "Address"
    assert row[:3] == ["anna@demo.example", "Anna Gruber", mailbox.domain.customer.name]
    assert row[-2:] == ["192.0.2.7", "imap"]
    assert len(rows(support_client)) == 3


def test_table_is_a_download_nobody_keeps(support_client: Client) -> None:
    answer = support_client.get(TABLE)

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(name: str, support_client: Client) -> None:
    late(name=name)

    [_header, row] = rows(support_client)

    assert row[1] == f"'{name}"


def test_markup_in_a_name_is_text(support_client: Client) -> None:
    late(name="<script>alert(1)</script>")

    assert "<script>alert" not in support_client.get(PAGE).content.decode()


@pytest.mark.parametrize("address", [PAGE, TABLE])
@pytest.mark.parametrize(("role", "status"), [("readonly", 403), ("support", 200), ("admin", 200)])
def test_where_people_sign_in_from_is_for_those_who_help(
    address: str, role: str, status: int, staff_client: Callable[..., Client]
) -> None:
    late()

    assert staff_client(role).get(address).status_code == status


@pytest.mark.parametrize("address", [PAGE, TABLE])
def test_stranger_is_sent_to_the_sign_in(address: str) -> None:
    assert "login" in Client().get(address).headers["Location"]


@pytest.mark.parametrize("address", [PAGE, TABLE])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nothing_can_be_sent_to_it(address: str, method: str, support_client: Client) -> None:
    assert getattr(support_client, method)(address).status_code == 405


def test_link_is_shown_only_to_who_may_follow_it(staff_client: Callable[..., Client]) -> None:
    home = reverse("desk:domains")

    assert PAGE in staff_client("support").get(home).content.decode()
    assert PAGE not in staff_client("readonly").get(home).content.decode()


def test_page_is_there_in_german(support_client: Client) -> None:
    late()
    with translation.override("de"):
        support_client.cookies["django_language"] = "de"
        page = support_client.get(PAGE, headers={"Accept-Language": "de"}).content.decode()

    assert 'lang="de"' in page
