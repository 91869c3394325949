"""Take the pictures of the mail program guide anew from a demo of its own.

    python -m sandbox.guide_pictures [FOLDER]

The owner is the demo's first to try; by default the pictures go to docs/images. A person who sets a mail program up
can follow them alone.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from .check import DESKTOP, PHONE, browser, page_of, read_invitation
from .demo import FIRST_TO_TRY, bring_up
from .stack import ROOT, Ports, Stack

PASSWORD = "Vier-Heurige-Brettljause-9"

# Name of the picture, page, size: from the first question to the last step of three programs.
PICTURES = (
    ("guide-programs", "/guide", PHONE),
    ("guide-protocol", "/guide/thunderbird", PHONE),
    ("guide-thunderbird", "/guide/thunderbird/imap", PHONE),
    ("guide-outlook", "/guide/outlook/pop3", PHONE),
    ("guide-apple", "/guide/iphone/imap", PHONE),
    ("guide-sheet", "/guide/sheet", DESKTOP),
)


def signed_in(chromium: Browser, stack: Stack) -> Page:
    """The owner's page right after a new password was saved."""
    page = page_of(chromium, size=PHONE)
    secret = read_invitation(page, stack.mailhost, FIRST_TO_TRY)
    page.locator("pre a").first.click()
    page.locator("[name=secret]").fill(secret)
    page.locator("[data-sign-in] button[type=submit]").click()
    page.locator("#password").fill(PASSWORD)
    page.locator("[data-password] button[type=submit]").click()
    page.wait_for_url("**/done")
    return page


def take(chromium: Browser, stack: Stack, folder: Path) -> list[Path]:
    """Take every picture; returns the files."""
    page = signed_in(chromium, stack)
    files = []
    for name, address, size in PICTURES:
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        page.goto(stack.portal + address)
        file = folder / f"{name}-{size['width']}.png"
        page.screenshot(path=file, full_page=True)
        files.append(file)
    return files


def main() -> int:
    """Bring a demo up on free ports, take the pictures, take it down."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="umzug-guide-") as data, Stack(Path(data), Ports.free()) as stack:
        bring_up(stack, say=False)
        with browser() as chromium:
            for file in take(chromium, stack, folder):
                print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
