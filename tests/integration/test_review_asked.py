"""What staff are shown, and asked, before a contact's answers are carried out."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from migration.models import Alias, Domain, Mailbox, Review
from migration.refusals import VerbRefused
from migration.review import applying
from tests import factories

from .test_review_desk import S, anna, answer, carry_out_harmless, domain, press, review

__all__ = ["anna", "domain", "review"]
pytestmark = pytest.mark.django_db


def test_before_harmless_ones_are_carried_out_the_page_shows_what_will_change(
    admin_client_mfa: Client, review: Review, domain: Domain
) -> None:
    anna = factories.make_mailbox("anna", domain=domain, name="Anna Gruber")
    shop = factories.make_mailbox("shop", domain=domain)
    answer(review, anna, "person", "Carl Huber")
    left = answer(review, shop, "shared", "anna@demo.example")

    page = carry_out_harmless(admin_client_mfa, domain, without=left)

    for words in ("Anna Gruber", "Carl Huber", "shop@demo.example", "anna@demo.example"):
        assert words in page
    anna.refresh_from_db()
    assert anna.name == "Carl Huber"
    assert applying.harmless(domain) == [left]


def test_a_harmless_answer_given_anew_after_the_page_was_made_waits_for_a_look(
    admin_client_mfa: Client, review: Review, anna: Mailbox
) -> None:
    found = answer(review, anna, "person", "Carl Huber")
    seen = {"answer": [found.pk], "until": timezone.now().isoformat()}
    found.detail = "Somebody Else"
    found.save()

    admin_client_mfa.post(f"/staff/domains/{anna.domain_id}/review/harmless/", seen)

    anna.refresh_from_db()
    assert anna.name == ""
    assert applying.harmless(anna.domain) == [found]


@pytest.mark.parametrize("until", ["", "soon"])
def test_a_yes_without_the_moment_of_the_page_asks_anew(
    admin_client_mfa: Client, review: Review, anna: Mailbox, until: str
) -> None:
    found = answer(review, anna, "person", "Carl Huber")

    page = admin_client_mfa.post(
        f"/staff/domains/{anna.domain_id}/review/harmless/", {"answer": [found.pk], "until": until}
    )

    assert "This is what will change." in page.content.decode()
    assert applying.harmless(anna.domain) == [found]


def test_before_something_is_deleted_staff_see_who_sends_mail_on_to_it(
    admin_client_mfa: Client, review: Review, anna: Mailbox
) -> None:
    domain = anna.domain
    factories.make_alias("office", goto="bert@demo.example,anna@demo.example", domain=domain)
    factories.make_alias("hanna", goto="hanna.anna@demo.example", domain=domain)
    factories.make_mailbox("carl", domain=factories.make_domain("other.example"), forwards="anna@demo.example")
    factories.make_mailbox("gone", domain=domain, forwards="anna@demo.example", state=S.EXCLUDED)
    found = answer(review, anna, "delete")

    asked = admin_client_mfa.post(f"/staff/answers/{found.pk}/apply/")

    assert asked.status_code == 409
    page = asked.content.decode()
    assert re.findall(r'name="seen" value="([^"]+)"', page) == ["carl@other.example", "office@demo.example"]
    anna.refresh_from_db()
    assert anna.state == S.IMPORTED
    admin_client_mfa.post(f"/staff/answers/{found.pk}/apply/", {"seen": ["carl@other.example", "office@demo.example"]})
    anna.refresh_from_db()
    assert anna.state == S.EXCLUDED


def test_an_alias_that_came_after_the_question_is_asked_about(
    admin_client_mfa: Client, review: Review, anna: Mailbox
) -> None:
    factories.make_alias("office", goto="anna@demo.example", domain=anna.domain)
    factories.make_alias("new", goto="anna@demo.example", domain=anna.domain)
    found = answer(review, anna, "delete")

    asked = admin_client_mfa.post(f"/staff/answers/{found.pk}/apply/", {"seen": ["office@demo.example"]})

    assert asked.status_code == 409
    with pytest.raises(VerbRefused, match="still send their mail on"):
        applying.apply(found, actor="staff:eva", seen=["office@demo.example"])
    anna.refresh_from_db()
    assert anna.state == S.IMPORTED


def test_an_alias_others_point_at_is_asked_about_too(admin_client_mfa: Client, review: Review, domain: Domain) -> None:
    boss = factories.make_alias("boss", goto="anna@demo.example", domain=domain)
    factories.make_alias("chef", goto="boss@demo.example", domain=domain)
    found = answer(review, boss, "delete")

    assert "chef@demo.example" in press(admin_client_mfa, found)
    assert Alias.objects.filter(pk=boss.pk).exists()
