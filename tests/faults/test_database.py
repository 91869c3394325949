"""The database is away, locked or full: the page says so, nothing is saved by half, and afterwards all goes on."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from accounts.attempts import Attempts
from migration.models import Event, FirstLogin, Mailbox, Push
from tests import factories
from tests.integration.door import owner_client, save, sign_in

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="what is tried here is SQLite")
pytestmark = pytest.mark.django_db(transaction=True)
RIGHT_AWAY_MS = 200


def gone(*_statement: object) -> Any:
    raise OperationalError("server closed the connection unexpectedly")


def is_whole() -> bool:
    with connection.cursor() as cursor:
        found: list[tuple[str]] = cursor.execute("PRAGMA integrity_check").fetchall()
    return found == [("ok",)]


@pytest.mark.parametrize("page", ["/password", "/done", "/readyz"])
def test_a_page_says_503_while_the_database_is_away(mailbox: Mailbox, page: str) -> None:
    owner = owner_client(mailbox)
    owner.raise_request_exception = False

    with connection.execute_wrapper(gone):
        away, sent = owner.get(page), save(owner)

    assert (away.status_code, sent.status_code, sent["Retry-After"]) == (503, 503, "30")
    assert "saved are safe" in sent.content.decode()
    assert save(owner)["Location"] == "/done"


def test_what_is_our_own_mistake_stays_a_500(mailbox: Mailbox) -> None:
    owner = owner_client(mailbox)
    owner.raise_request_exception = False

    def stumbles(*_statement: object) -> Any:
        raise RuntimeError

    with connection.execute_wrapper(stumbles):
        assert owner.get("/password").status_code == 500


@sqlite_only
def test_a_locked_database_says_503_and_goes_on_when_it_is_free(mailbox: Mailbox) -> None:
    owner = owner_client(mailbox)
    owner.raise_request_exception = False
    other = factories.make_mailbox("berta", domain=mailbox.domain)
    first_login, secret = factories.make_first_login(other)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {RIGHT_AWAY_MS}")
    writer = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")

    tries = {save(owner).status_code, sign_in(owner, other.address, secret, locator=first_login.locator).status_code}
    writer.execute("ROLLBACK")
    writer.close()

    assert tries == {503}
    assert (Push.objects.count(), Attempts.objects.filter(bucket__startswith="address:").count()) == (0, 0)
    assert not Event.objects.filter(mailbox=other, action=Event.Action.SIGNED_IN).exists()
    assert save(owner)["Location"] == "/done"
    assert sign_in(owner, other.address, secret, locator=first_login.locator).status_code == 302
    assert is_whole()
    connection.close()


@sqlite_only
def test_a_full_disk_says_503_saves_nothing_by_half_and_goes_on_when_there_is_room(
    mailbox: Mailbox, record_property: Callable[[str, object], None]
) -> None:
    owner = owner_client(mailbox)
    owner.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")

    answers = [save(owner).status_code for _ in range(60)]
    saved = answers.count(302)
    mailbox.refresh_from_db()
    told = Event.objects.filter(mailbox=mailbox, action=Event.Action.PASSWORD_SET).count()

    assert set(answers) == {302, 503}
    assert (mailbox.version, Push.objects.count(), told) == (saved, saved, saved)
    assert is_whole()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1000000000")
    assert save(owner)["Location"] == "/done"
    assert FirstLogin.objects.filter(consumed_at=None).count() == 0
    record_property("F11", f"{saved} saved, {answers.count(503)} times 503, 0 corrupt")
    connection.close()
