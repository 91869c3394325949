"""Nobody changes or deletes an event or its seal: not the application, not an admin, not a plain statement."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration.audit import sealing
from migration.models import Event, Mailbox, Seal
from tests.audit import unguarded

from .proof import proves_who_it_is

pytestmark = pytest.mark.django_db

LATER = timezone.now() + timedelta(days=1)


@pytest.fixture
def event(mailbox: Mailbox) -> Event:
    return Event.record(
        Event.Action.SIGNED_IN, actor="staff:eva@x.example", mailbox=mailbox, ip="192.0.2.7", way="phone"
    )


def aged(event: Event, **age: float) -> QuerySet[Event]:
    with unguarded():
        Event.objects.filter(pk=event.pk).update(at=timezone.now() - timedelta(**age))
    return Event.objects.filter(pk=event.pk)


def refused(verb: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        verb()


CHANGES: list[dict[str, Any]] = [
    {"at": LATER},
    {"actor": "owner"},
    {"actor": "staff"},
    {"action": "moved"},
    {"ip": "192.0.2.8"},
    {"ip": "192.0.2.0"},
    {"ip": None},
    {"detail": {}},
    {"detail": {"way": "letter"}},
]


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_a_young_event_is_refused(event: Event, change: dict[str, Any]) -> None:
    refused(lambda: Event.objects.filter(pk=event.pk).update(**change))


def test_saving_a_changed_event_is_refused(event: Event) -> None:
    event.actor = "owner"

    refused(event.save)


def test_event_of_another_mailbox_is_refused(event: Event) -> None:
    refused(lambda: Event.objects.filter(pk=event.pk).update(domain=event.domain_id and event.domain_id + 1))


@pytest.mark.parametrize("verb", [lambda: Event.objects.all().delete(), lambda: Event.objects.get().delete()])
def test_deleting_events_is_refused(event: Event, verb: Callable[[], object]) -> None:
    refused(verb)


@pytest.mark.parametrize("sql", ["DELETE FROM migration_event", "UPDATE migration_event SET action = 'moved'"])
def test_plain_statement_is_refused(event: Event, sql: str) -> None:
    def execute() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    refused(execute)


@pytest.mark.parametrize("view", ["change", "delete"])
def test_an_admin_can_neither_change_nor_delete_an_event(event: Event, view: str, admin_client_mfa: Client) -> None:
    address = reverse(f"admin:migration_event_{view}", args=[event.pk])
    proves_who_it_is(admin_client_mfa)

    response = admin_client_mfa.post(address, {"actor": "owner", "post": "yes"})

    assert response.status_code == 403
    assert Event.objects.get(pk=event.pk).actor == event.actor


@pytest.mark.parametrize(
    ("days", "change", "too_much"),
    [
        (8, {"ip": "192.0.2.0"}, {"ip": None}),
        (8, {"ip": "192.0.2.0"}, {"ip": "192.0.2.9"}),
        (31, {"ip": None}, {"detail": {}}),
        (366, {"ip": None, "detail": {}, "actor": "staff", "mailbox": None}, {"actor": "owner"}),
    ],
)
def test_what_is_due_may_be_erased_and_no_more(
    event: Event, days: int, change: dict[str, Any], too_much: dict[str, Any]
) -> None:
    old = aged(event, days=days)

    refused(lambda: old.update(**too_much))

    assert old.update(**change) == 1


@pytest.mark.parametrize("change", [{"mac": b""}, {"link": b""}, {"number": 7}, {"event": 7}, {"sealed_at": LATER}])
def test_change_of_a_seal_is_refused(event: Event, change: dict[str, Any]) -> None:
    sealing.seal()

    refused(lambda: Seal.objects.update(**change))


def test_erased_salt_does_not_come_back_and_no_seal_goes(event: Event) -> None:
    sealing.seal()
    Seal.objects.update(salt=None)

    refused(lambda: Seal.objects.update(salt=b"again"))
    refused(lambda: Seal.objects.all().delete())


def test_event_outlives_its_mailbox(event: Event) -> None:
    Mailbox.objects.all().delete()

    assert Event.objects.get(pk=event.pk).mailbox_id is None


def test_the_guards_are_there_after_all_schema_migrations(db: None) -> None:
    catalogue = (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalogue)
        there = {name for (name,) in cursor.fetchall()}

    assert there >= {
        f"migration_{table}_{event}_refused" for table in ("event", "seal") for event in ("update", "delete")
    }
