"""The web process dies while it saves a password: all of it is saved or nothing, and the owner learns which."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from migration.models import Event, FirstLogin, Mailbox, Mailing, Push
from tests.integration.door import owner_client, save
from tests.racing import at_once

# Real transactions: a process that dies takes back what it has not committed.
pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Not an Exception: nothing may catch it and go on."""


class AtStatement:
    """Ends everything at the n-th statement of this thread."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise Killed
        return execute(*statement)


class AfterCommit:
    """Ends everything when the transaction that saves the password has just been committed."""

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith('INSERT INTO "migration_push"'):
            transaction.on_commit(self.kill)
        return execute(sql, *rest)

    def kill(self) -> None:
        raise Killed


def dies(client: Client, death: Any, submission: uuid.UUID) -> bool:
    """Whether the process died before it had answered."""

    def request() -> None:
        with connection.execute_wrapper(death):
            save(client, submission=submission)

    try:
        at_once(request)
    except Killed:
        return True
    return False


def saved(mailbox: Mailbox) -> set[bool]:
    """Of everything that saving changes, whether it was changed."""
    mailbox.refresh_from_db()
    return {
        mailbox.version == 1,
        mailbox.state == Mailbox.State.PASSWORD_SET,
        Push.objects.filter(mailbox=mailbox).exists(),
        not FirstLogin.objects.filter(mailbox=mailbox, consumed_at=None).exists(),
        Event.objects.filter(mailbox=mailbox, action=Event.Action.PASSWORD_SET).exists(),
        Mailing.objects.filter(mailbox=mailbox, kind=Mailing.Kind.PASSWORD_SAVED).exists(),
    }


def test_killed_after_the_commit_and_before_the_answer_the_owner_reads_saved_when_he_sends_again(
    mailbox: Mailbox,
) -> None:
    client, submission = owner_client(mailbox), uuid.uuid4()
    assert dies(client, AfterCommit(), submission)
    assert saved(mailbox) == {True}

    again = save(client, submission=submission)

    assert (again.status_code, again["Location"]) == (302, "/done")
    assert 'data-stage="saved"' in client.get("/done").content.decode()
    mailbox.refresh_from_db()
    assert (mailbox.version, Push.objects.count()) == (1, 1)


def test_killed_at_any_statement_all_of_it_is_saved_or_nothing(
    mailbox: Mailbox, record_property: Callable[[str, object], None]
) -> None:
    client, submission = owner_client(mailbox), uuid.uuid4()
    statement, half_saved = 1, []

    while dies(client, AtStatement(statement), submission):
        if len(saved(mailbox)) != 1:
            half_saved.append(statement)
        statement += 1

    assert half_saved == []
    assert statement > 10, "it did not die often enough to tell"
    assert saved(mailbox) == {True}
    assert client.get("/done").status_code == 200
    record_property("F5", f"{statement - 1}/{statement - 1}")
