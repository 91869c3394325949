"""Contacts' lists at the desk: sending them, reading the answers, carrying them out once, by a person."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migration.models import Alias, Answer, Domain, Event, Mailbox, Mailing, ProvisionedObject, Review
from migration.review import applying
from tests import factories

from .contacts import contact_client, make_review

pytestmark = pytest.mark.django_db
S = Mailbox.State


@pytest.fixture
def domain() -> Domain:
    return factories.make_domain("demo.example")


@pytest.fixture
def anna(domain: Domain) -> Mailbox:
    return factories.make_mailbox("anna", domain=domain)


@pytest.fixture
def review(domain: Domain) -> Review:
    made, _code = make_review(domain)
    Review.objects.filter(pk=made.pk).update(submitted_at=timezone.now(), submitted_by="Eva Kontakt")
    made.refresh_from_db()
    return made


def answer(review: Review, thing: Mailbox | Alias, choice: str, detail: str = "", note: str = "") -> Answer:
    of = {"mailbox": thing} if isinstance(thing, Mailbox) else {"alias": thing}
    return Answer.objects.create(review=review, choice=choice, detail=detail, note=note, **of)


def press(client: Client, found: Answer, what: str = "apply") -> str:
    return client.post(f"/staff/answers/{found.pk}/{what}/", follow=True).content.decode()


def carry_out_harmless(client: Client, domain: Domain, *, without: Answer | None = None) -> str:
    """Say yes to what the page shows; returns the page."""
    address = f"/staff/domains/{domain.pk}/review/harmless/"
    page = client.get(address).content.decode()
    ticked = [pk for pk in re.findall(r'name="answer" value="(\d+)"', page) if without is None or int(pk) != without.pk]
    until = re.search(r'name="until" value="([^"]+)"', page)
    client.post(address, {"answer": ticked, "until": until[1] if until else ""})
    return page


def test_an_admin_sends_the_list_of_the_chosen_domains(admin_client_mfa: Client, domain: Domain) -> None:
    second, third = (factories.make_domain(customer=domain.customer) for _ in range(2))
    foreign = factories.make_domain()
    page = admin_client_mfa.get(f"/staff/domains/{domain.pk}/review/").content.decode()
    assert third.name in page
    assert foreign.name not in page

    admin_client_mfa.post(f"/staff/domains/{domain.pk}/review/send/", {"domains": [domain.pk, second.pk]})

    review = Review.objects.get()
    assert set(review.domains.all()) == {domain, second}
    mailing = Mailing.objects.get(kind=Mailing.Kind.REVIEW)
    assert (mailing.recipient, mailing.review) == (domain.customer.contact_email, review)
    assert Event.objects.filter(action=Event.Action.REVIEW_SENT).count() == 2
    refused = admin_client_mfa.post(f"/staff/domains/{domain.pk}/review/send/", {"domains": [foreign.pk]})
    assert refused.status_code == 422
    assert Review.objects.count() == 1


def test_a_new_code_can_be_mailed_and_the_link_taken_back(admin_client_mfa: Client, domain: Domain) -> None:
    review, code = make_review(domain)
    contact = contact_client(review, code)

    admin_client_mfa.post(f"/staff/domains/{domain.pk}/review/again/")
    assert Mailing.objects.filter(kind=Mailing.Kind.REVIEW, review=review).count() == 1
    admin_client_mfa.post(f"/staff/domains/{domain.pk}/review/revoke/")

    review.refresh_from_db()
    assert (review.revoked_at is not None, review.mac) == (True, None)
    assert contact.get("/review").status_code == 403
    assert Event.objects.filter(action=Event.Action.REVIEW_REVOKED, domain=domain).count() == 1
    assert "taken back" in admin_client_mfa.get(f"/staff/domains/{domain.pk}/").content.decode()


def test_no_page_shows_the_link(admin_client_mfa: Client, domain: Domain, review: Review) -> None:
    for address in ("/staff/reviews/", f"/staff/domains/{domain.pk}/review/", f"/staff/domains/{domain.pk}/"):
        assert review.locator not in admin_client_mfa.get(address).content.decode()


def test_waiting_answers_are_counted_where_staff_look(support_client: Client, review: Review, anna: Mailbox) -> None:
    answer(review, anna, "delete")
    answer(review, factories.make_mailbox(domain=anna.domain), "keep")
    answer(review, factories.make_mailbox(domain=anna.domain), "keep", note="wird umbenannt")
    open_one, _code = make_review(factories.make_domain())
    answer(open_one, factories.make_mailbox(domain=open_one.domains.get()), "delete")

    page = support_client.get(f"/staff/domains/{anna.domain_id}/").content.decode()
    listed = support_client.get("/staff/reviews/")

    assert "2 answers wait" in page
    assert [row.waiting for row in listed.context["page"]] == [2, 0]
    assert '<span class="badge warn">1<span class="visually-hidden"> with answers waiting' in page
    assert len(support_client.get(f"/staff/domains/{anna.domain_id}/review/").context["rows"]) == 2
    assert len(support_client.get(f"/staff/domains/{anna.domain_id}/review/?show=all").context["rows"]) == 3


def test_delete_excludes_the_mailbox_with_a_reason(admin_client_mfa: Client, review: Review, anna: Mailbox) -> None:
    found = answer(review, anna, "delete")

    press(admin_client_mfa, found)

    anna.refresh_from_db()
    found.refresh_from_db()
    assert anna.state == S.EXCLUDED
    assert (found.outcome, found.settled_by[:6]) == ("applied", "staff:")
    assert "deleted" in Event.objects.get(action=Event.Action.EXCLUDED).detail["reason"]
    event = Event.objects.get(action=Event.Action.REVIEW_APPLIED)
    assert (event.mailbox, event.detail) == (anna, {"choice": "delete", "outcome": "applied"})
    timeline = admin_client_mfa.get(f"/staff/mailboxes/{anna.pk}/").content.decode()
    assert "delete it → carried out" in timeline


def test_alias_excludes_the_mailbox_and_adds_the_alias(admin_client_mfa: Client, review: Review, anna: Mailbox) -> None:
    factories.make_mailbox("berta", domain=anna.domain)

    press(admin_client_mfa, answer(review, anna, "alias", "berta@demo.example"))

    anna.refresh_from_db()
    assert anna.state == S.EXCLUDED
    assert [(alias.local_part, alias.goto) for alias in Alias.objects.all()] == [("anna", "berta@demo.example")]


@pytest.mark.parametrize("why", ["gone", "excluded", "foreign", "there", "active"])
def test_alias_that_cannot_be_is_refused_and_changes_nothing(
    why: str, admin_client_mfa: Client, review: Review, anna: Mailbox
) -> None:
    state = S.EXCLUDED if why == "excluded" else S.IMPORTED
    domain = factories.make_domain() if why == "foreign" else anna.domain
    target = factories.make_mailbox("berta", domain=domain, state=state)
    if why == "there":
        factories.make_alias("anna", goto="x@y.example", domain=anna.domain)
    if why == "active":
        Mailbox.objects.filter(pk=anna.pk).update(state=S.ACTIVE)
    found = answer(review, anna, "alias", "nobody@demo.example" if why == "gone" else target.address)
    before = Mailbox.objects.values_list("state").get(pk=anna.pk), Alias.objects.count(), Event.objects.count()

    press(admin_client_mfa, found)

    found.refresh_from_db()
    assert (found.outcome, found.settled_at) == ("", None)
    after = Mailbox.objects.values_list("state").get(pk=anna.pk), Alias.objects.count(), Event.objects.count()
    assert after == before


@pytest.mark.parametrize(
    ("choice", "detail", "fields"),
    [
        ("shared", "chef@demo.example", {"kind": "shared", "responsible": "chef@demo.example"}),
        ("machine", "edv@demo.example", {"kind": "machine", "responsible": "edv@demo.example"}),
        ("person", "Carl Huber", {"kind": "personal", "name": "Carl Huber"}),
        ("keep", "", {"kind": "personal", "state": "imported"}),
    ],
)
def test_who_uses_it_is_set(
    choice: str, detail: str, fields: dict[str, str], admin_client_mfa: Client, review: Review, anna: Mailbox
) -> None:
    found = answer(review, anna, choice, detail, note="x")

    press(admin_client_mfa, found)

    assert Mailbox.objects.values(*fields).get(pk=anna.pk) == fields
    found.refresh_from_db()
    assert found.outcome == "applied"


def test_a_deleted_alias_does_not_move(admin_client_mfa: Client, review: Review, domain: Domain) -> None:
    alias = factories.make_alias("boss", goto="anna@demo.example", domain=domain)
    made = factories.make_alias("made", goto="anna@demo.example", domain=domain)
    ProvisionedObject.objects.create(domain=domain, kind=ProvisionedObject.Kind.ALIAS, alias=made)

    press(admin_client_mfa, answer(review, alias, "delete"))
    refused = press(admin_client_mfa, answer(review, made, "delete"))

    assert list(Alias.objects.all()) == [made]
    assert "Delete it there" in refused
    assert Event.objects.get(action=Event.Action.EXCLUDED).domain == domain


def test_left_answers_change_nothing_and_are_settled(admin_client_mfa: Client, review: Review, anna: Mailbox) -> None:
    found = answer(review, anna, "delete")

    press(admin_client_mfa, found, "leave")
    again = press(admin_client_mfa, found)

    anna.refresh_from_db()
    assert anna.state == S.IMPORTED
    assert "decided already" in again
    assert Event.objects.filter(action=Event.Action.REVIEW_APPLIED).count() == 1


def test_answers_that_were_taken_back_cannot_be_carried_out(
    admin_client_mfa: Client, review: Review, anna: Mailbox
) -> None:
    found = answer(review, anna, "delete")
    Review.objects.update(submitted_at=None)

    assert "taken it back" in press(admin_client_mfa, found).replace("&#x27;", "'")
    anna.refresh_from_db()
    assert anna.state == S.IMPORTED


def test_harmless_ones_are_counted_and_carried_out_together(
    admin_client_mfa: Client, review: Review, domain: Domain
) -> None:
    boxes = {name: factories.make_mailbox(name, domain=domain) for name in "abcdefg"}
    harmless = [
        answer(review, boxes["a"], "shared", "chef@demo.example"),
        answer(review, boxes["b"], "person", "Carl Huber"),
    ]
    answer(review, boxes["c"], "machine", "edv@extern.example")
    answer(review, boxes["d"], "person", "Otto", note="erst ab Mai")
    answer(review, boxes["e"], "delete")
    answer(review, boxes["f"], "alias", "a@demo.example")
    answer(review, boxes["g"], "machine", "x@evil-demo.example")
    assert applying.harmless(domain) == harmless
    assert (
        "Carry 2 harmless answers out …" in admin_client_mfa.get(f"/staff/domains/{domain.pk}/review/").content.decode()
    )

    carry_out_harmless(admin_client_mfa, domain)

    assert Mailbox.objects.filter(kind="shared", responsible="chef@demo.example").count() == 1
    assert set(Answer.objects.filter(outcome="applied")) == set(harmless)
    assert Event.objects.filter(action=Event.Action.REVIEW_APPLIED).count() == 2
    assert applying.harmless(domain) == []


@pytest.mark.parametrize("role", ["readonly", "support"])
def test_others_read_answers_and_decide_nothing(
    role: str, staff_client: Callable[..., Client], review: Review, anna: Mailbox
) -> None:
    found, client = answer(review, anna, "delete"), staff_client(role)
    base = f"/staff/domains/{anna.domain_id}/review/"

    page = client.get(base)

    assert page.status_code == 200
    assert "/apply/" not in page.content.decode()
    for address in (f"/staff/answers/{found.pk}/apply/", f"/staff/answers/{found.pk}/leave/", f"{base}send/"):
        assert client.post(address).status_code == 403
    for address in (f"{base}again/", f"{base}revoke/", f"{base}harmless/"):
        assert client.post(address).status_code == 403
    assert Mailbox.objects.get().state == S.IMPORTED


@pytest.mark.parametrize("address", ["/staff/reviews/", "/staff/domains/{pk}/review/?show=all"])
def test_more_answers_need_no_more_queries(
    address: str,
    admin_client_mfa: Client,
    review: Review,
    domain: Domain,
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    def more(number: int) -> None:
        for _ in range(number):
            answer(review, factories.make_mailbox(domain=domain, forwards="a@b.example"), "shared", "c@demo.example")
            alias = factories.make_alias(f"x{Alias.objects.count()}", goto="a@b.example", domain=domain)
            answer(review, alias, "delete")
            make_review(factories.make_domain())

    address = address.format(pk=domain.pk)
    more(3)
    admin_client_mfa.get(address)
    with django_assert_max_num_queries(20) as few:
        admin_client_mfa.get(address)
    more(6)
    with django_assert_num_queries(len(few)):
        admin_client_mfa.get(address)
