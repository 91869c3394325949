"""The contact's list: what it shows, what can be answered, handing in, and never another customer's lines."""

import pytest
from django.test import Client
from django.utils import timezone

from migration.models import Alias, Answer, Domain, Event, Mailbox, Review
from migration.refusals import VerbRefused
from migration.review import answering, lists
from tests import factories

from .contacts import JSON, contact_client, key, make_review, say, text_of
from .door import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def domain() -> Domain:
    return factories.make_domain("demo.example")


@pytest.fixture
def anna(domain: Domain) -> Mailbox:
    return factories.make_mailbox("anna", domain=domain, name="Anna Gruber")


@pytest.fixture
def review(domain: Domain) -> Review:
    return make_review(domain)[0]


@pytest.fixture
def client(domain: Domain, anna: Mailbox) -> Client:
    return contact_client(*make_review(domain))


@pytest.mark.parametrize(
    ("choice", "typed", "kept"),
    [
        ("keep", "ignored", ""),
        ("delete", "", ""),
        ("alias", " Berta@DEMO.example ", "berta@demo.example"),
        ("shared", "chef@extern.example", "chef@extern.example"),
        ("machine", "edv@bücher.example", "edv@xn--bcher-kva.example"),
        ("person", " Carl  Huber ", "Carl  Huber"),
    ],
)
def test_each_answer_is_kept_and_changes_nothing_else(
    client: Client, domain: Domain, anna: Mailbox, choice: str, typed: str, kept: str
) -> None:
    factories.make_mailbox("berta", domain=domain)
    before = list(Mailbox.objects.order_by("pk").values()), list(Alias.objects.values()), Event.objects.count()

    response = say(client, domain, key(anna), choice, detail=typed, note=" Bitte\x1b <b>bald</b> ")

    assert response["Location"] == f"/review/{domain.pk}"
    answer = Answer.objects.get()
    assert (answer.mailbox, answer.choice, answer.detail) == (anna, choice, kept)
    assert answer.note == "Bitte <b>bald</b>"
    assert (
        list(Mailbox.objects.order_by("pk").values()),
        list(Alias.objects.values()),
        Event.objects.count(),
    ) == before
    assert "<b>bald" not in client.get(f"/review/{domain.pk}").content.decode()


@pytest.mark.parametrize(
    ("choice", "detail", "sentence"),
    [
        ("alias", "", "another mailbox of this list"),
        ("alias", "anna@demo.example", "another mailbox of this list"),
        ("alias", "nobody@demo.example", "another mailbox of this list"),
        ("alias", "berta@foreign.example", "another mailbox of this list"),
        ("shared", "Eva", "e-mail address of the responsible"),
        ("machine", "", "e-mail address of the responsible"),
        ("person", "  ", "name of the other person"),
        ("person", "x" * 201, "200 characters"),
        ("", "Eva", "choose an answer"),
        ("burn", "", "not one of the available choices"),
    ],
)
def test_what_does_not_fit_is_told_and_the_rest_is_saved(
    client: Client, domain: Domain, anna: Mailbox, choice: str, detail: str, sentence: str
) -> None:
    factories.make_mailbox("berta", domain=factories.make_domain("foreign.example"))
    other = factories.make_mailbox("carl", domain=domain)
    fields = {f"{key(anna)}-choice": choice, f"{key(anna)}-detail": detail, f"{key(other)}-choice": "keep"}

    page = client.post(f"/review/{domain.pk}", fields)
    by_script = client.post(f"/review/{domain.pk}", fields, **JSON)

    assert (page.status_code, by_script.status_code) == (422, 422)
    assert sentence in text_of(page)
    assert list(by_script.json()["errors"]) == [key(anna)]
    assert [answer.mailbox for answer in Answer.objects.all()] == [other]
    assert f'name="{key(anna)}-choice"' in page.content.decode()
    assert f'name="{key(other)}-choice"' not in page.content.decode()


def test_an_answer_replaces_the_earlier_one_and_may_be_taken_back(
    client: Client, domain: Domain, anna: Mailbox
) -> None:
    say(client, domain, key(anna), "delete", note="weg")
    say(client, domain, key(anna), "keep")
    assert Answer.objects.values_list("choice", "note").get() == ("keep", "")

    assert say(client, domain, key(anna), "", **JSON).json() == {"errors": {}}

    assert not Answer.objects.exists()


def test_an_alias_can_be_kept_or_deleted_only(client: Client, domain: Domain) -> None:
    alias = factories.make_alias("boss", goto="anna@demo.example", domain=domain)

    assert say(client, domain, key(alias), "shared", detail="a@demo.example").status_code == 422
    assert say(client, domain, key(alias), "delete").status_code == 302

    assert Answer.objects.get().alias == alias


def test_another_customers_domain_and_lines_are_not_found(client: Client, domain: Domain) -> None:
    foreign = factories.make_domain("foreign.example")
    theirs: list[Mailbox | Alias] = [
        factories.make_mailbox("eva", domain=foreign),
        factories.make_alias("x", goto="y@z.example", domain=foreign),
    ]
    make_review(foreign)
    own_but_not_listed = factories.make_domain(customer=domain.customer)
    before = rows()

    for other in (foreign, own_but_not_listed):
        assert client.get(f"/review/{other.pk}").status_code == 404
        assert client.post(f"/review/{other.pk}/keep").status_code == 404
        assert client.post(f"/review/{other.pk}", {}).status_code == 404
    for thing in theirs:
        assert say(client, domain, key(thing), "delete").status_code == 404
    assert say(client, domain, "m999999999999999999", "delete").status_code == 404
    assert client.get(f"/review/{'9' * 40}").status_code == 404
    assert rows() == before
    for page in ("/review", "/review/progress", "/review/submit", f"/review/{domain.pk}"):
        assert "foreign" not in client.get(page).content.decode()


def test_handing_in_needs_a_typed_name(client: Client, domain: Domain, anna: Mailbox) -> None:
    say(client, domain, key(anna), "delete")

    for name in ("", "  "):
        assert client.post("/review/submit", {"name": name}).status_code == 422
    assert client.post("/review/submit").status_code == 422
    assert Review.objects.get().submitted_at is None
    assert client.post("/review/submit", {"name": "Eva Kontakt"})["Location"] == "/review"

    review = Review.objects.get()
    assert (review.submitted_at is not None, review.submitted_by) == (True, "Eva Kontakt")
    event = Event.objects.get(action=Event.Action.REVIEW_SUBMITTED)
    assert (event.actor, event.domain, event.detail["answers"]) == ("contact", domain, {"delete": 1})
    assert Mailbox.objects.get().state == Mailbox.State.IMPORTED
    assert "Eva Kontakt" in text_of(client.get("/review"))


def test_after_handing_in_the_list_can_only_be_read(client: Client, domain: Domain, anna: Mailbox) -> None:
    say(client, domain, key(anna), "delete", note="alt")
    client.post("/review/submit", {"name": "Eva"})

    page = client.get(f"/review/{domain.pk}")
    assert f'name="{key(anna)}-choice"' not in page.content.decode()
    assert "delete it" in text_of(page)
    assert say(client, domain, key(anna), "keep").status_code == 302
    assert say(client, domain, key(anna), "keep", **JSON).status_code == 409
    client.post(f"/review/{domain.pk}/keep")
    assert client.post("/review/submit", {"name": "Otto"})["Location"] == "/review"

    assert Answer.objects.values_list("choice", flat=True).get() == "delete"
    assert Review.objects.get().submitted_by == "Eva"


def test_the_contact_may_take_it_back_until_staff_began(client: Client, domain: Domain, anna: Mailbox) -> None:
    say(client, domain, key(anna), "delete")
    client.post("/review/submit", {"name": "Eva"})

    client.post("/review/reopen")
    assert Review.objects.get().submitted_at is None
    assert say(client, domain, key(anna), "keep", note="doch").status_code == 302
    client.post("/review/submit", {"name": "Eva"})
    Answer.objects.update(outcome="applied", settled_at=timezone.now())
    page = text_of(client.post("/review/reopen", follow=True))

    assert "begun to carry your answers out" in page
    assert Review.objects.get().submitted_at is not None
    assert Event.objects.filter(action=Event.Action.REVIEW_REOPENED).count() == 1


@pytest.mark.parametrize("choice", ["delete", "alias"])
def test_contradictions_are_named_and_not_handed_in(client: Client, domain: Domain, anna: Mailbox, choice: str) -> None:
    berta = factories.make_mailbox("berta", domain=domain)
    factories.make_mailbox("carl", domain=domain)
    say(client, domain, key(anna), "alias", detail="berta@demo.example")
    say(client, domain, key(berta), choice, detail="carl@demo.example")

    assert "anna@demo.example" in text_of(client.get("/review/submit"))
    assert client.post("/review/submit", {"name": "Eva"}).status_code == 422

    assert Review.objects.get().submitted_at is None


def test_a_list_nobody_minted_a_code_for_takes_no_answer_after_it_was_revoked(review: Review, anna: Mailbox) -> None:
    Review.objects.filter(pk=review.pk).update(revoked_at=timezone.now())

    with pytest.raises(VerbRefused):
        answering.save(review, [answering.Said(lists.Line(mailbox=anna), "keep")])
