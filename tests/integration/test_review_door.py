"""The contact's door: a link without a secret, a code, one answer to whatever is wrong."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import contact
from accounts.attempts import BUDGETS
from migration.first_login import show
from migration.mailings import outbox
from migration.models import Domain, Event, Mailbox, Mailing, Review
from migration.refusals import VerbRefused
from migration.review import asking, codes
from portal.log import strike_out
from sandbox.mailhost import MailHost
from tests import factories

from .contacts import contact_client, enter, make_review
from .door import owner_client, rows, without_csrf

pytestmark = pytest.mark.django_db
WRONG = "bcdf-ghjk-mnpq-rst3"


@pytest.fixture
def domain() -> Domain:
    return factories.make_domain("demo.example")


def test_the_mail_brings_link_and_code_and_together_they_open_the_list(host: MailHost, domain: Domain) -> None:
    review = asking.send(domain.customer, [domain], actor="staff:eva")
    outbox.send(Mailing.objects.get(kind=Mailing.Kind.REVIEW).pk)

    (mail,) = host.mails(domain.customer.contact_email)
    [link] = re.findall(r"http://testserver(/c/[\w-]{11})\s", mail.text)
    [code] = re.findall(r"^\s+(\S{4}-\S{4}-\S{4}-\S{4})$", mail.text, re.MULTILINE)
    assert code.replace("-", "").lower() not in link.lower()
    response = enter(Client(), link.removeprefix("/c/"), code)
    assert response["Location"] == "/review"
    review.refresh_from_db()
    assert review.opened_at is not None
    actions = Event.objects.filter(domain=domain).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["review_sent", "mail_sent", "review_opened"]


def test_no_code_is_kept_in_the_database(host: MailHost, domain: Domain) -> None:
    review = asking.send(domain.customer, [domain], actor="staff:eva")
    outbox.send(Mailing.objects.get(kind=Mailing.Kind.REVIEW).pk)

    text = host.mails(domain.customer.contact_email)[0].text
    [code] = re.findall(r"^\s+(\S{4}-\S{4}-\S{4}-\S{4})$", text, re.MULTILINE)
    kept = [str(Review.objects.values().get()), str(list(Mailing.objects.values())), str(list(Event.objects.values()))]
    review.refresh_from_db()
    assert review.mac is not None
    for form in (code, code.replace("-", ""), code.replace("-", "").lower()):
        assert not any(form in text for text in kept)


def test_a_scanner_that_opens_and_submits_everything_changes_nothing(domain: Domain) -> None:
    review, _code = make_review(domain)
    before = rows()

    for _ in range(20):
        for method in ("get", "head"):
            assert getattr(Client(), method)(f"/c/{review.locator}").status_code == 200
        assert Client().post(f"/c/{review.locator}", {"code": ""}).status_code == 422

    assert rows() == before
    review.refresh_from_db()
    assert (review.opened_at, review.submitted_at) == (None, None)


@pytest.mark.parametrize("typed", ["{0}", " {1} ", "{2}", "{3}"])
def test_the_code_is_forgiving(typed: str, domain: Domain) -> None:
    review, code = make_review(domain)
    shown = show(code)

    typed = typed.format(code, shown, shown.upper(), shown.replace("-", " "))

    assert enter(Client(), review.locator, typed).status_code == 302


def wrong(_review: Review, _code: str) -> tuple[str, str]:
    return _review.locator, WRONG


def unknown(_review: Review, code: str) -> tuple[str, str]:
    return "AAAAAAAAAAA", code


def malformed(_review: Review, code: str) -> tuple[str, str]:
    return "no-locator-at-all", code


def revoked(review: Review, code: str) -> tuple[str, str]:
    asking.revoke(review, actor="staff:eva")
    return review.locator, code


def expired(review: Review, code: str) -> tuple[str, str]:
    Review.objects.filter(pk=review.pk).update(minted_at=timezone.now() - Review.CODE_LASTS)
    return review.locator, code


def replaced(review: Review, code: str) -> tuple[str, str]:
    codes.mint(review)
    return review.locator, code


def of_another(review: Review, _code: str) -> tuple[str, str]:
    return review.locator, make_review(factories.make_domain())[1]


def used_up(review: Review, code: str) -> tuple[str, str]:
    for _ in range(int(BUDGETS["contact"])):
        enter(Client(), review.locator, WRONG)
    return review.locator, code


CASES = [unknown, malformed, revoked, expired, replaced, of_another, used_up]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_whatever_is_wrong_gets_the_same_answer(case: Callable[..., tuple[str, str]], domain: Domain) -> None:
    other, _code = make_review(factories.make_domain())
    usual = enter(Client(), *wrong(other, ""))

    locator, typed = case(*make_review(domain))
    response = enter(Client(REMOTE_ADDR="192.0.2.7"), locator, typed)

    assert response.status_code == usual.status_code == 422
    page = without_csrf(response).replace(locator.encode(), b"")
    assert page == without_csrf(usual).replace(other.locator.encode(), b"")
    assert b"+43 1 234 567" in page


def test_the_page_of_a_link_is_the_same_for_every_link(domain: Domain) -> None:
    review, _code = make_review(domain)

    known, unknown = Client().get(f"/c/{review.locator}"), Client().get("/c/AAAAAAAAAAA")

    assert without_csrf(known).replace(review.locator.encode(), b"A" * 11) == without_csrf(unknown)


def test_a_new_code_brings_new_tries(domain: Domain) -> None:
    review, code = make_review(domain)
    used_up(review, code)

    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        fresh = codes.mint(review)

        assert enter(Client(), review.locator, fresh).status_code == 302


def test_a_network_that_guesses_has_to_wait(domain: Domain) -> None:
    review, code = make_review(domain)
    for _ in range(30):
        enter(Client(), "AAAAAAAAAAA", WRONG)

    response = enter(Client(), review.locator, code)

    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert enter(Client(REMOTE_ADDR="192.0.2.9"), review.locator, code).status_code == 302


@pytest.mark.parametrize("seconds", [contact.IDLE_SECONDS, contact.SESSION_SECONDS])
def test_the_session_ends_by_itself(seconds: int, domain: Domain) -> None:
    review, code = make_review(domain)
    client = contact_client(review, code)

    assert client.get("/review").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds + 1)):
        assert client.get("/review").status_code == 403


@pytest.mark.parametrize("case", [revoked, expired, replaced], ids=lambda case: case.__name__)
def test_the_session_ends_with_its_code(case: Callable[..., object], domain: Domain) -> None:
    review, code = make_review(domain)
    client = contact_client(review, code)

    case(review, code)

    assert client.get("/review").status_code == 403
    assert client.post(f"/review/{domain.pk}", {}).status_code == 403


def test_leaving_ends_the_session_and_entering_ends_an_owners(domain: Domain) -> None:
    review, code = make_review(domain)
    client = owner_client(factories.make_mailbox(domain=domain))

    enter(client, review.locator, code)
    assert client.get("/password").status_code == 302
    assert client.get("/review").status_code == 200
    assert client.post("/review/leave").status_code == 200

    assert client.get("/review").status_code == 403


@pytest.mark.parametrize("who", ["stranger", "owner", "staff"])
@pytest.mark.parametrize("path", ["", "/{pk}", "/submit", "/progress", "/reopen", "/{pk}/keep"])
def test_nobody_else_reads_or_answers_a_list(who: str, path: str, domain: Domain, admin_client_mfa: Client) -> None:
    make_review(domain)
    owner = owner_client(factories.make_mailbox(domain=domain))
    client = {"stranger": Client(), "owner": owner, "staff": admin_client_mfa}[who]
    address = "/review" + path.format(pk=domain.pk)

    assert client.get(address).status_code in (403, 405)
    assert client.post(address, {"name": "Eva"}).status_code in (403, 405)
    assert Review.objects.get().submitted_at is None


def test_the_contact_is_neither_owner_nor_staff(domain: Domain) -> None:
    client = contact_client(*make_review(domain))

    for address in ("/password", "/done", "/guide", "/staff/", f"/staff/domains/{domain.pk}/review/", "/admin/"):
        assert client.get(address).status_code == 302, address


def test_a_second_list_of_the_same_domain_is_refused(domain: Domain) -> None:
    asking.send(domain.customer, [domain], actor="staff:eva")

    with pytest.raises(VerbRefused, match="already"):
        asking.send(domain.customer, [domain], actor="staff:eva")


@pytest.mark.parametrize("verb", ["foreign", "none", "paused", "again too soon", "again revoked"])
def test_what_cannot_be_sent_is_refused(verb: str, domain: Domain) -> None:
    foreign, paused = factories.make_domain(), factories.make_domain(paused_at=timezone.now(), customer=domain.customer)
    review = asking.send(domain.customer, [domain], actor="staff:eva")
    if verb == "again revoked":
        asking.revoke(review, actor="staff:eva")
    verbs: dict[str, Callable[[], Any]] = {
        "foreign": lambda: asking.send(domain.customer, [foreign], actor="x"),
        "none": lambda: asking.send(domain.customer, [], actor="x"),
        "paused": lambda: asking.send(domain.customer, [paused], actor="x"),
        "again too soon": lambda: asking.send_again(review, actor="x"),
        "again revoked": lambda: asking.send_again(review, actor="x"),
    }

    with pytest.raises(VerbRefused):
        verbs[verb]()

    assert Mailing.objects.filter(kind=Mailing.Kind.REVIEW).count() == 1


def test_a_list_revoked_before_its_mail_left_is_not_mailed(host: MailHost, domain: Domain) -> None:
    review = asking.send(domain.customer, [domain], actor="staff:eva")
    asking.revoke(review, actor="staff:eva")

    outbox.send(Mailing.objects.get(kind=Mailing.Kind.REVIEW).pk)

    assert host.mails(domain.customer.contact_email) == []
    assert Mailing.objects.get(kind=Mailing.Kind.REVIEW).state == Mailing.State.CANCELLED


def test_logs_name_no_link() -> None:
    assert "AbCdEfGhIjK" not in str(strike_out("Forbidden: /c/AbCdEfGhIjK"))


def test_the_code_of_a_list_opens_no_mailbox(mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    _review, code = make_review(mailbox.domain)

    assert Client().post("/", {"address": mailbox.address, "secret": code}).status_code == 422
