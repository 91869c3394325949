"""A code from the phone that is refused: the same answer and the same work for everybody, and where none is given."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.attempts import BUDGETS, Attempts
from migration.models import Event, Mailbox, PhoneCode
from migration.refusals import VerbRefused
from tests import factories

from .door import rows, without_csrf
from .test_phone_code import WRONG, enter, give, wrong


@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("paused", {"domain__paused_at": True}),
        ("wrong_state", {"state": Mailbox.State.EXCLUDED}),
        ("handed_over", {"state": Mailbox.State.MOVED}),
    ],
)
def test_no_code_is_given_where_none_is_of_use(mailbox: Mailbox, why: str, changes: dict[str, Any]) -> None:
    if "domain__paused_at" in changes:
        mailbox.domain.paused_at = timezone.now()
        mailbox.domain.save()
    else:
        Mailbox.objects.update(**changes)

    with pytest.raises(VerbRefused) as refused:
        give(Mailbox.objects.get())

    assert refused.value.code == why
    assert not PhoneCode.objects.exists()


@pytest.mark.django_db
def test_no_code_is_given_before_the_contact_was_told() -> None:
    mailbox = factories.make_mailbox(domain=factories.make_domain(announced=False))

    with pytest.raises(VerbRefused) as refused:
        give(mailbox)

    assert refused.value.code == "not_begun"


def test_every_refused_try_has_the_same_answer(mailbox: Mailbox) -> None:
    domain = mailbox.domain
    spent, expired, without = (factories.make_mailbox(name, domain=domain) for name in ("s", "e", "w"))
    codes = {box: give(box) for box in (mailbox, spent, expired)}
    PhoneCode.objects.filter(mailbox=spent).update(consumed_at=timezone.now())
    PhoneCode.objects.filter(mailbox=expired).update(given_at=timezone.now() - timedelta(hours=1))
    tries = [
        ("x@demo.example", WRONG),
        (mailbox.address, wrong(codes[mailbox])),
        (spent.address, codes[spent]),
        (expired.address, codes[expired]),
        (without.address, WRONG),
        ("no address", WRONG),
        (mailbox.address, "a\0b"),
    ]

    answers = [enter(*one, REMOTE_ADDR=f"192.0.2.{place}") for place, one in enumerate(tries)]

    pages = {
        without_csrf(answer).replace(one[0].encode(), b"ADDRESS") for answer, one in zip(answers, tries, strict=True)
    }
    assert {answer.status_code for answer in answers} == {422}
    assert len(pages) == 1


def test_a_known_and_an_unknown_address_cost_the_same_statements(
    mailbox: Mailbox,
) -> None:
    give(mailbox)
    costs = []
    for address in ("nobody@demo.example", mailbox.address):
        with CaptureQueriesContext(connection) as captured:
            enter(address, WRONG)
        costs.append([query["sql"].split()[0] for query in captured if "SAVEPOINT" not in query["sql"]])

    assert costs[0] == costs[1]


def test_the_network_has_its_budget_and_a_success_clears_nothing_of_it(mailbox: Mailbox) -> None:
    limit = int(BUDGETS["network"].partition("/")[0])
    for number in range(limit):
        enter(f"x{number}@demo.example", WRONG)

    assert enter(mailbox.address, give(mailbox)).status_code == 429


def test_a_fresh_code_works_after_an_earlier_one_died(mailbox: Mailbox) -> None:
    code = give(mailbox)
    for _ in range(5):
        enter(mailbox.address, wrong(code))

    assert enter(mailbox.address, give(mailbox)).status_code == 302
    assert not Attempts.objects.filter(bucket__startswith="phone:").exists()


def test_beyond_the_budget_of_an_address_even_a_living_code_is_not_looked_at(mailbox: Mailbox) -> None:
    code = give(mailbox)
    for number in range(1, 16):
        enter(mailbox.address.replace("anna", "ANNA"), "x" * number, REMOTE_ADDR=f"192.0.2.{number}")
    PhoneCode.objects.update(tries=0)

    assert enter(mailbox.address, code, REMOTE_ADDR="198.51.100.1").status_code == 422
    assert Event.objects.filter(action=Event.Action.SIGN_IN_REFUSED).count() == 1


def test_empty_fields_are_named_and_cost_no_try(mailbox: Mailbox) -> None:
    code = give(mailbox)
    before = rows()

    assert "Please enter the code that we told you." in enter(mailbox.address, " ").content.decode()
    assert "Please enter your e-mail address." in enter("", code).content.decode()
    assert rows() == before
