"""The page on paper: window, fold marks, one A4 page each, the code a phone reads, and nothing taken for markup."""

import io
from datetime import date
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from migration import printing
from migration.mailings.letters import window
from migration.models import FirstLogin, Mailbox
from migration.printing import Choice, Group
from tests import factories

A4 = (595.28, 841.89)  # points
MM = 72 / 25.4
ODD = r"#set page(width: 1pt) \ <script> $x$ [*_`@é] “Ünï” //"


def page_of(mailbox: Mailbox) -> pypdfium2.PdfPage:
    """The mailbox's letter; it is one page."""
    _row, pdf = printing.print_letters(
        mailbox.domain, Choice(Group.SELECTED, [mailbox.pk]), actor="staff:x", seen=printing.newest(mailbox.domain)
    )
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    assert len(document) == 1
    return document[0]


def text_of(page: pypdfium2.PdfPage) -> str:
    """All its text on one line."""
    return " ".join(page.get_textpage().get_text_bounded().split())


def make(**fields: Any) -> Mailbox:
    """A mailbox whose customer can get letters."""
    customer = {"name": "Bäckerei Müller GmbH", "postal_address": "Größlgasse 7/2\n6020 Innsbruck\nÖSTERREICH"}
    domain = {
        "deadline": fields.pop("deadline", date(2199, 12, 24)),
        "customer": factories.make_customer(**(customer | fields.pop("customer", {}))),
    }
    return factories.make_mailbox(domain=factories.make_domain(fields.pop("at", None), **domain), **fields)


def place(page: pypdfium2.PdfPage, text: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a text in millimetres from the page's upper left corner."""
    content = page.get_textpage()
    found = content.search(text).get_next()
    assert found, text
    boxes = [content.get_charbox(found[0] + offset) for offset in range(found[1])]
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
    return left / MM, (A4[1] - top) / MM, right / MM, (A4[1] - bottom) / MM


@pytest.mark.django_db
def test_the_address_is_in_the_window_of_din_5008_form_b() -> None:
    page = page_of(make(name="Änne Größenwahn"))

    assert page.get_size() == pytest.approx(A4, abs=0.1)
    for line in ("Änne Größenwahn", "c/o Bäckerei Müller GmbH", "Größlgasse 7/2", "6020 Innsbruck", "ÖSTERREICH"):
        left, top, right, bottom = place(page, line)
        assert 20 <= left < right <= 105, line
        assert 62.7 <= top < bottom <= 90, line


@pytest.mark.django_db
@pytest.mark.parametrize("sender", ["Muster Mail GmbH, Größte Gasse 17, 6020 Innsbruck", ""])
def test_where_letters_come_back_to_is_one_line_above_the_address_in_the_window(settings: Any, sender: str) -> None:
    settings.PROVIDER_NAME, settings.PROVIDER_POSTAL_ADDRESS = "Muster Mail", sender

    page = page_of(make(name="Änne Größenwahn"))

    content = page.get_textpage()
    words, above = sender or "Muster Mail", []
    search = content.search(words)
    while found := search.get_next():
        above.append((A4[1] - content.get_charbox(found[0])[3]) / MM)
        left, right = (content.get_charbox(found[0] + at)[side] / MM for at, side in ((0, 0), (found[1] - 1, 2)))
        if 45 <= above[-1] <= 62.7:
            assert 25 <= left < right <= 105
    assert len([top for top in above if 45 <= top <= 62.7]) == 1


@pytest.mark.django_db
def test_the_page_says_what_is_to_be_done_in_the_language_of_the_mailbox(settings: Any) -> None:
    mailbox = make(name="Anna Gruber", local_part="anna", at="demo.example", language="en")

    text = text_of(page_of(mailbox))

    assert "Good day Anna Gruber," in text
    assert "anna@demo.example" in text
    assert settings.PROVIDER_PHONE in text
    assert "24 December 2199" in text
    assert f"{settings.BASE_URL}/s/{FirstLogin.objects.get().locator}" in text


@pytest.mark.django_db
def test_a_phone_reads_the_link_and_no_secret_from_the_square(settings: Any) -> None:
    page = page_of(make())

    [code] = zxingcpp.read_barcodes(page.render(scale=3).to_pil())

    assert code.text == f"{settings.BASE_URL}/s/{FirstLogin.objects.get().locator}"


@pytest.mark.django_db
def test_what_was_imported_is_never_taken_for_markup() -> None:
    mailbox = make(name=ODD, customer={"name": ODD + " GmbH", "postal_address": ODD[:50]})

    page = page_of(mailbox)

    text = text_of(page)
    assert page.get_size() == pytest.approx(A4, abs=0.1)
    assert f"Guten Tag {ODD}," in text or f"Good day {ODD}," in text
    assert f"c/o {ODD} GmbH" in text


@pytest.mark.django_db
@pytest.mark.parametrize("letter", ["W", "Ä ", "ж", "字"])
def test_the_longest_names_stay_on_their_page_and_in_the_window(letter: str) -> None:
    mailbox = make(
        name=(letter * 200)[:200],
        local_part="w" * 64,
        at=f"{'w' * 60}.{'w' * 60}.example",
        customer={"name": f"Firma {letter * 190}"[:200], "postal_address": "\n".join([letter * 60] * 4)},
    )

    page = page_of(mailbox)

    assert "/s/" in text_of(page)
    _left, _top, right, bottom = place(page, "c/o")
    assert right <= 105
    assert bottom <= 90


@pytest.mark.django_db
def test_without_a_name_the_address_stands_in_the_window_and_a_company_is_named_once() -> None:
    assert window(make(local_part="info", at="demo.example"))[0] == "info@demo.example"
    assert window(make(name="Huber", customer={"name": "Huber"}))[:2] == ["Huber", "Größlgasse 7/2"]
