"""The same verb on many mailboxes: who is left out and why, each mailbox once, whatever dies in between."""

import os
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from migration import bulk, domains, mailboxes, outlook, tasks
from migration.bulk import Wish
from migration.models import BulkPart, BulkRun, Domain, Event, FirstLogin, Mailbox, Mailing, Push
from migration.refusals import VerbRefused
from tests.factories import make_domain, make_first_login, make_mailbox, make_push
from tests.racing import at_once

pytestmark = pytest.mark.django_db

EVA = "staff:eva@provider.example"
S, Kind, Verb = Mailbox.State, Mailbox.Kind, BulkRun.Verb
SEEDS = range(20 if os.environ.get("UMZUG_LONG") else 3)


@pytest.fixture
def domain() -> Domain:
    return make_domain("d.example")


def all_of(domain: Domain) -> list[int]:
    return list(Mailbox.objects.filter(domain=domain).values_list("pk", flat=True))


def begin(domain: Domain, wish: Wish, *, chosen: list[int] | None = None, key: uuid.UUID | None = None) -> BulkRun:
    pks = all_of(domain) if chosen is None else chosen
    return bulk.begin(domain, pks, wish, actor=EVA, key=key or uuid.uuid4())


def test_who_is_left_out_of_an_invitation_is_told_by_reason(domain: Domain) -> None:
    make_mailbox("new", domain=domain)
    make_mailbox("asked-for", domain=domain, kind=Kind.DORMANT)
    make_first_login(make_mailbox("just-invited", domain=domain))
    for name in ("done", "done-too"):
        make_mailbox(name, domain=domain, state=S.ACTIVE)
    make_mailbox("out", domain=domain, state=S.EXCLUDED)

    foretold = outlook.look(Mailbox.objects.filter(domain=domain), Verb.INVITE)

    assert foretold.number == 2
    assert sorted(number for _why, number in foretold.left_out) == [1, 1, 2]
    assert foretold.left_out[0] == ("active on the new server", 2)


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb != Verb.SET_KIND])
def test_what_was_foretold_is_what_happens(domain: Domain, verb: BulkRun.Verb) -> None:
    for state in S:
        for kind in Kind:
            make_mailbox(f"{state}-{kind}", domain=domain, state=state, kind=kind)
    make_first_login(make_mailbox("just-invited", domain=domain))
    make_push(make_mailbox("blocked", domain=domain), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    foretold = outlook.look(Mailbox.objects.filter(domain=domain), verb)

    run = begin(domain, Wish(verb, reason="told by telephone"))

    assert (run.done, run.left_out) == (foretold.number, sum(number for _why, number in foretold.left_out))
    assert run.ended_at
    assert run.done


def test_each_mailbox_has_its_usual_event_and_the_domain_one_of_the_whole(domain: Domain) -> None:
    for name in ("anna", "otto"):
        make_mailbox(name, domain=domain)

    run = begin(domain, Wish(Verb.EXCLUDE, reason="left the company"))

    excluded = Event.objects.filter(action=Event.Action.EXCLUDED, actor=EVA)
    assert {event.detail["reason"] for event in excluded} == {"left the company"}
    assert excluded.count() == 2
    whole = Event.objects.get(action=Event.Action.BULK_STARTED)
    assert (whole.domain, whole.mailbox, whole.detail) == (
        domain,
        None,
        {"verb": "exclude", "chosen": 2, "run": run.pk},
    )


def test_a_kind_is_set_for_all_and_who_had_it_is_told(domain: Domain) -> None:
    make_mailbox("anna", domain=domain)
    make_mailbox("office", domain=domain, kind=Kind.SHARED)

    run = begin(domain, Wish(Verb.SET_KIND, kind=Kind.SHARED))

    assert (run.done, run.refused) == (1, {"same_kind": 1})
    assert set(Mailbox.objects.values_list("kind", flat=True)) == {Kind.SHARED}


def test_mailboxes_of_another_domain_are_nothing(domain: Domain) -> None:
    mine, theirs = make_mailbox("anna", domain=domain), make_mailbox("anna")

    run = begin(domain, Wish(Verb.EXCLUDE, reason="x"), chosen=[mine.pk, theirs.pk])

    theirs.refresh_from_db()
    assert (run.done, run.refused, theirs.state) == (1, {"gone": 1}, S.IMPORTED)


def test_the_same_form_sent_twice_is_one_run(domain: Domain) -> None:
    make_mailbox("anna", domain=domain)
    key = uuid.uuid4()

    first = begin(domain, Wish(Verb.INVITE), key=key)
    second = begin(domain, Wish(Verb.INVITE), key=key)

    assert first == second
    assert Mailing.objects.filter(kind="invitation").count() == 1
    assert Event.objects.filter(action=Event.Action.BULK_STARTED).count() == 1


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish(Verb.EXCLUDE), "no_reason"),
        (Wish(Verb.INCLUDE, reason="  "), "no_reason"),
        (Wish(Verb.INVITE), "not_announced"),
    ],
)
def test_what_the_domain_does_not_allow_is_not_begun(wish: Wish, code: str) -> None:
    mailbox = make_mailbox(domain=make_domain(announced=False))

    with pytest.raises(VerbRefused) as refused:
        begin(mailbox.domain, wish)

    assert refused.value.code == code
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize("verb", Verb)
def test_a_paused_domain_begins_nothing(domain: Domain, verb: BulkRun.Verb) -> None:
    make_mailbox(domain=domain)
    domains.pause(domain, actor=EVA)

    with pytest.raises(VerbRefused, match="paused"):
        begin(domain, Wish(verb, reason="x", kind=Kind.SHARED))


def test_mails_of_many_leave_after_those_that_somebody_waits_for(domain: Domain) -> None:
    for name in ("anna", "otto"):
        make_mailbox(name, domain=domain)

    begin(domain, Wish(Verb.INVITE))

    assert set(Mailing.objects.filter(kind="invitation").values_list("is_bulk", flat=True)) == {True}


def many(domain: Domain, number: int = 120) -> None:
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"m{each}") for each in range(number))


def invited(domain: Domain) -> list[int]:
    return list(FirstLogin.objects.filter(mailbox__domain=domain).values_list("mailbox", flat=True))


def test_more_than_a_hundred_are_left_to_a_worker(domain: Domain) -> None:
    many(domain)

    run = begin(domain, Wish(Verb.INVITE))

    assert (run.worked, run.ended_at) == (0, None)
    tasks.work_bulk(run.pk)
    run.refresh_from_db()
    assert (run.done, run.worked, run.ended_at is not None) == (120, 120, True)
    assert not BulkPart.objects.exists()


def test_a_tired_worker_leaves_the_rest_to_the_next(domain: Domain) -> None:
    many(domain)
    run = begin(domain, Wish(Verb.INVITE))

    bulk.work(run.pk, tired_after=0)

    run.refresh_from_db()
    assert (run.done, run.ended_at, list(bulk.due())) == (bulk.PART, None, [run])
    bulk.work(run.pk)
    assert len(invited(domain)) == len(set(invited(domain))) == 120


def test_a_pause_holds_a_run_that_has_begun_until_it_is_lifted(domain: Domain) -> None:
    many(domain)
    run = begin(domain, Wish(Verb.INVITE))
    bulk.work(run.pk, tired_after=0)

    domains.pause(domain, actor=EVA)
    bulk.work(run.pk)
    assert len(invited(domain)) == bulk.PART

    domains.resume(domain, actor=EVA)
    bulk.work(run.pk)
    assert len(invited(domain)) == 120


def test_what_became_impossible_meanwhile_is_told_at_the_end(domain: Domain) -> None:
    many(domain)
    run = begin(domain, Wish(Verb.REMIND))
    Mailbox.objects.filter(domain=domain).update(state=S.INVITED)
    mailboxes.exclude(Mailbox.objects.filter(domain=domain)[0], actor=EVA, reason="left")

    bulk.work(run.pk)

    run.refresh_from_db()
    assert (run.done, run.refused) == (119, {"wrong_state": 1})


class Killed(BaseException):
    """Not an Exception: nothing may catch it and go on."""


class Killer:
    """Lets so many statements through to the database and no more."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return execute(*statement)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_statement_and_begun_again_nobody_is_invited_twice(seed: int) -> None:
    chance, domain = random.Random(seed), make_domain("d.example")
    many(domain)
    run = begin(domain, Wish(Verb.INVITE))

    for _ in range(3):
        with pytest.raises(Killed), connection.execute_wrapper(Killer(chance.randrange(10, 250))):
            bulk.work(run.pk)
        BulkRun.objects.update(lease_until=timezone.now() - bulk.LEASE)
    bulk.work(run.pk)

    run.refresh_from_db()
    assert sorted(invited(domain)) == sorted(all_of(domain))
    assert (run.done, run.left_out, run.ended_at is not None) == (120, 0, True)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_each_mailbox_once() -> None:
    domain = make_domain("d.example")
    many(domain)
    run = begin(domain, Wish(Verb.INVITE))

    at_once(lambda: bulk.work(run.pk), lambda: bulk.work(run.pk))

    run.refresh_from_db()
    assert (run.done, len(invited(domain))) == (120, 120)


@pytest.mark.django_db(transaction=True)
def test_a_double_click_in_the_same_moment_is_one_run() -> None:
    mailbox = make_mailbox()
    key = uuid.uuid4()

    at_once(*[lambda: begin(mailbox.domain, Wish(Verb.INVITE), chosen=[mailbox.pk], key=key)] * 2)

    assert BulkRun.objects.count() == 1
    assert Mailing.objects.filter(kind="invitation").count() == 1
