"""The session store: Django's rows, found by one statement, and nothing else is a session."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DjangosStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> str:
    session = SessionStore()
    session["owner"] = {"mailbox": 7}
    session.save()
    assert session.session_key
    return session.session_key


def test_a_session_is_found_again_with_one_query(key: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        data = SessionStore(key).get("owner")

    assert data == {"mailbox": 7}


def test_djangos_own_store_reads_the_same_row(key: str) -> None:
    assert DjangosStore(key)["owner"] == {"mailbox": 7}


def test_an_expired_session_is_none(key: str) -> None:
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))

    session = SessionStore(key)

    assert session.get("owner") is None
    assert session.session_key is None


@pytest.mark.parametrize("key", ["x" * 32, "A" * 32, "a" * 20 + "\0" * 12, "' OR 1=1 --________________", "ä" * 32])
def test_an_invented_key_finds_nothing_and_is_not_kept(key: str) -> None:
    session = SessionStore(key)

    assert session.get("owner") is None
    assert session.session_key is None


def test_what_was_tampered_with_in_the_database_is_empty(key: str) -> None:
    Session.objects.filter(pk=key).update(session_data="eyJvd25lciI6MX0:forged:signature")

    assert SessionStore(key).get("owner") is None


def test_each_new_session_has_a_key_of_its_own() -> None:
    keys = set()
    for _turn in range(20):
        session = SessionStore()
        session.create()
        keys.add(session.session_key)

    assert len(keys) == 20
    assert {len(one or "") for one in keys} == {40}


def test_a_session_is_changed_by_one_statement(key: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    session = SessionStore(key)
    session["owner"] = {"mailbox": 8}

    with django_assert_num_queries(1):
        session.save()

    assert SessionStore(key)["owner"] == {"mailbox": 8}
    assert DjangosStore(key).get_expiry_date() > timezone.now()


def test_a_session_that_ended_meanwhile_is_not_written_again(key: str) -> None:
    session = SessionStore(key)
    session["owner"] = {"mailbox": 8}
    Session.objects.all().delete()

    with pytest.raises(UpdateError):
        session.save()

    assert not Session.objects.exists()


def test_a_key_that_is_taken_is_not_taken_over(key: str) -> None:
    with pytest.raises(CreateError):
        SessionStore(key).save(must_create=True)

    assert SessionStore(key)["owner"] == {"mailbox": 7}
