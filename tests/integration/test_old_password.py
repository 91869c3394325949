"""The old password: it may be kept if it is long enough, and the page is no way to find it out."""

import hashlib
from typing import Any

import bcrypt
import pytest
from django.db import connection
from django.test import Client
from structlog.testing import capture_logs

from migration import schemes
from migration.models import Mailbox, Push
from migration.secrets import Purpose, seal

from .door import GOOD, marked, owner_client, pushed, save

OLD = "Alter-Kaffee-1999"


def with_old(mailbox: Mailbox, stored: str) -> Client:
    """The owner of a mailbox whose old hash this is, signed in."""
    mailbox.legacy_hash = seal(Purpose.LEGACY_HASH, mailbox.address, stored.encode())
    mailbox.save(update_fields=["legacy_hash"])
    return owner_client(mailbox)


def bcrypt_of(password: str) -> str:
    return "{BLF-CRYPT}" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


def test_the_old_password_may_be_kept_n22(mailbox: Mailbox) -> None:
    client = with_old(mailbox, bcrypt_of(OLD))

    assert save(client, OLD).status_code == 302

    push = Push.objects.get()
    assert push.kept_old
    assert pushed(push).startswith("{ARGON2ID}")
    assert "You keep your password: change only the server name." in client.get("/done").content.decode()


def test_by_setting_the_old_hash_itself_is_pushed(mailbox: Mailbox, settings: Any) -> None:
    settings.LEGACY_HASH = "keep"
    stored = bcrypt_of(OLD)
    client = with_old(mailbox, stored)

    save(client, OLD)
    assert pushed(Push.objects.get()) == stored
    save(client, GOOD)
    assert pushed(Push.objects.get(version=2)).startswith("{ARGON2ID}")


def test_a_weak_old_hash_is_never_pushed(mailbox: Mailbox, settings: Any) -> None:
    settings.LEGACY_HASH = "keep"
    client = with_old(mailbox, "{PLAIN-MD5}" + hashlib.md5(OLD.encode()).hexdigest())

    save(client, OLD)

    push = Push.objects.get()
    assert push.kept_old
    assert pushed(push).startswith("{ARGON2ID}")


def test_a_verified_old_password_may_contain_umlauts(mailbox: Mailbox) -> None:
    client = with_old(mailbox, bcrypt_of("Käse-und-Brot-77"))

    assert save(client, "Käse-und-Brot-78").status_code == 422
    assert save(client, "Käse-und-Brot-77").status_code == 302


def test_an_old_password_that_is_too_short_is_told_so_n23(mailbox: Mailbox) -> None:
    client = with_old(mailbox, bcrypt_of("Kaffee-1999"))

    page = save(client, "Kaffee-1999")

    assert "your old password, but it is too short" in page.content.decode()
    assert "your old password, but" not in save(client, "Kaffee-1998").content.decode()


def test_by_setting_the_length_alone_is_asked_of_the_old_password(mailbox: Mailbox, settings: Any) -> None:
    client = with_old(mailbox, bcrypt_of("kaffee und kuchen"))

    assert marked(save(client, "kaffee und kuchen")) == {"upper", "digit"}
    settings.LEGACY_RULES = "length"
    assert save(client, "kaffee und kuchen").status_code == 302


def test_a_scheme_that_cuts_never_counts_as_the_old_password_n24(mailbox: Mailbox) -> None:
    stored = "{DES-CRYPT}rltH.bBNwyPwg"  # of Kaffee81-blau-tor
    assert schemes.verify(stored, "Kaffee81-another")
    client = with_old(mailbox, stored)

    save(client, "Kaffee81-blau-tor")

    assert not Push.objects.get().kept_old


@pytest.mark.parametrize(
    "stored", ["{SSHA}kaputt", "{BLF-CRYPT}$2y$31$x", "{CRYPT}*", "{UNKNOWN}x", "{SHA512-CRYPT}$6$rounds=999999999$a$b"]
)
def test_a_hash_that_cannot_be_checked_leaves_the_rules_alone_n25(mailbox: Mailbox, stored: str) -> None:
    """The corpus wants an event. It is a line of the log: a timeline is for people, who can do nothing about it."""
    client = with_old(mailbox, stored)

    with capture_logs() as lines:
        assert save(client).status_code == 302

    assert not Push.objects.get().kept_old
    assert [(line["event"], line["mailbox"]) for line in lines] == [("old_password_unreadable", mailbox.pk)]
    assert stored not in str(lines)


@pytest.mark.parametrize(
    ("old", "typed"),
    [("1000000000000", "00000000001e12"), ("240610708", "QNKCDZO"), ("100000000000", "1.00000000000e11")],
)
def test_what_php_would_call_equal_is_another_password_n29(
    mailbox: Mailbox, settings: Any, old: str, typed: str
) -> None:
    """mailcow compares loosely: to PHP 1e6 is 1000000, and these two MD5 sums are both nought."""
    settings.LEGACY_RULES, settings.PASSWORD_MIN_LENGTH = "length", 7
    client = with_old(mailbox, "{PLAIN-MD5}" + hashlib.md5(old.encode()).hexdigest())

    assert save(client, typed).status_code == 422
    assert not Push.objects.exists()
    assert save(client, old).status_code == 302
    assert Push.objects.get().kept_old


def test_the_old_password_is_compared_five_times_a_session(mailbox: Mailbox) -> None:
    client = with_old(mailbox, bcrypt_of("Käse-und-Brot-77"))
    for number in range(5):
        save(client, f"Käse-und-Brot-{number}")

    sixth = save(client, "Käse-und-Brot-77")

    assert marked(sixth) == {"ascii"}
    assert not Push.objects.exists()
    again = owner_client(mailbox)
    assert save(again, "Käse-und-Brot-77").status_code == 302


def test_the_clear_text_is_in_no_table(mailbox: Mailbox) -> None:
    client = with_old(mailbox, bcrypt_of(OLD))
    save(client, "zu kurz")
    save(client, OLD)

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            text = repr(cursor.fetchall())
            assert OLD not in text, table
            assert "zu kurz" not in text, table
