"""The search: any part of an address, name, domain or customer, in all domains, best match first."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from django.test import Client
from django.urls import reverse

from migration.desk.search import _address, _anywhere
from migration.models import Alias, Mailbox
from tests.factories import make_alias, make_customer, make_domain, make_mailbox, make_push

pytestmark = pytest.mark.django_db

postgresql_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no trigrams")


def search(client: Client, text: str) -> Any:
    return client.get(reverse("desk:search"), {"q": text}).context


def addresses(client: Client, text: str) -> list[str]:
    return [row.mailbox.address for row in search(client, text)["mailboxes"].rows]


@pytest.fixture
def _many_customers() -> None:
    mueller = make_domain("xn--mller-kva.example", customer=make_customer(name="Bäckerei Müller"))
    office = make_domain("office.example", customer=make_customer(name="Kanzlei Hanna Wolf"))
    make_mailbox("anna", domain=mueller, name="Anna Gruber")
    make_mailbox("johanna", domain=mueller)
    make_mailbox("anna.maria", domain=office)
    make_mailbox("k.huber", domain=office, name="Annabell Huber")
    make_alias("hanna", goto="anna.maria@office.example", domain=office)


@pytest.mark.usefixtures("_many_customers")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "anna",
            [
                "anna@xn--mller-kva.example",
                "anna.maria@office.example",
                "k.huber@office.example",
                "johanna@xn--mller-kva.example",
            ],
        ),
        (
            "ANNA",
            [
                "anna@xn--mller-kva.example",
                "anna.maria@office.example",
                "k.huber@office.example",
                "johanna@xn--mller-kva.example",
            ],
        ),
        ("anna@müller.example", ["anna@xn--mller-kva.example", "johanna@xn--mller-kva.example"]),
        ("anna@xn--mller-kva.example", ["anna@xn--mller-kva.example", "johanna@xn--mller-kva.example"]),
        ("anna@mül", ["anna@xn--mller-kva.example", "johanna@xn--mller-kva.example"]),
        ("@office", ["anna.maria@office.example", "k.huber@office.example"]),
        ("gruber", ["anna@xn--mller-kva.example"]),
        ("a", ["anna@xn--mller-kva.example", "anna.maria@office.example"]),
        ("ann_", []),
        ("%", []),
    ],
)
def test_mailboxes_are_found_by_any_part_best_first(text: str, found: list[str], support_client: Client) -> None:
    hits = addresses(support_client, text)

    assert hits[:2] == found[:2]
    assert sorted(hits) == sorted(found)


@pytest.mark.usefixtures("_many_customers")
@pytest.mark.parametrize(
    ("text", "group", "found"),
    [
        ("hanna", "aliases", ["hanna"]),
        ("anna.maria@office.example", "aliases", ["hanna"]),
        ("hanna@office", "aliases", ["hanna"]),
        ("müller", "domains", ["müller.example"]),
        ("muller", "domains", ["müller.example"]),
        ("xn--mller", "domains", ["müller.example"]),
        ("bäckerei", "customers", ["Bäckerei Müller"]),
        ("BACKEREI", "customers", ["Bäckerei Müller"]),
        ("wolf", "customers", ["Kanzlei Hanna Wolf"]),
        ("nobody", "customers", []),
    ],
)
def test_aliases_domains_and_customers_are_found_too(
    text: str, group: str, found: list[str], support_client: Client
) -> None:
    rows = search(support_client, text)[group].rows

    assert [getattr(row, "local_part", None) or str(row) for row in rows] == found


def test_at_most_fifty_are_shown_and_it_says_that_there_are_more(support_client: Client) -> None:
    domain = make_domain()
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"person{number}") for number in range(60))
    make_mailbox("person", domain=domain)

    page = support_client.get(reverse("desk:search"), {"q": "person"})

    rows = page.context["mailboxes"].rows
    assert (len(rows), rows[0].mailbox.local_part) == (50, "person")
    assert "There are more than these 50." in page.content.decode()


def test_the_list_itself_tells_whether_the_password_is_set_and_why_it_does_not_work(support_client: Client) -> None:
    push = make_push(make_mailbox("anna"), state="blocked", reason="quota")

    page = support_client.get(reverse("desk:search"), {"q": "anna"}).content.decode()

    assert "password set" in page
    assert push.get_reason_display() in page


def test_what_was_searched_for_is_in_no_log(support_client: Client, caplog: pytest.LogCaptureFixture) -> None:
    make_mailbox("anna")
    with caplog.at_level("DEBUG", logger="django.request"), caplog.at_level("DEBUG", logger="migration"):
        support_client.get(reverse("desk:search"), {"q": "anna"})
        support_client.post(reverse("desk:search") + "?q=anna")
        Client().get(reverse("desk:search"), {"q": "anna"})

    assert caplog.records
    assert "anna" not in caplog.text


def test_every_page_has_the_search_and_names_its_key(support_client: Client) -> None:
    page = support_client.get(reverse("desk:domains")).content.decode()

    assert 'aria-keyshortcuts="/"' in page
    assert "<kbd" in page


def plan_of(rows: QuerySet[Any]) -> str:
    """How PostgreSQL would find them if reading the whole table were dear, as it is with a million rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
    return rows.order_by().explain()


@postgresql_only
@pytest.mark.parametrize(
    ("rows", "condition", "index"),
    [
        (Mailbox.objects.all(), _anywhere("gruber", Q(name__icontains="gruber"))[-1], "mailbox_parts"),
        (Mailbox.objects.all(), _anywhere("gruber", Q())[0], "mailbox_begins_with"),
        (Mailbox.objects.all(), _anywhere("gruber", Q())[1], "mailbox_begins_with"),
        (Alias.objects.all(), _anywhere("gruber", Q(goto__contains="gruber"))[-1], "alias_parts"),
    ],
)
def test_parts_are_found_by_their_index(rows: QuerySet[Any], condition: Q, index: str) -> None:
    assert index in plan_of(rows.filter(condition).values_list("pk"))


def test_an_address_is_looked_for_in_its_domain_only(django_assert_num_queries: Any) -> None:
    make_mailbox("anna", domain=make_domain("eins.example"))

    with django_assert_num_queries(1):
        conditions = _address("anna", "eins.example")
    assert [Mailbox.objects.filter(condition).count() for condition in conditions] == [1, 1, 1]
