"""The kind of a mailbox decides whether it is invited together with its domain, and who gets the mail."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration import domains, mailboxes, reports
from migration.mailings import compose
from migration.models import Domain, Mailbox, Mailing
from tests.factories import make_alias, make_customer, make_domain, make_first_login, make_mailbox

pytestmark = pytest.mark.django_db

Kind, S = Mailbox.Kind, Mailbox.State
EVA = "staff:eva@provider.example"


@pytest.fixture
def domain() -> Domain:
    return make_domain("d.example")


def one_of_each(domain: Domain) -> None:
    for kind in Kind:
        make_mailbox(kind, domain=domain, kind=kind)


def invited() -> set[str]:
    return set(Mailing.objects.filter(kind="invitation").values_list("mailbox__local_part", flat=True))


def text_of(client: Client, view: str, pk: int, **query: str | int) -> str:
    return " ".join(client.get(reverse(f"desk:{view}", args=[pk]), query).content.decode().split())


def test_a_domain_is_invited_without_the_dormant_and_those_that_forward_to_outside(domain: Domain) -> None:
    one_of_each(domain)

    assert domains.start(domain, actor=EVA) == 3

    assert invited() == {"personal", "shared", "machine"}
    assert set(Mailbox.objects.filter(state=S.IMPORTED).values_list("kind", flat=True)) == {"dormant", "outside"}


def test_of_many_left_out_none_slips_into_a_later_batch(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "INVITE_BATCH", 2)
    for number in range(5):
        make_mailbox(f"a{number}", domain=domain, kind=Kind.DORMANT)
        make_mailbox(f"b{number}", domain=domain)

    assert domains.start(domain, actor=EVA) == 5
    assert not any(name.startswith("a") for name in invited())


@pytest.mark.parametrize("kind", Mailbox.ON_REQUEST)
def test_one_who_was_left_out_is_invited_on_request(domain: Domain, kind: Mailbox.Kind) -> None:
    anna = make_mailbox("anna", domain=domain, kind=kind)

    mailing = mailboxes.invite(anna, actor=EVA)

    assert (anna.state, mailing.recipient) == (S.INVITED, "anna@d.example")


def test_an_alias_gets_no_mail(domain: Domain) -> None:
    make_mailbox("anna", domain=domain)
    make_alias("sales", goto="anna@d.example", domain=domain)

    assert domains.start(domain, actor=EVA) == 1


def test_the_number_left_out_is_told_before_the_domain_is_invited(domain: Domain, support_client: Client) -> None:
    one_of_each(domain)
    make_mailbox("otto", domain=domain, kind=Kind.DORMANT)
    make_mailbox("gone", domain=domain, kind=Kind.DORMANT, state=S.EXCLUDED)
    told = "3 are left out when all are invited: dormant 2, forwarding to outside 1."

    page = text_of(support_client, "domain", domain.pk)
    assert told in page
    assert "Invite all not yet invited (3)" in page
    asked = text_of(support_client, "invite", domain.pk)
    assert told in asked
    assert "Send 3 invitations?" in asked


def test_as_many_are_invited_as_the_page_has_said(domain: Domain, support_client: Client) -> None:
    one_of_each(domain)

    answer = support_client.post(reverse("desk:invite", args=[domain.pk]), follow=True)

    assert "3 invitations are on their way." in answer.content.decode()
    assert len(invited()) == 3


def test_with_only_left_out_ones_there_is_nobody_to_invite_and_the_page_says_why(
    domain: Domain, support_client: Client
) -> None:
    make_mailbox("anna", domain=domain, kind=Kind.OUTSIDE)

    assert "Invite all not yet invited" not in text_of(support_client, "domain", domain.pk)
    asked = text_of(support_client, "invite", domain.pk)
    assert "Nobody to invite" in asked
    assert "1 is left out when all are invited: forwarding to outside 1." in asked


def test_a_domain_without_such_mailboxes_speaks_of_none(domain: Domain, support_client: Client) -> None:
    make_mailbox("anna", domain=domain)

    assert "left out" not in text_of(support_client, "domain", domain.pk)


@pytest.mark.parametrize(
    ("kind", "told"),
    [(Kind.DORMANT, "nobody seems to read"), (Kind.OUTSIDE, "would leave the house"), (Kind.PERSONAL, "")],
)
def test_the_page_of_the_mailbox_says_that_it_is_left_out(
    domain: Domain, kind: Mailbox.Kind, told: str, support_client: Client
) -> None:
    anna = make_mailbox("anna", domain=domain, kind=kind)

    page = text_of(support_client, "mailbox", anna.pk)

    assert ("Left out when all are invited" in page) is bool(told)
    assert told in page


def test_who_is_left_out_still_counts_as_open(domain: Domain) -> None:
    make_mailbox("anna", domain=domain, state=S.ACTIVE)
    make_mailbox("otto", domain=domain, kind=Kind.DORMANT)

    [report] = reports.completion(domain=domain)

    assert (report.done, report.taking_part, report.open, report.percent) == (1, 2, 1, 50)


@pytest.mark.parametrize("view", ["domain", "invite"])
def test_twice_as_many_left_out_cost_no_more_queries(domain: Domain, view: str, support_client: Client) -> None:
    def queries(number: int) -> int:
        for each in range(number):
            make_mailbox(f"d{number}-{each}", domain=domain, kind=Kind.DORMANT)
            make_mailbox(f"o{number}-{each}", domain=domain, kind=Kind.OUTSIDE)
        with CaptureQueriesContext(connection) as captured:
            support_client.get(reverse(f"desk:{view}", args=[domain.pk]))
        return len(captured)

    queries(1)
    assert queries(5) == queries(10)


def test_the_contact_reads_who_is_invited_on_request_only(domain: Domain) -> None:
    make_mailbox("anna", domain=domain)
    make_mailbox("otto", domain=domain, kind=Kind.DORMANT)

    _subject, text = compose.draft(domain)

    assert "- anna@d.example\n" in text
    assert "- otto@d.example, nur auf Wunsch\n" in text
    assert "bekommen diese Mail nur, wenn Sie uns darum bitten" in text


def test_where_everybody_is_invited_the_contact_reads_of_no_request(domain: Domain) -> None:
    make_mailbox("anna", domain=domain)

    assert "Wunsch" not in compose.draft(domain)[1]


@pytest.mark.parametrize(
    ("announced", "responsible", "named"),
    [
        (True, "chef@d.example", "chef@d.example is responsible."),
        (True, "", "If in doubt, Eva Kontakt decides who."),
        (False, "", ""),
    ],
)
def test_the_readers_of_a_shared_mailbox_learn_whom_to_ask_if_somebody_knows_of_the_move(
    responsible: str, named: str, *, announced: bool
) -> None:
    customer = make_customer(contact_name="Eva Kontakt")
    domain = make_domain("d.example", customer=customer, announced=announced)
    office = make_mailbox("office", domain=domain, kind=Kind.SHARED, responsible=responsible)
    invitation, secret = make_first_login(office)

    mail = compose.invitation(invitation, secret, language="en")

    assert named in mail.text.replace("\n", " ")
    assert named in re.sub(r"</?strong>", "", mail.html)
    assert ("Eva Kontakt" in mail.text) is ("Eva" in named)
