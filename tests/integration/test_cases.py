"""The owner can say that something is not right: support hears it, and nothing happens by itself."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from migration import cases
from migration.models import Case, Event, Mailbox, Push
from tests import factories

from .door import owner_client, save

KINDS = [kind.value for kind in Case.Kind]


def say(client: Client, kind: str = "not_mine", note: str = "", **more: Any) -> Any:
    return client.post("/say", {"kind": kind, "note": note} | more)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_owner_says_becomes_a_case(mailbox: Mailbox, kind: str) -> None:
    client = owner_client(mailbox)

    response = say(client, kind, "Ask Eva, she knows.")

    assert response["Location"] == "/say/thanks"
    case = Case.objects.get()
    assert (case.mailbox, case.kind, case.note, case.closed_at) == (mailbox, kind, "Ask Eva, she knows.", None)
    event = Event.objects.get(action=Event.Action.CASE_OPENED)
    assert (event.actor, event.mailbox, event.detail) == ("owner", mailbox, {"kind": kind, "case": case.pk})


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_happens_to_the_mailbox_by_itself(mailbox: Mailbox, kind: str) -> None:
    client = owner_client(mailbox)
    before = Mailbox.objects.values().get()

    say(client, kind)

    assert Mailbox.objects.values().get() == before
    assert save(client).status_code == 302
    assert Push.objects.count() == 1


def test_the_answer_is_calm_and_leads_on(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    page = client.post("/say", {"kind": "delete", "note": ""}, follow=True).content.decode()

    assert "nothing is deleted" in page
    assert 'href="/password"' in page


def test_saying_it_again_adds_nothing_while_the_case_is_open(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    first, second = say(client, note="one"), say(client, note="two")

    assert first["Location"] == second["Location"]
    assert [case.note for case in Case.objects.all()] == ["one"]
    assert Event.objects.filter(action=Event.Action.CASE_OPENED).count() == 1


def test_after_it_was_closed_it_may_be_said_again(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    say(client)
    cases.close(Case.objects.get(), actor="staff:eva", answer="Called.")

    say(client)

    assert Case.objects.filter(closed_at=None).count() == 1
    assert Case.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_open_one_case() -> None:
    mailbox = factories.make_mailbox()

    def open_one() -> None:
        try:
            cases.open_case(mailbox, kind=Case.Kind.SHARED, note="", ip=None)
        finally:
            connection.close()

    threads = [threading.Thread(target=open_one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Case.objects.count() == 1
    assert Event.objects.filter(action=Event.Action.CASE_OPENED).count() == 1


def test_three_times_a_day_are_enough(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    answers = [say(client, kind) for kind in KINDS]

    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert "please call us" in answers[-1].content.decode()
    assert Case.objects.count() == 3
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1)):
        assert say(owner_client(mailbox), KINDS[3]).status_code == 302


def test_another_mailbox_has_tries_of_its_own(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    for kind in KINDS:
        say(client, kind)

    assert say(owner_client(factories.make_mailbox("berta", domain=mailbox.domain))).status_code == 302


STRANGE = {
    "script": "<script>alert(1)</script>",
    "template": "{{7*7}} {% debug %}",
    "percent": "%s %(x)s",
    "header": "x\r\nBcc: evil@evil.example",
    "SQL": "'; DROP TABLE migration_case;--",
    "entity": "&lt;b&gt; & \"quoted\" 'single'",
}


@pytest.mark.parametrize("note", STRANGE.values(), ids=STRANGE.keys())
def test_nothing_the_owner_typed_is_interpreted(mailbox: Mailbox, support_client: Client, note: str) -> None:
    say(owner_client(mailbox), note=note)

    case = Case.objects.get()
    assert case.note == note.replace("\r\n", "\n")
    for address in ("/staff/cases/", f"/staff/cases/{case.pk}/", f"/staff/mailboxes/{mailbox.pk}/"):
        page = support_client.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
    shown = support_client.get(f"/staff/cases/{case.pk}/").content.decode()
    assert escape(case.note).replace("\n", "<br>") in shown


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\0b", "ab"),
        ("\x1b[2Ja", "[2Ja"),
        ("a\u202eb\u200bc", "abc"),
        ("  a \t b \n", "a   b"),
        ("a\rb", "a\nb"),
        ("ä" * 1000, "ä" * 1000),
        ("a\r\n" * 500, ("a\n" * 500).strip()),
    ],
)
def test_a_note_is_plain_text(mailbox: Mailbox, typed: str, kept: str) -> None:
    assert say(owner_client(mailbox), note=typed).status_code == 302

    assert Case.objects.get().note == kept


@pytest.mark.parametrize(
    ("kind", "note", "told"),
    [("", "", "choose what fits best"), ("admin", "", "choose what fits best"), ("shared", "x" * 1001, "at most 1000")],
)
def test_what_cannot_be_taken_is_said_and_costs_no_try(mailbox: Mailbox, kind: str, note: str, told: str) -> None:
    client = owner_client(mailbox)

    for _ in range(4):
        response = say(client, kind, note)

    assert response.status_code == 422
    assert told in response.content.decode()
    assert not Case.objects.exists()
    assert say(client).status_code == 302


@pytest.mark.parametrize("page", ["/say", "/say/thanks"])
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_a_stranger_is_sent_to_the_sign_in(client: Client, db: None, page: str, method: str) -> None:
    response = getattr(client, method)(page, {"kind": "not_mine"})

    assert response.status_code in (302, 405)
    assert response.status_code == 405 or response["Location"] == "/"
    assert not Case.objects.exists()


def test_another_mailbox_named_in_the_form_is_ignored_and_written_down(mailbox: Mailbox) -> None:
    other = factories.make_mailbox("berta", domain=mailbox.domain)

    say(owner_client(mailbox), mailbox=str(other.pk))

    assert Case.objects.get().mailbox == mailbox
    assert Event.objects.get(action=Event.Action.FOREIGN_MAILBOX).detail == {"fields": ["mailbox"]}


def test_without_the_forms_token_nothing_is_said(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    client.handler.enforce_csrf_checks = True

    assert say(client).status_code == 403
    assert not Case.objects.exists()


def test_looking_at_the_page_changes_nothing(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    events = Event.objects.count()

    assert [getattr(client, method)("/say").status_code for method in ("get", "head")] == [200, 200]

    assert not Case.objects.exists()
    assert Event.objects.count() == events


def test_what_was_said_is_shown_again_in_german_too(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    say(client, "shared")
    client.post("/language", {"language": "de", "next": "/say"})

    page = client.get("/say").content.decode()

    assert '<html lang="de">' in page
    assert "Das haben Sie uns schon gesagt" in page
