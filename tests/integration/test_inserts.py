"""Rows written by a plain statement are those that Django would have written."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from migration.inserts import insert
from migration.models import Event, Mailbox, Mailing, Push
from tests.audit import unguarded


def rows_of(mailbox: Mailbox) -> list[Any]:
    return [
        Event(
            action=Event.Action.SIGNED_IN,
            actor="owner",
            mailbox=mailbox,
            domain=mailbox.domain,
            detail={"ü": [1, None]},
        ),
        Event(action=Event.Action.PAUSED, actor="staff:eva", ip="2001:db8::1"),
        Push(mailbox=mailbox, version=7, submission=uuid.uuid4(), kept_old=True, payload=b"\0sealed\xff"),
        Mailing(kind=Mailing.Kind.PASSWORD_SAVED, domain=mailbox.domain, mailbox=mailbox, recipient="a@b.example"),
    ]


@pytest.mark.parametrize("place", range(4))
def test_the_row_is_the_one_django_would_write(mailbox: Mailbox, place: int) -> None:
    ours, djangos = rows_of(mailbox)[place], rows_of(mailbox)[place]
    model = type(ours)

    insert(ours)
    kept = model.objects.filter(pk=ours.pk).values().get()
    with unguarded():
        model.objects.all().delete()
    if isinstance(djangos, Push):
        djangos.submission = ours.submission
    djangos.save(force_insert=True)

    other = model.objects.values().get()
    times = {"id", "at", "created_at", "due_at", "updated_at"}
    assert {name: value for name, value in kept.items() if name not in times} == {
        name: value for name, value in other.items() if name not in times
    }
    for name in times.intersection(kept) - {"id"}:
        assert abs(kept[name] - timezone.now()) < timedelta(minutes=1)


def test_the_object_is_the_row_afterwards(mailbox: Mailbox) -> None:
    push = Push(mailbox=mailbox, version=1)

    insert(push)

    assert push == Push.objects.get()
    assert push.due_at == Push.objects.get().due_at
    push.reason = "busy"
    push.save()
    assert Push.objects.get().reason == "busy"


def test_what_is_given_wins_over_what_the_database_would_fill_in(mailbox: Mailbox) -> None:
    later = timezone.now() + timedelta(days=1)

    insert(Push(mailbox=mailbox, version=1, due_at=later))

    assert Push.objects.get().due_at == later
    assert not Push.objects.filter(due_at__lte=Now()).exists()


def test_a_row_that_may_not_be_is_refused(mailbox: Mailbox) -> None:
    insert(Push(mailbox=mailbox, version=1))

    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Push(mailbox=mailbox, version=1, state=Push.State.BLOCKED))

    assert Push.objects.filter(version=F("version")).count() == 1
