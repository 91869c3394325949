"""Take the picture of a letter anew from a demo of its own: `python -m sandbox.letter_picture [FOLDER]`.

Support prints it as for a real owner, and the file that came is shown. By default the picture goes to docs/images/mail.
"""

import sys
import tempfile
from pathlib import Path

import pypdfium2
from playwright.sync_api import Browser, Page

from .check import DESKTOP, browser, page_of, staff_signs_in
from .demo import bring_up
from .stack import ROOT, Ports, Stack

OWNER = "sabine.koch"
POINTS_TO_PIXELS = 1.5
POSTAL_ADDRESS = """
from migration.models import Customer
Customer.objects.update(postal_address="Dorfplatz 7\\n6020 Innsbruck\\nÖSTERREICH")
"""


def print_letter(page: Page, stack: Stack, owner: str, file: Path) -> None:
    """As support who is signed in: from the search to the file of this owner's letter."""
    stack.manage("shell", "--no-imports", "-c", POSTAL_ADDRESS)
    page.goto(f"{stack.portal}/staff/search/?q={owner}")
    page.locator("tbody a.address").first.click()
    page.locator("a[href*='/letters/?group=selected']").click()
    with page.expect_download() as download:
        page.locator("form.card button[type=submit]").click()
    download.value.save_as(file)


def take(chromium: Browser, stack: Stack, folder: Path) -> Path:
    """Print a letter and show its page; returns the picture."""
    page = page_of(chromium, size=DESKTOP)
    staff_signs_in(page, stack)
    picture = folder / "letter.png"
    with tempfile.TemporaryDirectory() as elsewhere:
        file = Path(elsewhere, "letter.pdf")
        print_letter(page, stack, OWNER, file)
        with pypdfium2.PdfDocument(file) as letters:
            letters[0].render(scale=POINTS_TO_PIXELS).to_pil().convert("L").save(picture, optimize=True)
    return picture


def main() -> int:
    """Bring a demo up on free ports, take the picture, take it down."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="umzug-letter-") as data, Stack(Path(data), Ports.free()) as stack:
        bring_up(stack, say=False)
        with browser() as chromium:
            take(chromium, stack, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
