"""A domain's list of mailboxes: what is shown of each, how it is narrowed and sorted."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration.models import Domain, Event, Mailbox, Mailing, Push, TargetLogin
from tests.factories import make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db

S, Kind = Mailbox.State, Mailbox.Kind


@pytest.fixture
def domain() -> Domain:
    return make_domain("d.example")


def shown(client: Client, domain: Domain, **query: str) -> list[str]:
    page = client.get(reverse("desk:domain", args=[domain.pk]), query)
    return [row.mailbox.local_part for row in page.context["rows"]]


def test_needs_narrow_the_list_to_those_somebody_must_look_at(domain: Domain, support_client: Client) -> None:
    make_mailbox("new", domain=domain)
    lost, again = make_mailbox("lost", domain=domain), make_mailbox("again", domain=domain)
    for mailbox in (lost, again):
        make_first_login(mailbox)
        mailbox.mailings.update(state=Mailing.State.FAILED)
    make_first_login(again)
    blocked = make_push(
        make_mailbox("blocked", domain=domain), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA
    ).mailbox
    inside = make_mailbox("inside", domain=domain, state=S.INVITED)
    Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=inside)
    late = make_push(make_mailbox("late", domain=domain), state=Push.State.DELIVERED).mailbox
    Push.objects.filter(mailbox=late).update(delivered_at=timezone.now() - timedelta(days=9))
    Mailbox.objects.filter(pk=late.pk).update(source_login_at=timezone.now())

    assert shown(support_client, domain, need="attention") == [blocked.local_part, "lost"]
    assert shown(support_client, domain, state="attention") == ["blocked", "lost"]
    assert shown(support_client, domain, need="undelivered") == ["lost"]
    assert shown(support_client, domain, need="never") == ["again", "lost"]
    assert shown(support_client, domain, need="source") == ["late"]


def test_what_needs_somebody_in_another_domain_is_not_here(domain: Domain, support_client: Client) -> None:
    make_push(make_mailbox("blocked"), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    make_mailbox("anna", domain=domain)

    assert shown(support_client, domain, need="attention") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "shared"}, ["office"]),
        ({"state": "invited", "kind": "personal"}, ["anna"]),
        ({"q": "GRUBER", "state": "invited"}, ["anna"]),
        ({"q": "ann_"}, []),
        ({"q": "100%"}, []),
        ({"need": "nonsense", "kind": "nonsense", "sort": "nonsense"}, ["anna", "office", "otto"]),
    ],
)
def test_filters_work_together(query: dict[str, str], found: list[str], domain: Domain, support_client: Client) -> None:
    make_mailbox("anna", domain=domain, state=S.INVITED, name="Anna Gruber")
    make_mailbox("otto", domain=domain, name="Otto Gruber")
    make_mailbox("office", domain=domain, kind=Kind.SHARED)

    assert shown(support_client, domain, **query) == found


def test_the_list_is_sorted_as_asked(domain: Domain, support_client: Client) -> None:
    now = timezone.now()
    make_mailbox("a", domain=domain, state=S.ACTIVE, source_login_at=now - timedelta(days=3))
    make_mailbox("b", domain=domain, state=S.IMPORTED)
    make_mailbox("c", domain=domain, state=S.INVITED, source_login_at=now)

    assert shown(support_client, domain) == ["a", "b", "c"]
    assert shown(support_client, domain, sort="state") == ["b", "c", "a"]
    assert shown(support_client, domain, sort="login") == ["c", "a", "b"]


def test_fifty_are_on_a_page_and_the_filter_goes_along(domain: Domain, support_client: Client) -> None:
    Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"m{number:03}", kind=Kind.SHARED) for number in range(60)
    )
    make_mailbox("a", domain=domain)

    first, second = (shown(support_client, domain, kind="shared", page=page) for page in "12")
    page = support_client.get(reverse("desk:domain", args=[domain.pk]), {"kind": "shared"}).content.decode()

    assert (len(first), len(second), first[0], second[-1]) == (50, 10, "m000", "m059")
    assert "kind=shared&amp;page=2" in page
    assert '<input type="hidden" name="kind" value="shared">' in page


def test_a_row_tells_the_last_mail_the_last_try_and_the_last_logins(domain: Domain, support_client: Client) -> None:
    anna = make_mailbox("anna", domain=domain, source_login_at=timezone.now())
    make_first_login(anna)
    Event.record(Event.Action.SIGN_IN_FAILED, actor="owner", mailbox=anna, reason="wrong")
    TargetLogin.objects.create(mailbox=anna, imap_at=timezone.now())

    [row] = support_client.get(reverse("desk:domain", args=[domain.pk])).context["rows"]

    assert row.mailed_at
    assert row.tried_at
    assert row.tried == "sign-in failed"
    assert row.read_at


def test_the_page_says_what_of_the_plan_is_next_and_what_holds_it_up(support_client: Client) -> None:
    today = timezone.localdate()
    domain = make_domain(announced=False, planned_at=timezone.now(), invite_on=today, cut_over_on=today + timedelta(9))
    make_mailbox(domain=domain)

    page = support_client.get(reverse("desk:domain", args=[domain.pk]))

    assert [(line.state, bool(line.problem)) for line in page.context["steps"]] == [("waits", True), ("ahead", False)]


def test_more_mailboxes_of_any_need_cost_no_more_queries(
    domain: Domain, support_client: Client, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    url = reverse("desk:domain", args=[domain.pk])

    def more(number: int) -> None:
        for _number in range(number):
            make_first_login(make_mailbox(domain=domain))
            make_push(make_mailbox(domain=domain), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)

    more(3)
    support_client.get(url)
    for query in ({}, {"need": "attention"}, {"need": "never"}, {"sort": "login"}):
        with django_assert_max_num_queries(40) as few:
            support_client.get(url, query)
        more(3)
        with django_assert_num_queries(len(few)):
            support_client.get(url, query)
