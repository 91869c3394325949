"""A domain that is on mailcow already, imported by its API."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from migration.imports import mailcow_domain, run
from migration.imports.rows import ParsedFile
from migration.models import Alias, Domain, Mailbox
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_domain

pytestmark = pytest.mark.django_db
RECORDINGS = Path(__file__).parent.parent / "contract" / "recordings"


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))["body"]


def parsed(mailboxes: Any, aliases: Any, domain: str = "demo.example") -> ParsedFile:
    return mailcow_domain.parse(json.dumps({"mailboxes": mailboxes, "aliases": aliases}).encode(), domain=domain)


def box(address: str, **columns: Any) -> dict[str, Any]:
    return {"username": address, "name": "", "quota": 0, "quota_used": 0, "active": 1} | columns


def test_what_a_real_mailcow_answered_is_read_without_a_mistake() -> None:
    documents = {"mailboxes": recorded("get-mailbox-reduced"), "aliases": recorded("get-alias-all-domain")}

    read = mailcow_domain.parse(mailcow_domain.kept(documents, "demo.example"), domain="demo.example")

    assert read.errors == []
    assert len(read.rows) > 3
    assert {row.address.domain for row in read.rows} == {"demo.example"}
    assert ("info", ("anna@demo.example",)) in [(alias.address.local_part, alias.goto) for alias in read.aliases]
    assert {row.last_login for row in read.rows} == {None}


def test_sizes_kinds_and_what_is_switched_off() -> None:
    boxes = [
        box("anna@demo.example", name="Anna Gruber", quota=1024**3, quota_used=1),
        box("office@demo.example", quota="1048577", active="2"),
        box("off@demo.example", active=0),
        box("eva@other.example"),
    ]
    aliases = [
        {"address": "@demo.example", "goto": "anna@demo.example", "active": 1},
        {"address": "spam@demo.example", "goto": "spam@localhost", "active": 1},
    ]

    read = parsed(boxes, aliases)

    assert read.errors == []
    assert [(row.line, row.name, row.quota_mib, row.used_mib, row.kind) for row in read.rows] == [
        (1, "Anna Gruber", 1024, 1, "personal"),
        (2, "", 2, 0, "shared"),
    ]
    assert [str(alias.address) for alias in read.aliases] == ["*@demo.example"]
    assert [note.code for note in read.notes] == ["other_domains", "mailcow_target", "switched_off"]


@pytest.mark.parametrize("none", [{}, [], None])
def test_no_mailbox_is_told_whatever_mailcow_says_for_none(none: Any) -> None:
    assert [error.code for error in parsed(none, none).errors] == ["no_rows"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"mailboxes": 5}', b'{"mailboxes": [5]}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_answer_of_mailcow_is_refused(content: bytes) -> None:
    read = mailcow_domain.parse(content, domain="demo.example")

    assert [error.code for error in read.errors] in (["mailcow_json"], ["not_utf8"], ["no_rows"])
    assert read.rows == []


@pytest.mark.parametrize(
    ("columns", "column", "code"),
    [
        ({"username": 7}, "mailboxes[1].address", "no_at"),
        ({"name": ["Anna"]}, "mailboxes[1].name", "name_characters"),
        ({"quota": "much"}, "mailboxes[1].quota_mib", "quota"),
        ({"quota_used": 1.5}, "mailboxes[1].used_mib", "used"),
        ({"quota_used": True}, "mailboxes[1].used_mib", "used"),
    ],
)
def test_a_value_of_another_type_is_a_mistake_in_its_column(columns: dict[str, Any], column: str, code: str) -> None:
    read = parsed([box("anna@demo.example", **columns)], [])

    assert [(error.column, error.code) for error in read.errors] == [(column, code)]


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


def test_the_mailcow_of_the_settings_is_asked_and_a_second_time_changes_nothing(
    domain: Domain, mailcow: MailcowStandIn
) -> None:
    mailcow.add_domain("other.example")
    mailcow.add_mailbox("anna@demo.example", name="Anna Gruber", quota=1024**3)
    mailcow.add_mailbox("eva@other.example")
    requests.post(
        f"{mailcow.url}/api/v1/add/alias",
        json={"address": "info@demo.example", "goto": "anna@demo.example", "active": "1"},
        headers={"X-API-Key": mailcow.api_key},
        timeout=10,
    ).raise_for_status()

    said = [said_by_command("mailcow:") for _ in range(2)]

    assert "Imported: 2 new, 0 changed." in said[0]
    assert "Imported: 0 new, 0 changed." in said[1]
    anna = Mailbox.objects.get()
    assert (anna.local_part, anna.name, anna.quota_mib, anna.legacy_hash) == ("anna", "Anna Gruber", 1024, None)
    assert Alias.objects.get().goto == "anna@demo.example"


def test_a_mailcow_that_does_not_answer_changes_nothing(domain: Domain, mailcow: MailcowStandIn) -> None:
    mailcow.add_mailbox("anna@demo.example")
    mailcow.faults.down()

    with pytest.raises(CommandError, match="mailcow does not tell"):
        said_by_command("mailcow:")

    assert not Mailbox.objects.exists()


def test_a_domain_mailcow_does_not_know_brings_nobody_elses_mailboxes(domain: Domain, mailcow: MailcowStandIn) -> None:
    mailcow.add_mailbox("eva@other.example")

    with pytest.raises(CommandError):
        said_by_command("mailcow:")

    assert not Mailbox.objects.exists()


def said_by_command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("import_mailboxes", *arguments, "--domain", "demo.example", stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_two_lists_can_come_as_a_file_too() -> None:
    domain = make_domain("demo.example")
    content = json.dumps({"mailboxes": [box("anna@demo.example")], "aliases": {}}).encode()

    assert run.guess_format(content, "domain.json") == run.guess_format(content, "-") == "mailcow"
    assert run.apply(domain, run.read(content, domain), actor="staff:eva").new == 1
