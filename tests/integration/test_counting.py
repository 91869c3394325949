"""The database counts by itself: what it keeps is what a plain count says, whoever wrote the rows and how."""

import random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from migration import mailboxes, reports
from migration.counting import tally, triggers
from migration.models import Domain, DomainCount, Mailbox, Mailing, Push
from migration.refusals import VerbRefused
from tests.factories import make_domain, make_first_login, make_mailbox, make_push
from tests.racing import at_once

pytestmark = pytest.mark.django_db

S = Mailbox.State


def plain(domain: Domain) -> dict[str, int]:
    return {state: domain.mailboxes.filter(state=state).count() for state in S}


def agree() -> None:
    """The numbers kept are those of plain counts, written here without any of the code that keeps them."""
    for domain in Domain.objects.all():
        numbers = tally.of([domain.pk])[domain.pk]
        assert numbers.counts == plain(domain)
        assert numbers.blocked + numbers.undelivered == reports.needing_attention().filter(domain=domain).count()
    assert tally.differences() == []


def a_step(dice: random.Random) -> None:
    mailbox = dice.choice(list(Mailbox.objects.all()))
    push = mailbox.pushes.exclude(state__in=(Push.State.DELIVERED, Push.State.SUPERSEDED)).first()
    mail = mailbox.mailings.first()
    steps: list[Any] = [
        lambda: make_first_login(mailbox, sent=dice.random() < 0.5),
        lambda: mailboxes.exclude(mailbox, actor="test", reason="x"),
        lambda: mailboxes.include(mailbox, actor="test", reason="x"),
        lambda: mailboxes.reopen(mailbox, actor="test"),
        lambda: Mailbox.objects.filter(pk=mailbox.pk).update(state=dice.choice(list(S))),
        lambda: make_mailbox(domain=mailbox.domain, state=dice.choice(list(S))),
        lambda: push or make_push(mailbox, state=dice.choice([Push.State.QUEUED, Push.State.BLOCKED])),
        lambda: push and Push.objects.filter(pk=push.pk).update(state=dice.choice(Push.OPEN)),
        lambda: push and push.delete(),
        lambda: mail and Mailing.objects.filter(pk=mail.pk).update(state=dice.choice(list(Mailing.State))),
        lambda: mail and Mailing.objects.filter(pk=mail.pk).update(bounced_at=timezone.now()),
        lambda: mail and mail.delete(),
        tally.fold,
    ]
    try:
        with transaction.atomic():
            dice.choice(steps)()
    except VerbRefused:
        pass


@pytest.mark.parametrize("seed", range(5))
def test_any_verbs_in_any_order_leave_the_numbers_of_a_plain_count(seed: int) -> None:
    dice = random.Random(seed)
    for domain in (make_domain(), make_domain()):
        for _number in range(4):
            make_mailbox(domain=domain)

    for _step in range(60):
        a_step(dice)

    agree()
    tally.fold()
    agree()


def test_many_rows_by_one_statement_are_counted() -> None:
    domain, other = make_domain(), make_domain()
    Mailbox.objects.bulk_create(
        Mailbox(domain=domain if n % 3 else other, local_part=f"m{n}", state=list(S)[n % 7]) for n in range(70)
    )
    domain.mailboxes.filter(state=S.IMPORTED).update(state=S.INVITED)
    other.mailboxes.filter(state=S.ACTIVE).delete()

    agree()


def test_a_mailbox_that_changes_its_domain_takes_its_numbers_along() -> None:
    mailbox, other = make_mailbox(), make_domain()
    make_push(mailbox, state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)

    Mailbox.objects.filter(pk=mailbox.pk).update(domain=other)

    assert tally.of([other.pk])[other.pk].blocked == 1
    agree()


def test_a_change_that_is_rolled_back_counts_nothing() -> None:
    mailbox = make_mailbox()

    with transaction.atomic():
        Mailbox.objects.filter(pk=mailbox.pk).update(state=S.ACTIVE)
        transaction.set_rollback(True)

    agree()


def test_a_folded_domain_has_one_row() -> None:
    mailbox = make_mailbox()
    for state in S:
        Mailbox.objects.filter(pk=mailbox.pk).update(state=state)

    tally.fold()

    assert DomainCount.objects.filter(domain=mailbox.domain).count() == 1
    assert tally.fold() == 0
    agree()


def test_numbers_go_with_their_domain() -> None:
    domain = make_domain(announced=False)
    mailbox = make_mailbox(domain=domain)

    mailbox.delete()
    domain.delete()
    tally.fold()

    assert not DomainCount.objects.filter(domain_id=domain.pk).exists()


def test_the_command_finds_and_mends_what_differs(capsys: Any) -> None:
    mailbox = make_mailbox(domain=make_domain("d.example"))
    DomainCount.objects.filter(domain=mailbox.domain).update(imported=7)

    with pytest.raises(CommandError, match=r"d\.example: kept imported=\d+, counted imported=1"):
        call_command("counts")
    call_command("counts", rebuild=True)
    call_command("counts")

    assert "agree" in capsys.readouterr().out
    agree()


@pytest.mark.django_db(transaction=True)
def test_missing_triggers_are_told_and_put_up_with_all_counted_anew() -> None:
    mailbox = make_mailbox()
    triggers.take_down(plan=["a schema migration"])
    Mailbox.objects.filter(pk=mailbox.pk).update(state=S.ACTIVE)

    told = tally.differences()
    triggers.put_up()

    assert told == ["the triggers are not there: run manage.py migrate"]
    agree()


@pytest.mark.django_db(transaction=True)
def test_owners_an_import_and_the_fold_at_once_leave_the_numbers_of_a_plain_count() -> None:
    domain, other = make_domain(), make_domain()
    many = [make_mailbox(domain=dom, state=S.SIGNED_IN) for dom in (domain, other) for _number in range(8)]

    def save(mailboxes: list[Mailbox]) -> None:
        for mailbox in mailboxes:
            Mailbox.objects.filter(pk=mailbox.pk).update(state=S.PASSWORD_SET)

    def bring_in() -> None:
        for number in range(5):
            Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"n{number}.{n}") for n in range(5))

    def fold_often() -> None:
        for _time in range(10):
            tally.fold()

    at_once(lambda: save(many[::2]), lambda: save(many[1::2]), bring_in, fold_often, fold_often)

    agree()
    assert tally.of([domain.pk])[domain.pk].counts[S.IMPORTED] == 25


@pytest.mark.django_db(transaction=True)
def test_two_owners_of_one_domain_do_not_wait_for_each_other() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    domain = make_domain()
    first, second = (make_mailbox(domain=domain, state=S.SIGNED_IN) for _number in range(2))

    def hurried() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        Mailbox.objects.filter(pk=second.pk).update(state=S.PASSWORD_SET)

    with transaction.atomic():
        Mailbox.objects.filter(pk=first.pk).update(state=S.PASSWORD_SET)
        at_once(hurried)

    agree()


def test_a_saved_password_adds_one_row_and_changes_none() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time, and one row a domain")
    mailbox = make_mailbox(state=S.SIGNED_IN)
    tally.fold()

    Mailbox.objects.filter(pk=mailbox.pk).update(state=S.PASSWORD_SET)

    assert DomainCount.objects.filter(domain=mailbox.domain, is_base=False).count() == 1
