"""Who may open which staff page: the whole URL table, every role, and owners and strangers."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import owners
from migration.models import Answer, Case, Mailbox, Review
from tests.factories import make_first_login, make_mailbox

pytestmark = pytest.mark.django_db

# What each page of the desk asks for; a new page must be entered here, or the test below fails.
ASKS_FOR = {
    "domains": "migration.view_domain",
    "search": "migration.view_mailbox",
    "cases": "migration.view_case",
    "case": "migration.view_case",
    "case_close": "migration.answer_case",
    "logins": "migration.invite_mailbox",
    "logins_csv": "migration.invite_mailbox",
    "bans": "migration.invite_mailbox",
    "lift_ban": "migration.invite_mailbox",
    "domain": "migration.view_mailbox",
    "mailbox": "migration.view_mailbox",
    "invite": "migration.invite_mailbox",
    "invite_one": "migration.invite_mailbox",
    "phone_code": "migration.invite_mailbox",
    "letters": "migration.invite_mailbox",
    "reopen": "migration.invite_mailbox",
    "revoke": "migration.invite_mailbox",
    "retry_push": "migration.invite_mailbox",
    "provisioning": "migration.view_mailbox",
    "provisioning_progress": "migration.view_mailbox",
    "provisioning_check": "migration.change_domain",
    "provisioning_start": "migration.change_domain",
    "reviews": "migration.view_review",
    "review": "migration.view_review",
    "review_send": "migration.change_domain",
    "review_again": "migration.change_domain",
    "review_revoke": "migration.change_domain",
    "review_harmless": "migration.change_mailbox",
    "answer_apply": "migration.change_mailbox",
    "answer_leave": "migration.change_mailbox",
    "announce": "migration.change_domain",
    "pause": "migration.change_domain",
    "resume": "migration.change_domain",
    "plan": "migration.view_domain",
    "plan_change": "migration.change_domain",
    "remind": "migration.invite_mailbox",
    "remind_one": "migration.invite_mailbox",
    "cut_over": "migration.change_domain",
    "undo_cut_over": "migration.change_domain",
    "finish": "migration.change_domain",
    "pause_all": "migration.change_domain",
    "resume_all": "migration.change_domain",
    "wordings": "migration.view_wording",
    "wording": "migration.view_wording",
    "wording_save": "migration.change_wording",
    "wording_standard": "migration.change_wording",
    "wording_preview": "migration.change_wording",
    "wording_trial": "migration.change_wording",
    "exclude": "migration.change_mailbox",
    "include": "migration.change_mailbox",
}
WITHOUT_NUMBER = (
    *("pause_all", "resume_all", "domains", "search", "cases", "reviews"),
    *("logins", "logins_csv", "bans", "lift_ban"),
)
ROLES = {
    "migration.view": "readonly",
    "migration.invite": "support",
    "migration.answer": "support",
    "migration.change": "admin",
}
ORDER = ["readonly", "support", "admin"]


def walk(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Every route of the URL table."""
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route
        else:
            yield from walk(entry, route)


def staff_addresses() -> list[str]:
    """Every staff address, with 1 where a number or a word belongs."""
    found = []
    for route in walk(get_resolver()):
        if route.startswith(("staff/", "admin/")) and "(?P<" not in route and "^" not in route:
            parts = ["1" if part.startswith("<") else part for part in route.split("/")]
            found.append("/" + "/".join(parts))
    return found


OPEN = ("/staff/sign-in/login/", "/staff/sign-in/inactive/", "/admin/login/")


def test_the_walk_finds_the_pages() -> None:
    assert len(staff_addresses()) > 60


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", [a for a in staff_addresses() if a not in OPEN])
def test_a_stranger_reaches_no_staff_page(address: str, method: str) -> None:
    answer = getattr(Client(), method)(address)

    assert answer.status_code in (302, 404)
    if answer.status_code == 302:
        assert "login" in answer.headers["Location"] or answer.headers["Location"] == "/admin/"


@pytest.fixture
def owner_client() -> Client:
    """An owner who signed in with his first-login password."""
    mailbox = make_mailbox("anna")
    _first_login, secret = make_first_login(mailbox)
    client = Client()
    client.post(reverse("accounts:sign_in"), {"address": mailbox.address, "secret": secret})
    assert owners.KEY in client.session
    return client


@pytest.mark.parametrize("address", [a for a in staff_addresses() if a not in OPEN])
def test_an_owner_reaches_no_staff_page(address: str, owner_client: Client) -> None:
    assert owner_client.get(address).status_code in (302, 404)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "address", [a for a in staff_addresses() if "/sign-in/" not in a and not a.startswith("/admin/login")]
)
def test_staff_without_second_factor_reach_nothing(
    address: str, method: str, staff_client: Callable[..., Client]
) -> None:
    client = staff_client("admin", second_factor=False)

    assert getattr(client, method)(address).headers["Location"] == reverse("mfa_activate_totp")


def test_every_page_of_the_desk_says_what_it_asks_for() -> None:
    desk = next(
        entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver) and entry.namespace == "desk"
    )

    assert {entry.name for entry in desk.url_patterns if isinstance(entry, URLPattern)} == set(ASKS_FOR)


@pytest.mark.parametrize("role", ORDER)
@pytest.mark.parametrize("name", ASKS_FOR)
def test_a_page_is_refused_to_roles_below_the_one_it_asks_for(
    name: str, role: str, staff_client: Callable[..., Client]
) -> None:
    mailbox = make_mailbox()
    of_domain = "domains" in reverse(f"desk:{name}", args=_args(name, 1))
    case = Case.objects.create(mailbox=mailbox, kind=Case.Kind.SHARED)
    review = Review.objects.create(customer=mailbox.domain.customer, locator="of-the-list")
    review.domains.add(mailbox.domain)
    said = Answer.objects.create(review=review, mailbox=mailbox, choice=Answer.Choice.DELETE)
    customer = mailbox.domain.customer_id
    own = {"case": case.pk, "answer": said.pk, "wordings": customer, "wording": customer}.get(name.partition("_")[0])
    pk = own or (mailbox.domain_id if of_domain else mailbox.pk)
    least = next(known for start, known in ROLES.items() if ASKS_FOR[name].startswith(start))
    client = staff_client(role)

    answer = client.get(reverse(f"desk:{name}", args=_args(name, pk)))

    if ORDER.index(role) < ORDER.index(least):
        assert answer.status_code == 403
        assert client.post(reverse(f"desk:{name}", args=_args(name, pk))).status_code == 403
        assert Mailbox.objects.get().state == Mailbox.State.IMPORTED
    else:
        assert answer.status_code in (200, 405)


@pytest.mark.parametrize("role", ["readonly", "support"])
@pytest.mark.parametrize("address", [a for a in staff_addresses() if a.startswith("/admin/")])
def test_the_django_admin_is_for_admins(address: str, role: str, staff_client: Callable[..., Client]) -> None:
    answer = staff_client(role).get(address, follow=True)

    assert answer.status_code in (403, 404) or answer.redirect_chain[-1][0] == reverse("desk:domains")


@pytest.mark.parametrize("name", [name for name in ASKS_FOR if name not in WITHOUT_NUMBER])
def test_a_number_without_a_row_is_not_found(name: str, admin_client_mfa: Client) -> None:
    address = reverse(f"desk:{name}", args=[9_999_999])

    assert 404 in {admin_client_mfa.get(address).status_code, admin_client_mfa.post(address).status_code}
    assert admin_client_mfa.get(address.replace("9999999", "9" * 40)).status_code in (404, 405)


def _args(name: str, pk: int) -> list[int]:
    return [] if name in WITHOUT_NUMBER else [pk]
