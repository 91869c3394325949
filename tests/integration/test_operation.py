"""The operator's page: what stands still and why, and the two things he decides, each after a fresh proof."""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migration.models import Event, HighWaterMark, Mailing, Push, Target
from tests.factories import make_first_login, make_mailbox, make_push
from tests.integration.proof import is_asked, proves_who_it_is

pytestmark = pytest.mark.django_db

PAGE = "/staff/operation/"


@pytest.fixture
def operator(staff_client: Callable[..., Client]) -> Client:
    """Who runs the portal."""
    return staff_client("operator", email="op@provider.example")


def text_of(client: Client, page: str = PAGE) -> str:
    return " ".join(client.get(page).content.decode().split())


def test_the_page_tells_states_and_counts_and_no_address(operator: Client) -> None:
    mailbox = make_mailbox("anna")
    make_first_login(mailbox, sent=False)
    make_push(mailbox, state=Push.State.BLOCKED)

    page = text_of(operator)

    assert "running" in page
    assert "nothing to confirm" in page
    assert "<dt>needs attention</dt><dd>1</dd>" in page
    assert mailbox.address not in page
    assert "rotate_keys" in page


def test_an_operator_closes_the_breaker_after_a_proof(operator: Client) -> None:
    target = Target.objects.create(name="main", breaker_opened_at=timezone.now(), breaker_reason="key")
    assert "the new server refuses us" in text_of(operator)
    close = reverse("staff:breaker_close")

    assert is_asked(operator.post(close))
    target.refresh_from_db()
    assert target.breaker_opened_at

    proves_who_it_is(operator)
    operator.post(close)
    target.refresh_from_db()
    assert target.breaker_opened_at is None
    assert Event.objects.get(action=Event.Action.BREAKER_CLOSED).actor == "staff:op@provider.example"


def test_a_proof_carries_out_what_was_asked_for(operator: Client) -> None:
    target = Target.objects.create(name="main", breaker_opened_at=timezone.now(), breaker_reason="key")
    close = reverse("staff:breaker_close")
    operator.post(close)

    proves_who_it_is(operator, next=close)

    target.refresh_from_db()
    assert target.breaker_opened_at is None


def test_a_breaker_that_is_closed_stays_closed(operator: Client) -> None:
    proves_who_it_is(operator)

    assert "Nothing was stopped" in operator.post(reverse("staff:breaker_close"), follow=True).content.decode()
    assert not Event.objects.filter(action=Event.Action.BREAKER_CLOSED).exists()


def test_an_operator_confirms_a_restored_database_after_a_proof(operator: Client) -> None:
    mailing = Mailing.objects.get(first_login=make_first_login(make_mailbox(), sent=False)[0])
    HighWaterMark.objects.create(pk=HighWaterMark.ONLY, at=1, restored_at=timezone.now())
    confirm = reverse("staff:restore_confirm")
    assert "1 mail of the backup may have left since" in text_of(operator)

    assert is_asked(operator.post(confirm))
    assert HighWaterMark.objects.get().restored_at

    proves_who_it_is(operator)
    operator.post(confirm)
    assert HighWaterMark.objects.get().restored_at is None
    assert Event.objects.get(action=Event.Action.RESTORE_CONFIRMED).actor == "staff:op@provider.example"
    mailing.refresh_from_db()
    assert mailing.state == Mailing.State.UNCLEAR
    assert "Nothing waited for this" in operator.post(confirm, follow=True).content.decode()


@pytest.mark.parametrize("role", ["readonly", "support"])
@pytest.mark.parametrize("name", ["operation", "breaker_close", "restore_confirm", "keys", "retention"])
def test_who_does_not_run_the_portal_has_none_of_it(name: str, role: str, staff_client: Callable[..., Client]) -> None:
    target = Target.objects.create(name="main", breaker_opened_at=timezone.now())
    client = staff_client(role)
    proves_who_it_is(client)

    assert client.get(reverse(f"staff:{name}")).status_code == 403
    assert client.post(reverse(f"staff:{name}")).status_code == 403
    target.refresh_from_db()
    assert target.breaker_opened_at


def test_keys_and_what_is_due_are_counted_and_nothing_is_erased(operator: Client) -> None:
    mailbox = make_mailbox("anna", legacy="{PLAIN}old")
    Mailing.objects.all().delete()

    keys, due = text_of(operator, reverse("staff:keys")), text_of(operator, reverse("staff:retention"))

    assert "old passwords&#x27; hashes" in keys
    assert "legacy_hash" in due
    mailbox.refresh_from_db()
    assert mailbox.legacy_hash
    assert not Event.objects.filter(action=Event.Action.RETENTION_RUN).exists()
    assert mailbox.address not in json.dumps([keys, due])


def test_the_page_costs_the_same_for_any_number_of_rows(operator: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            operator.get(PAGE)
        return len(queries)

    make_push(make_mailbox())
    operator.get(PAGE)
    few = cost()
    for _mailbox in range(5):
        make_push(make_mailbox())

    assert cost() == few
