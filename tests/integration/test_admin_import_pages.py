"""The admin's import pages: filters, pages, the table to keep, asking again who it is, following a worker."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from migration import tasks
from migration.models import Domain, Event, ImportRun, Mailbox
from tests.factories import make_domain, make_mailbox
from tests.integration.proof import is_asked, proven_long_ago, proves_who_it_is

pytestmark = pytest.mark.django_db

ADD = "/admin/migration/importrun/add/"
OLD = "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8"
LONG = 5_001
State = ImportRun.State


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


@pytest.fixture
def admin(admin_client_mfa: Client) -> Client:
    admin_client_mfa.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    proves_who_it_is(admin_client_mfa)
    return admin_client_mfa


def boxes(number: int) -> str:
    return "address,name\n" + "".join(f"m{n:06}@demo.example,Box {n}\n" for n in range(number))


def upload(client: Client, domain: Domain, content: str, **fields: str) -> ImportRun:
    file = SimpleUploadedFile("boxes.csv", content.encode(), content_type="text/csv")
    answer = client.post(ADD, {"domain": domain.pk, "encoding": "utf-8", "file": file} | fields)
    assert answer.status_code == 302, answer.content.decode()
    return ImportRun.objects.latest("pk")


def page(run: ImportRun, verb: str = "change") -> str:
    return reverse(f"admin:migration_importrun_{verb}", args=[run.pk])


def text(answer: Any) -> str:
    content: str = answer.content.decode()
    return content


def table(client: Client, run: ImportRun) -> list[list[str]]:
    content = text(client.get(page(run, "report")))
    assert content.startswith("\ufeff")
    return list(csv.reader(io.StringIO(content[1:]), delimiter=";"))


# --- Upload or paste --------------------------------------------------------------------------------------------------


def test_a_table_may_be_pasted(admin: Client, domain: Domain) -> None:
    answer = admin.post(
        ADD, {"domain": domain.pk, "encoding": "cp1252", "content": "address,name\r\nanna@demo.example,Jörg\r\n"}
    )

    run = ImportRun.objects.get()
    assert answer.headers["Location"] == page(run)
    assert (run.file_name, run.file_format, run.rows) == ("pasted", "csv", 1)
    proves_who_it_is(admin)
    admin.post(page(run, "confirm"))
    assert Mailbox.objects.get().name == "Jörg"


def test_a_passwd_file_that_is_pasted_is_known_by_its_look_and_may_be_named(admin: Client, domain: Domain) -> None:
    for chosen in ("", "passwd"):
        admin.post(
            ADD, {"domain": domain.pk, "encoding": "utf-8", "content": f"anna:{OLD}:::Anna::\n", "file_format": chosen}
        )

    assert [run.file_format for run in ImportRun.objects.all()] == ["passwd", "passwd"]


@pytest.mark.parametrize("both", [True, False])
def test_a_file_or_its_content_but_one_of_them(both: bool, admin: Client, domain: Domain) -> None:
    fields: dict[str, Any] = {"domain": domain.pk, "encoding": "utf-8", "content": " \r\n"}
    if both:
        fields |= {"file": SimpleUploadedFile("b.csv", b"address\na@demo.example\n"), "content": "address\n"}

    answer = admin.post(ADD, fields)

    assert "Choose a file or paste its content: one of them." in text(answer)
    assert not ImportRun.objects.exists()


# --- Look -------------------------------------------------------------------------------------------------------------


def test_each_group_can_be_looked_at_alone_page_by_page(admin: Client, domain: Domain) -> None:
    run = upload(admin, domain, boxes(250) + "bad address\n")

    overview, third = text(admin.get(page(run))), text(admin.get(f"{page(run)}?group=new&page=3"))

    assert "New: show all 250" in overview
    assert ("m000019@" in overview, "m000020@" in overview) == (True, False)
    assert ("m000199@" in third, "m000200@" in third, "m000249@" in third) == (False, True, True)
    assert "<td>252</td>" in text(admin.get(f"{page(run)}?group=errors"))
    assert "Refused (1)" not in third


@pytest.mark.parametrize("asked", ["?group=staged", "?group=new&page=x", "?group=new&page=99", "?group=done&page=2"])
def test_odd_questions_get_a_page(asked: str, admin: Client, domain: Domain) -> None:
    run = upload(admin, domain, boxes(3))

    assert admin.get(page(run) + asked).status_code == 200


def test_a_changed_row_shows_old_and_new_and_never_a_hash(admin: Client, domain: Domain) -> None:
    make_mailbox("anna", domain=domain, name="Anna", quota_mib=100)

    run = upload(admin, domain, f"address,name,quota_mib\nanna@demo.example,{OLD},200\n")

    for answer in (text(admin.get(page(run))), text(admin.get(f"{page(run)}?group=changed"))):
        assert "name: <del>Anna</del> → <ins>(not shown)</ins>" in answer
        assert "quota: <del>100</del> → <ins>200</ins>" in answer
        assert OLD not in answer
    assert OLD not in str(table(admin, run))


def test_twice_as_many_rows_cost_the_same_number_of_queries(admin: Client, domain: Domain) -> None:
    runs = [upload(admin, domain, boxes(number)) for number in (400, 800)]
    for kind in ("change", "report"):
        counts = []
        for run in runs:
            with CaptureQueriesContext(connection) as queries:
                admin.get(page(run, kind))
            counts.append(len(queries))
        assert counts[0] == counts[1]


def test_the_history_costs_the_same_for_any_number_of_runs(admin: Client, domain: Domain) -> None:
    counts = []
    for _time in range(2):
        upload(admin, domain, boxes(1))
        upload(admin, domain, boxes(2))
        with CaptureQueriesContext(connection) as queries:
            answer = text(admin.get(reverse("admin:migration_importrun_changelist")))
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert "boxes.csv" in answer
    assert "waiting for confirmation" in answer


# --- The table to keep ------------------------------------------------------------------------------------------------


def test_the_table_has_every_row_and_no_formula(admin: Client, domain: Domain) -> None:
    make_mailbox("anna", domain=domain, name="=cmd|'/c calc'!A1")

    run = upload(admin, domain, "address,name\nanna@demo.example,@SUM(1+1)\n-x@demo.example,+1\n" + boxes(120)[13:])
    rows = table(admin, run)

    assert rows[0] == ["Group", "Line", "Address", "Kind", "Column", "Before", "After", "Remark"]
    assert ["Changed", "2", "anna@demo.example", "mailbox", "name", "'=cmd|'/c calc'!A1", "'@SUM(1+1)", ""] in rows
    assert [row[2] for row in rows if row[1] == "3"] == ["'-x@demo.example"]
    assert len(rows) == 1 + 122
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@")]


def test_a_row_that_never_was_is_in_no_table(admin: Client, domain: Domain) -> None:
    run = upload(admin, domain, boxes(3))
    admin.post(page(run, "discard"))

    assert len(table(admin, run)) == 1


# --- Confirm ----------------------------------------------------------------------------------------------------------


def test_who_has_not_just_proven_who_he_is_is_asked_and_the_import_goes_on(admin: Client, domain: Domain) -> None:
    run = upload(admin, domain, boxes(3))
    proven_long_ago(admin)

    asked = admin.post(page(run, "confirm"))
    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not Mailbox.objects.exists()

    answer = proves_who_it_is(admin, next=page(run, "confirm"))
    assert answer.headers["Location"] == page(run)
    assert Mailbox.objects.count() == 3


def test_a_file_is_asked_for_only_after_a_proof_and_not_kept_until_then(admin: Client, domain: Domain) -> None:
    proven_long_ago(admin)

    assert is_asked(admin.get(ADD))
    sent = admin.post(ADD, {"domain": domain.pk, "encoding": "utf-8", "content": f"anna:{OLD}:::Anna::\n"})

    assert sent.headers["Location"] == ADD
    assert OLD not in str(dict(admin.session))
    assert not ImportRun.objects.exists()


def test_a_wrong_password_confirms_nothing(admin: Client, domain: Domain) -> None:
    run = upload(admin, domain, boxes(3))
    proven_long_ago(admin)
    admin.post(page(run, "confirm"))

    answer = admin.post(
        reverse("account_reauthenticate"), {"password": "Staff-Password-2", "next": page(run, "confirm")}
    )

    assert answer.status_code == 200
    assert not Mailbox.objects.exists()


def test_a_proof_is_good_for_five_minutes(admin: Client, domain: Domain) -> None:
    run = upload(admin, domain, boxes(3))
    with time_machine.travel(timezone.now(), tick=False) as clock:
        proves_who_it_is(admin)
        clock.shift(301)
        assert admin.post(page(run, "confirm")).headers["Location"].startswith(reverse("account_reauthenticate"))
        assert not Mailbox.objects.exists()

        proves_who_it_is(admin)
        clock.shift(299)
        assert admin.post(page(run, "confirm")).headers["Location"] == page(run)
    assert Mailbox.objects.count() == 3


@pytest.mark.parametrize("role", [User.Role.SUPPORT, User.Role.READONLY])
@pytest.mark.parametrize("verb", ["confirm", "discard", "resume", "progress", "report"])
def test_other_roles_have_none_of_it_whoever_they_prove_to_be(
    verb: str, role: str, admin: Client, domain: Domain, staff_client: Callable[..., Client]
) -> None:
    run, other = upload(admin, domain, boxes(3)), staff_client(role)
    proves_who_it_is(other)

    for answer in (other.get(page(run, verb), follow=True), other.post(page(run, verb), follow=True)):
        assert answer.status_code in (403, 405)
    run.refresh_from_db()
    assert (run.state, Mailbox.objects.count()) == (State.PREVIEW, 0)


# --- Long files -------------------------------------------------------------------------------------------------------


def test_a_long_file_is_a_worker_s_and_the_page_follows_it(admin: Client, domain: Domain) -> None:
    proves_who_it_is(admin)

    run = upload(admin, domain, boxes(LONG))
    assert run.state == State.COMPARING
    assert "5001 rows are being compared" in text(admin.get(page(run)))
    assert "still being compared" in text(admin.post(page(run, "confirm"), follow=True))
    tasks.work_import(run.pk)
    assert "New: show all 5001" in text(admin.get(page(run)))

    admin.post(page(run, "confirm"))
    assert admin.get(page(run, "progress")).json() == {
        "state": "running",
        "done": 0,
        "rows": LONG,
        "worked_on": False,
    }
    assert "The rows are going in" in text(admin.get(page(run)))
    tasks.work_import(run.pk)

    assert admin.get(page(run, "progress")).json()["state"] == "applied"
    assert "On to the domain at the desk" in text(admin.get(page(run)))
    assert Mailbox.objects.count() == Event.objects.filter(action="imported").count() == LONG


def test_an_admin_calls_a_worker_for_a_run_nobody_works_on(
    admin: Client, domain: Domain, django_capture_on_commit_callbacks: Any
) -> None:
    run = upload(admin, domain, boxes(LONG))
    assert "No worker has taken it up yet." in text(admin.get(page(run)))

    with django_capture_on_commit_callbacks() as calls:
        assert admin.post(page(run, "resume")).headers["Location"] == page(run)

    assert [call.args[:2] for call in calls] == [("work_import", run.pk)]
