"""Imports in the admin: upload, look, confirm, as an admin and as everybody else sees it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from migration.imports.csv_file import MAX_BYTES
from migration.models import Domain, Event, ImportRun, Mailbox
from tests.factories import make_alias, make_domain, make_first_login, make_mailbox

pytestmark = pytest.mark.django_db

ADD = "/admin/migration/importrun/add/"
OLD = "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8"
MD5 = "$1$o.43fH1c$EapKZBtK6ExFP3.hWba4e0"
DES = "{CRYPT}ab1cdefghijkl"
BROKEN = "{SSHA}dG9vc2hvcnRUT09TSE9SVA=="
SECRETS = [stored.rpartition("}")[2] for stored in (OLD, MD5, DES, BROKEN)]
FILE = (
    "address,name,kind,password_hash,goto\n"
    f"anna@demo.example,<b>Anna</b>,,{OLD},\n"
    f"ben@demo.example,Ben,,{MD5},\n"
    f"clara@demo.example,Clara,,{DES},\n"
    f"dora@demo.example,Dora,,{BROKEN},\n"
    "info@demo.example,,alias,,anna@demo.example\n"
    "fax@demo.example,Fax,,,\n"
)


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


@pytest.fixture
def admin(admin_client_mfa: Client) -> Client:
    admin_client_mfa.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    admin_client_mfa.post(reverse("account_reauthenticate"), {"password": "Staff-Password-1"})
    return admin_client_mfa


def upload(client: Client, domain: Domain, content: str | bytes = FILE, name: str = "boxes.csv", **fields: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile(name, data, content_type="text/csv")
    return client.post(ADD, {"domain": domain.pk, "encoding": "utf-8", "file": file} | fields)


def uploaded(client: Client, domain: Domain, content: str | bytes = FILE) -> ImportRun:
    answer = upload(client, domain, content)
    assert answer.status_code == 302, answer.content.decode()
    run = ImportRun.objects.latest("pk")
    assert answer.headers["Location"] == page(run)
    return run


def page(run: ImportRun, verb: str = "change") -> str:
    return reverse(f"admin:migration_importrun_{verb}", args=[run.pk])


def text(answer: Any) -> str:
    content: str = answer.content.decode()
    return content


def test_the_list_leads_to_the_form_with_the_domain_chosen(admin: Client, domain: Domain) -> None:
    assert ADD in text(admin.get(reverse("admin:migration_importrun_changelist")))
    form = text(admin.get(f"{ADD}?domain={domain.pk}"))
    assert f'<option value="{domain.pk}" selected>' in form


def test_a_file_waits_sealed_and_changes_nothing_before_the_yes(admin: Client, domain: Domain) -> None:
    run = uploaded(admin, domain)

    assert run.state == ImportRun.State.PREVIEW
    assert run.actor.startswith("staff:")
    assert not Mailbox.objects.exists()
    assert not Event.objects.exists()
    assert not any(secret.encode() in bytes(run.staged or b"") for secret in SECRETS)
    assert b"anna" not in bytes(run.staged or b"")
    assert run.summary["preview"]["new"] == 5
    assert run.summary["preview"]["errors"] == 1


def test_the_preview_shows_mistakes_first_and_every_group(admin: Client, domain: Domain) -> None:
    make_mailbox("ben", domain=domain, name="Ben", legacy=OLD)
    make_mailbox("gone", domain=domain)
    make_alias("fax", goto="ben@demo.example", domain=domain)

    answer = text(admin.get(page(uploaded(admin, domain))))

    headings = ["What would change", "Old passwords", "Refused (1)", "In conflict (1)", "Not in the file (1)"]
    headings += ["Changed (1)", "New (3)", "Good to know (1)"]
    places = [answer.index(f"<h2>{heading}</h2>") for heading in headings]
    assert places == sorted(places)
    assert "<td>5</td><td>password_hash</td>" in answer
    assert "old password: <del>SSHA</del> → <ins>MD5-CRYPT</ins>" in answer
    assert "gone@demo.example" in answer


def test_confirming_imports_the_good_rows_and_forgets_the_others(admin: Client, domain: Domain) -> None:
    run = uploaded(admin, domain)

    answer = admin.post(page(run, "confirm"), follow=True)

    run.refresh_from_db()
    assert (run.state, run.staged) == (ImportRun.State.APPLIED, None)
    assert run.applied_at is not None
    assert run.summary["applied"] == {"new": 5, "changed": 0, "unchanged": 0, "done": 0, "conflicts": 0}
    assert "Imported: 5 new, 0 changed." in text(answer)
    assert set(Mailbox.objects.values_list("local_part", flat=True)) == {"anna", "ben", "clara", "fax"}
    assert {event.actor for event in Event.objects.all()} == {run.actor}
    assert Event.objects.filter(action="imported").count() == 4


def test_confirming_looks_at_the_database_again(admin: Client, domain: Domain) -> None:
    run = uploaded(admin, domain)
    mailbox = make_mailbox("anna", domain=domain, state=Mailbox.State.ACTIVE, name="<b>Anna</b>")

    admin.post(page(run, "confirm"))

    run.refresh_from_db()
    mailbox.refresh_from_db()
    assert (run.summary["preview"]["done"], run.summary["applied"]["done"]) == (0, 1)
    assert (mailbox.state, mailbox.legacy_hash) == (Mailbox.State.ACTIVE, None)


def test_a_file_that_changes_nothing_offers_nothing_to_confirm(admin: Client, domain: Domain) -> None:
    make_mailbox("anna", domain=domain)

    answer = text(admin.get(page(uploaded(admin, domain, "address\nanna@demo.example\n"))))

    assert "There is nothing to import." in answer
    assert page(ImportRun.objects.get(), "confirm") not in answer


def test_a_second_click_is_refused(admin: Client, domain: Domain) -> None:
    run = uploaded(admin, domain)
    admin.post(page(run, "confirm"))
    events = Event.objects.count()

    for verb in ("confirm", "discard"):
        assert "decided already" in text(admin.post(page(run, verb), follow=True))

    run.refresh_from_db()
    assert run.state == ImportRun.State.APPLIED
    assert Event.objects.count() == events


def test_discarding_forgets_the_file(admin: Client, domain: Domain) -> None:
    run = uploaded(admin, domain)

    admin.post(page(run, "discard"))

    run.refresh_from_db()
    assert (run.state, run.staged, run.applied_at) == (ImportRun.State.DISCARDED, None, None)
    assert not Mailbox.objects.exists()
    assert "decided already" in text(admin.post(page(run, "confirm"), follow=True))


def test_a_day_later_the_file_must_be_uploaded_again(admin: Client, domain: Domain) -> None:
    run = uploaded(admin, domain)
    ImportRun.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))

    assert "more than a day old" in text(admin.get(page(run)))
    assert "more than a day old" in text(admin.post(page(run, "confirm"), follow=True))

    assert not Mailbox.objects.exists()
    uploaded(admin, domain)
    run.refresh_from_db()
    assert run.staged is None


def test_what_another_key_sealed_cannot_be_confirmed(admin: Client, domain: Domain, settings: Any) -> None:
    run = uploaded(admin, domain)
    other = uploaded(admin, domain)
    ImportRun.objects.filter(pk=run.pk).update(staged=other.staged)

    admin.post(page(run, "confirm"))

    assert not Mailbox.objects.exists()


def test_no_page_shows_a_hash_or_lets_html_through(admin: Client, domain: Domain) -> None:
    make_mailbox("ben", domain=domain, legacy=OLD)
    run = uploaded(admin, domain)
    pages = [text(admin.get(page(run)))]
    pages.append(text(admin.post(page(run, "confirm"), follow=True)))
    pages.append(text(admin.get(page(run))))
    pages.append(text(admin.get(reverse("admin:migration_importrun_changelist"))))
    pages.append(text(upload(admin, domain, f"{OLD},{DES}\n{MD5},x\n")))
    pages.append(text(upload(admin, domain, FILE, name="<script>.csv", encoding="latin")))
    mailbox = Mailbox.objects.get(local_part="anna")
    pages.append(text(admin.get(reverse("admin:migration_mailbox_change", args=[mailbox.pk]))))

    for each in pages:
        assert not [secret for secret in SECRETS if secret in each]
        assert "<b>Anna" not in each
        assert " style=" not in each
        assert "<script>" not in each
    assert not [secret for secret in SECRETS if secret in json.dumps(ImportRun.objects.values_list("summary")[0])]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "empty"),
        ("address\n", "There is no mailbox in the file."),
        ("address;colour\nanna@demo.example;red\n", "There is no column “colour”."),
        (b"PK\x03\x04rest", "Please save the table as CSV."),
        ("address,name\nanna@demo.example,Jörg\n".encode("cp1252"), "choose “Windows (cp1252)”"),
        ("address\nanna@other.example\n", "belongs to another domain"),
        (b"0" * (MAX_BYTES + 1), "larger than 20 MB"),
    ],
)
def test_a_file_without_a_good_row_is_refused_on_the_form(
    admin: Client, domain: Domain, content: str | bytes, sentence: str
) -> None:
    answer = upload(admin, domain, content)

    assert answer.status_code == 200
    assert sentence in text(answer)
    assert not ImportRun.objects.exists()


def test_cp1252_is_read_when_it_is_chosen(admin: Client, domain: Domain) -> None:
    upload(admin, domain, "address,name\nanna@demo.example,Jörg\n".encode("cp1252"), encoding="cp1252")
    admin.post(page(ImportRun.objects.get(), "confirm"))

    assert Mailbox.objects.get().name == "Jörg"


def tried(client: Client, domain: Domain, run: ImportRun) -> list[Any]:
    """Every page and verb, each followed to where it ends."""
    answers = [upload(client, domain)]
    answers += [client.post(page(run, verb)) for verb in ("confirm", "discard")]
    assert [answer.status_code for answer in answers] == [302] * 3
    assert ImportRun.objects.get().state == ImportRun.State.PREVIEW
    answers = [client.get(answer.headers["Location"], follow=True) for answer in answers]
    pages = (ADD, page(run), reverse("admin:migration_importrun_changelist"))
    return answers + [client.get(each, follow=True) for each in pages]


@pytest.mark.parametrize("role", [User.Role.SUPPORT, User.Role.READONLY])
def test_other_roles_may_not_import(
    role: str, domain: Domain, admin: Client, staff_client: Callable[..., Client]
) -> None:
    answers = tried(staff_client(role), domain, uploaded(admin, domain))

    assert [answer.status_code for answer in answers] == [403] * 6


@pytest.mark.parametrize("who", ["a stranger", "an owner"])
def test_who_is_not_staff_is_sent_to_the_sign_in(who: str, domain: Domain, admin: Client) -> None:
    client = Client()
    if who == "an owner":
        first_login, secret = make_first_login(make_mailbox("anna"))
        client.post(f"/s/{first_login.locator}", {"address": first_login.mailbox.address, "secret": secret})
        assert client.get("/password").status_code == 200

    for answer in tried(client, domain, uploaded(admin, domain)):
        assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_links_alone_change_nothing(admin: Client, domain: Domain) -> None:
    run = uploaded(admin, domain)

    assert [admin.get(page(run, verb)).status_code for verb in ("confirm", "discard")] == [405, 405]
    assert admin.post(page(run), {"state": "applied"}).status_code in (200, 405)
    assert admin.get(page(run).replace(f"/{run.pk}/", "/x/")).status_code == 404
    run.refresh_from_db()
    assert run.state == ImportRun.State.PREVIEW
