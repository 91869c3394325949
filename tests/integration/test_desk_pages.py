"""Pages of the desk at their edges: what staff read where something is wrong, in their language, and what moves."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts import keys, retention
from migration.models import ApiToken
from tests.factories import make_domain, make_mailbox

pytestmark = pytest.mark.django_db

OWNERS = ("first-login password", "Go back to the sign-in", 'href="/"')
LATER = "2099-01-01T00:00:00Z"


def told(client: Client, page: str, *, language: str = "en", status: int = 200) -> str:
    answer = client.get(page, headers={"accept-language": language})
    assert answer.status_code == status
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(main.split())


def test_an_admin_of_a_portal_without_domains_reads_what_to_do_first(staff_client: Callable[..., Client]) -> None:
    page = told(staff_client("admin"), reverse("desk:domains"))

    links = [reverse(f"admin:migration_{name}_add") for name in ("customer", "domain", "importrun")]
    assert re.findall(r'<li><a href="([^"]+)"', page) == links


def test_who_may_not_add_a_domain_reads_who_does(support_client: Client) -> None:
    page = told(support_client, reverse("desk:domains"))

    assert "An admin adds the customer" in page
    assert "/admin/" not in page


def test_staff_who_look_for_what_is_gone_are_led_to_the_desk(support_client: Client) -> None:
    page = told(support_client, reverse("desk:domain", args=[99_999]), status=404)

    assert 'href="/staff/"' in page
    assert not [words for words in OWNERS if words in page]


def test_staff_whose_role_does_not_allow_a_page_read_why(support_client: Client) -> None:
    page = told(support_client, reverse("staff:operation"), status=403)

    assert "Your role does not allow this" in page
    assert 'href="/staff/"' in page


def test_an_owner_with_a_wrong_address_is_led_to_the_sign_in(client: Client) -> None:
    page = told(client, "/nowhere", status=404)

    assert "first-login password" in page
    assert 'href="/staff/"' not in page


@pytest.mark.parametrize(
    ("name", "english"),
    [
        ("staff:keys", list(keys.PLACES)),
        ("staff:retention", [rule.what for rule in retention.RULES]),
    ],
)
def test_what_an_operator_reads_is_german_on_a_german_page(
    name: str, english: list[str], staff_client: Callable[..., Client]
) -> None:
    client = staff_client("operator")

    german, plain = told(client, reverse(name), language="de"), told(client, reverse(name))

    assert [words for words in english if words.replace("'", "&#x27;") not in plain] == []
    assert [words for words in english if words.replace("'", "&#x27;") in german] == []


def test_the_list_of_tokens_names_who_made_one(staff_client: Callable[..., Client]) -> None:
    client = staff_client("admin", email="eva@provider.example", name="Eva Erste")
    ApiToken.objects.create(
        name="wallboard", lookup="lookup-1", mac=b"", made_by="staff:eva@provider.example", expires_at=LATER
    )

    page = told(client, reverse("desk:tokens"))

    assert "Eva Erste" in page
    assert "staff:eva" not in page


def test_a_verb_on_many_mailboxes_names_who_began_it(staff_client: Callable[..., Client]) -> None:
    client = staff_client("support", email="eva@provider.example", name="Eva Erste")
    domain = make_domain()
    run = domain.bulk_runs.create(verb="remind", actor="staff:eva@provider.example", chosen=1)

    pages = [
        told(client, reverse("desk:domain", args=[domain.pk])),
        told(client, reverse("desk:bulk_run", args=[run.pk])),
    ]

    assert ["Eva Erste" in page and "staff:eva" not in page for page in pages] == [True, True]


def test_the_rows_of_a_domain_move_by_themselves_each_as_itself(support_client: Client) -> None:
    mailbox = make_mailbox(domain=make_domain())

    page = told(support_client, reverse("desk:domain", args=[mailbox.domain_id]))

    rows = page.partition('<tbody data-live="rows">')[2].partition("</tbody>")[0]
    assert re.findall(r'<tr id="([^"]+)">', rows) == [f"mailbox-{mailbox.pk}"]
