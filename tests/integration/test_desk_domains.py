"""The list of domains and the page of one: numbers, filters, invitations, the pre-announcement."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration.models import Domain, Event, Mailbox, Mailing, Push, Target
from tests.factories import make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db

S = Mailbox.State


def address_of(domain: Domain, page: str = "domain") -> str:
    return reverse(f"desk:{page}", args=[domain.pk])


def fill(count: int) -> None:
    for _number in range(count):
        domain = make_domain()
        mailbox = make_mailbox(domain=domain)
        make_first_login(mailbox)
        make_push(make_mailbox(domain=domain), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)


@pytest.mark.parametrize("name", ["domains", "domain", "search"])
def test_more_rows_need_no_more_queries(
    name: str, support_client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    domain = make_domain("viele.example")
    url = address_of(domain) if name == "domain" else reverse(f"desk:{name}")

    def more(number: int) -> None:
        fill(number)
        for _number in range(number):
            make_first_login(make_mailbox(domain=domain))

    more(3)
    support_client.get(url)  # the first request of a session also writes it
    with django_assert_max_num_queries(30) as few:
        support_client.get(url, {"q": "m"} if name == "search" else {})
    more(6)
    with django_assert_num_queries(len(few)):
        support_client.get(url, {"q": "m"} if name == "search" else {})


def test_blocked_pushes_and_lost_mails_need_attention(support_client: Client) -> None:
    domain = make_domain("d.example")
    make_push(make_mailbox("blocked", domain=domain), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    lost = make_mailbox("lost", domain=domain)
    make_first_login(lost)
    lost.mailings.update(state=Mailing.State.FAILED, error="550 no such mailbox")
    make_mailbox("fine", domain=domain, state=S.ACTIVE)

    page = support_client.get(address_of(domain), {"state": "attention"})

    assert page.context["report"].attention == 2
    assert [row.mailbox.local_part for row in page.context["rows"]] == ["blocked", "lost"]
    assert str(Push.Reason.QUOTA.label) in page.content.decode()
    assert "nicht zugestellt" in page.content.decode() or "not delivered" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ann"}, ["anna", "hannes"]),
        ({"q": "anna@d.example"}, ["anna"]),
        ({"q": "Gruber"}, ["otto"]),
        ({"state": "active"}, ["hannes"]),
        ({"state": "nonsense"}, ["anna", "hannes", "otto"]),
        ({"page": "99"}, ["anna", "hannes", "otto"]),
    ],
)
def test_mailboxes_are_found_by_address_name_and_state(
    query: dict[str, str], found: list[str], support_client: Client
) -> None:
    domain = make_domain("d.example")
    make_mailbox("anna", domain=domain)
    make_mailbox("hannes", domain=domain, state=S.ACTIVE)
    make_mailbox("otto", domain=domain, name="Otto Gruber")

    page = support_client.get(address_of(domain), query)

    assert [row.mailbox.local_part for row in page.context["rows"]] == found


def test_the_search_looks_into_all_domains_and_aliases(support_client: Client) -> None:
    make_mailbox("anna", domain=make_domain("eins.example"))
    domain = make_domain("zwei.example")
    domain.aliases.create(local_part="hanna", goto="anna@eins.example")

    page = support_client.get(reverse("desk:search"), {"q": "anna"})

    assert [str(row.mailbox) for row in page.context["mailboxes"].rows] == ["anna@eins.example"]
    assert [alias.local_part for alias in page.context["aliases"].rows] == ["hanna"]


def test_the_number_of_invitations_is_shown_before_any_is_sent(support_client: Client) -> None:
    domain = make_domain()
    for state in (S.IMPORTED, S.IMPORTED, S.ACTIVE, S.EXCLUDED):
        make_mailbox(domain=domain, state=state)

    page = support_client.get(address_of(domain, "invite"))

    assert page.context["number"] == 2
    assert not Mailing.objects.filter(kind=Mailing.Kind.INVITATION).exists()

    support_client.post(address_of(domain, "invite"))
    assert Mailing.objects.filter(kind=Mailing.Kind.INVITATION).count() == 2
    assert mail.outbox == []


def test_without_an_announcement_an_admin_must_type_a_reason(admin_client_mfa: Client) -> None:
    mailbox = make_mailbox(domain=make_domain(announced=False))
    invite = address_of(mailbox.domain, "invite")

    page = admin_client_mfa.post(invite)
    assert page.context["form"].errors["reason"]
    assert not mailbox.mailings.exists()

    admin_client_mfa.post(invite, {"reason": "told by telephone"})
    assert mailbox.mailings.count() == 1
    assert mailbox.events.get().detail["reason"] == "told by telephone"


def test_without_an_announcement_support_cannot_invite(support_client: Client) -> None:
    mailbox = make_mailbox(domain=make_domain(announced=False))

    answer = support_client.post(address_of(mailbox.domain, "invite"), {"reason": "I want to"})

    assert answer.status_code == 403
    assert not mailbox.mailings.exists()


def test_the_announcement_is_sent_as_edited_and_recorded(admin_client_mfa: Client) -> None:
    mailbox = make_mailbox("anna", domain=make_domain("d.example", announced=False))
    announce = address_of(mailbox.domain, "announce")
    draft = admin_client_mfa.get(announce).context["form"].initial
    assert "anna@d.example" in draft["text"]

    admin_client_mfa.post(announce, {"subject": "Umzug", "text": "Guten Tag!"})

    sent = Mailing.objects.get(kind=Mailing.Kind.ANNOUNCEMENT)
    assert (sent.recipient, sent.subject, sent.text) == (
        mailbox.domain.customer.contact_email,
        "Umzug",
        "Guten Tag!",
    )
    assert Event.objects.filter(action=Event.Action.ANNOUNCED, domain=mailbox.domain).exists()


def test_an_empty_announcement_is_not_sent(admin_client_mfa: Client) -> None:
    domain = make_mailbox(domain=make_domain(announced=False)).domain

    page = admin_client_mfa.post(address_of(domain, "announce"), {"subject": "", "text": ""})

    assert page.status_code == 422
    assert not domain.mailings.exists()


def test_a_paused_domain_sends_no_invitation_and_says_why(admin_client_mfa: Client) -> None:
    mailbox = make_mailbox()
    admin_client_mfa.post(address_of(mailbox.domain, "pause"))

    page = admin_client_mfa.post(address_of(mailbox.domain, "invite"), follow=True)

    assert [message.level_tag for message in page.context["messages"]][-1:] == ["error"]
    assert not mailbox.mailings.exists()

    admin_client_mfa.post(address_of(mailbox.domain, "resume"))
    admin_client_mfa.post(address_of(mailbox.domain, "invite"))
    assert mailbox.mailings.count() == 1


@pytest.mark.parametrize("language", ["de", "en"])
def test_pages_have_their_language_and_landmarks(language: str, staff_client: Callable[..., Client]) -> None:
    client = staff_client("admin")
    domain = make_mailbox().domain

    for url in (reverse("desk:domains"), address_of(domain), address_of(domain, "announce")):
        page = client.get(url, headers={"accept-language": language}).content.decode()
        assert f'<html lang="{language}">' in page
        assert page.count("<main") == page.count("<h1") == 1
        assert "style=" not in page
        assert page.count("<script") == page.count("<script src=")


def test_an_open_breaker_is_on_the_first_page(support_client: Client, admin_client_mfa: Client) -> None:
    Target.objects.create(name="main", breaker_opened_at=timezone.now(), breaker_reason=Push.Reason.KEY)
    way_out = reverse("staff:operation")

    for_support, for_admin = (
        client.get(reverse("desk:domains")).content.decode() for client in (support_client, admin_client_mfa)
    )

    assert html.escape(str(Push.Reason.KEY.label)) in for_support
    assert way_out not in for_support
    assert way_out in for_admin
