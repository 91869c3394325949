"""The contact's list: what its pages show, how they are narrowed, and what they cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migration.models import Alias, Answer, Domain, Mailbox, Review
from tests import factories

from .contacts import JSON, contact_client, key, make_review, say, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def domain() -> Domain:
    return factories.make_domain("demo.example")


@pytest.fixture
def anna(domain: Domain) -> Mailbox:
    return factories.make_mailbox("anna", domain=domain, name="Anna Gruber")


@pytest.fixture
def client(domain: Domain, anna: Mailbox) -> Client:
    return contact_client(*make_review(domain))


def test_the_list_tells_what_we_know(client: Client, domain: Domain, anna: Mailbox) -> None:
    used = timezone.now() - timedelta(days=300)
    Mailbox.objects.filter(pk=anna.pk).update(used_mib=812, source_login_at=used, forwards="anna@gmx.example")
    factories.make_alias("*", goto="anna@demo.example", domain=domain)
    factories.make_alias("boss", goto="chef@extern.example", domain=domain)

    mailboxes = text_of(client.get(f"/review/{domain.pk}"))
    aliases = text_of(client.get(f"/review/{domain.pk}?of=aliases"))

    for fact in ("anna@demo.example", "Anna Gruber", "812 MiB in use", "anna@gmx.example", "leaves the house"):
        assert fact in mailboxes
    for fact in ("all other addresses of the domain", "boss@demo.example", "chef@extern.example", "leaves the house"):
        assert fact in aliases


def test_filters_narrow_the_list(client: Client, domain: Domain, anna: Mailbox) -> None:
    now = timezone.now()
    Mailbox.objects.filter(pk=anna.pk).update(source_login_at=now)
    factories.make_mailbox("old", domain=domain, source_login_at=now - timedelta(days=181))
    factories.make_mailbox("kind", domain=domain, kind=Mailbox.Kind.DORMANT)
    factories.make_mailbox("gone", domain=domain, state=Mailbox.State.EXCLUDED)
    say(client, domain, key(anna), "keep")

    def shown(show: str) -> list[str]:
        page = client.get(f"/review/{domain.pk}", {"show": show})
        return [one["line"].mailbox.local_part for one in page.context["lines"]]

    assert shown("all") == shown("nonsense") == ["anna", "kind", "old"]
    assert shown("open") == ["kind", "old"]
    assert shown("dormant") == ["kind", "old"]


def test_all_used_lately_are_kept_with_one_button(client: Client, domain: Domain, anna: Mailbox) -> None:
    now = timezone.now()
    for name, days in (("new", 1), ("edge", 179), ("old", 181), ("answered", 2)):
        factories.make_mailbox(name, domain=domain, source_login_at=now - timedelta(days=days))
    answered = Mailbox.objects.get(local_part="answered")
    say(client, domain, key(answered), "delete")

    page = text_of(client.post(f"/review/{domain.pk}/keep", follow=True))

    assert "noted for 2 mailboxes" in page
    said = {answer.mailbox.local_part: answer.choice for answer in Answer.objects.all() if answer.mailbox}
    assert said == {"new": "keep", "edge": "keep", "answered": "delete"}
    assert anna.local_part not in said


def test_progress_shows_counts_and_states_only(client: Client, domain: Domain, anna: Mailbox) -> None:
    factories.make_mailbox(domain=domain, state=Mailbox.State.ACTIVE)
    first_login, secret = factories.make_first_login(anna)

    page = client.get("/review/progress").content.decode()

    assert "1 of 2 mailboxes are done" in page
    assert "50 %" in page
    for never in (first_login.locator, secret, "first-login", "needs attention"):
        assert never not in page


@pytest.mark.parametrize("path", ["", "/{pk}", "/{pk}?of=aliases", "/{pk}?show=open", "/submit", "/progress"])
def test_more_rows_need_no_more_queries(
    path: str, client: Client, domain: Domain, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    review = Review.objects.get()

    def more(number: int) -> None:
        for _ in range(number):
            box = factories.make_mailbox(domain=domain, source_login_at=timezone.now(), forwards="x@y.example")
            alias = factories.make_alias(f"a{box.pk}", goto=box.address, domain=domain)
            Answer.objects.create(review=review, alias=alias, choice="keep")
            asked = factories.make_domain(customer=domain.customer)
            review.domains.add(asked)
            Answer.objects.create(review=review, mailbox=factories.make_mailbox(domain=asked), choice="keep")

    address = f"/review{path.format(pk=domain.pk)}"
    more(4)
    client.get(address)
    with django_assert_max_num_queries(16) as few:
        client.get(address)
    more(8)
    with django_assert_num_queries(len(few)):
        client.get(address)


def test_saving_fifty_lines_costs_as_many_queries_as_two(
    client: Client, domain: Domain, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    boxes = [factories.make_mailbox(domain=domain) for _ in range(50)]
    things: list[Mailbox | Alias] = [
        *boxes,
        *(factories.make_alias(f"a{n}", goto="x@y.example", domain=domain) for n in range(5)),
    ]

    def sent(some: list[Mailbox | Alias]) -> dict[str, str]:
        return {f"{key(thing)}-choice": "keep" for thing in some}

    with django_assert_max_num_queries(16) as few:
        client.post(f"/review/{domain.pk}", sent([things[0], things[-1]]), **JSON)
    with django_assert_num_queries(len(few)):
        client.post(f"/review/{domain.pk}", sent(things), **JSON)
    assert Answer.objects.count() == 55
