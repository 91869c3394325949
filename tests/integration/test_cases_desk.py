"""Cases at the desk: support sees what owners said and closes it with a sentence on what was done."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from migration import cases
from migration.models import Case, Event, Mailbox
from migration.refusals import VerbRefused
from tests import factories

from .door import owner_client


@pytest.fixture
def case(mailbox: Mailbox) -> Case:
    """Anna says that the mailbox is not hers."""
    return cases.open_case(mailbox, kind=Case.Kind.NOT_MINE, note="Ask Eva.\nShe knows.", ip=None)


def listed(client: Client, **query: str) -> set[str]:
    return {str(found.kind) for found in client.get("/staff/cases/", query).context["page"]}


def test_the_open_ones_are_listed_and_counted_on_every_page(support_client: Client, case: Case) -> None:
    assert "anna@demo.example" in support_client.get("/staff/cases/").content.decode()
    for address in ("/staff/", "/staff/search/", f"/staff/mailboxes/{case.mailbox_id}/"):
        assert 'class="badge warn">1<span' in support_client.get(address).content.decode()

    cases.close(case, actor="staff:eva", answer="Called.")

    assert 'class="badge warn">1<span' not in support_client.get("/staff/").content.decode()


def test_the_list_is_narrowed_by_state_and_kind(support_client: Client, case: Case) -> None:
    cases.open_case(case.mailbox, kind=Case.Kind.DELETE, note="", ip=None)
    cases.close(case, actor="staff:eva", answer="Called.")

    assert listed(support_client) == {"delete"}
    assert listed(support_client, state="closed") == {"not_mine"}
    assert listed(support_client, state="all") == {"delete", "not_mine"}
    assert listed(support_client, state="all", kind="delete") == {"delete"}
    assert listed(support_client, state="nonsense", kind="nonsense") == {"delete"}
    assert support_client.get("/staff/cases/?page=99").status_code == 200


def test_support_closes_a_case_with_what_was_done(case: Case) -> None:
    client = Client()
    eva = factories.make_staff("eva@provider.example", role="support")
    client.force_login(eva, backend="accounts.staff.RoleBackend")

    response = client.post(f"/staff/cases/{case.pk}/close/", {"answer": "Called Eva.\r\nIt is hers."})

    assert response["Location"] == "/staff/cases/"
    case.refresh_from_db()
    assert case.closed_at is not None
    assert (case.closed_by, case.answer) == ("staff:eva@provider.example", "Called Eva.\nIt is hers.")
    event = Event.objects.get(action=Event.Action.CASE_CLOSED)
    assert (event.actor, event.mailbox) == ("staff:eva@provider.example", case.mailbox)
    assert "It is hers." not in str(event.detail)


@pytest.mark.parametrize("kind", list(Case.Kind))
def test_closing_a_case_leaves_the_mailbox_alone(support_client: Client, mailbox: Mailbox, kind: Case.Kind) -> None:
    case = cases.open_case(mailbox, kind=kind, note="", ip=None)
    before = Mailbox.objects.values().get()

    support_client.post(f"/staff/cases/{case.pk}/close/", {"answer": "Done."})

    assert Mailbox.objects.values().get() == before


@pytest.mark.parametrize("answer", ["", "   ", "x" * 1001])
def test_without_a_sentence_on_what_was_done_it_stays_open(support_client: Client, case: Case, answer: str) -> None:
    assert support_client.post(f"/staff/cases/{case.pk}/close/", {"answer": answer}).status_code == 200

    case.refresh_from_db()
    assert case.closed_at is None


def test_a_closed_case_is_not_closed_again(support_client: Client, case: Case) -> None:
    cases.close(case, actor="staff:eva", answer="Called.")

    response = support_client.post(f"/staff/cases/{case.pk}/close/", {"answer": "Mine."}, follow=True)

    assert "closed this case already" in response.content.decode()
    case.refresh_from_db()
    assert case.answer == "Called."
    with pytest.raises(VerbRefused):
        cases.close(case, actor="staff:eva", answer="   ")


def test_who_may_only_read_sees_it_and_cannot_close_it(staff_client: Callable[..., Client], case: Case) -> None:
    client = staff_client("readonly")

    page = client.get(f"/staff/cases/{case.pk}/")

    assert page.status_code == 200
    assert "Ask Eva.<br>She knows." in page.content.decode()
    assert "<textarea" not in page.content.decode()
    assert client.post(f"/staff/cases/{case.pk}/close/", {"answer": "x"}).status_code == 403
    case.refresh_from_db()
    assert case.closed_at is None


@pytest.mark.parametrize("address", ["/staff/cases/", "/staff/cases/{pk}/"])
def test_owners_and_strangers_do_not_see_the_cases(case: Case, address: str) -> None:
    owner = owner_client(case.mailbox)

    for client in (owner, Client()):
        response = client.get(address.format(pk=case.pk))
        assert response.status_code == 302
        assert "/staff/sign-in/login/" in response["Location"]
    for client in (owner, Client()):
        assert client.post(f"/staff/cases/{case.pk}/close/", {"answer": "x"}).status_code == 302
    case.refresh_from_db()
    assert case.closed_at is None


def test_the_timeline_tells_of_it(support_client: Client, case: Case) -> None:
    cases.close(case, actor="staff:eva", answer="Called.")

    page = support_client.get(f"/staff/mailboxes/{case.mailbox_id}/").content.decode()

    assert page.count("This mailbox is not mine.") == 2
    assert "Ask Eva." not in page


def test_fifty_cases_take_as_many_queries_as_one(support_client: Client, case: Case) -> None:
    support_client.get("/staff/cases/")
    with CaptureQueriesContext(connection) as one:
        support_client.get("/staff/cases/")
    for _ in range(49):
        box = factories.make_mailbox()
        cases.open_case(box, kind=Case.Kind.SHARED, note="", ip=None)
    with CaptureQueriesContext(connection) as fifty:
        support_client.get("/staff/cases/")

    assert len(fifty) == len(one)
