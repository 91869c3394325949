"""Take the pictures of the desk anew from a demo with its whole campaign: `python -m sandbox.desk_pictures [FOLDER]`.

By default they go to docs/images.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from .check import DESKTOP, browser, page_of, staff_signs_in
from .demo import bring_up
from .stack import ROOT, Ports, Stack

TABLET = {"width": 768, "height": 1024}
PHONE = {"width": 360, "height": 780}
# Half done, with what needs somebody; the mailbox is one of these.
DOMAIN = "gemeinde-stveit.example"
CHECKED = "harbour-events.example"


class Desk:
    """A member of staff at the desk, with a camera."""

    def __init__(self, page: Page, stack: Stack, folder: Path) -> None:
        self.page, self.stack, self.folder = page, stack, folder
        self.files: list[Path] = []

    def picture(self, name: str, *, whole: bool = False) -> None:
        """What the window shows, or the whole page."""
        width = (self.page.viewport_size or DESKTOP)["width"]
        self.files.append(self.folder / f"desk-{name}-{width}.png")
        self.page.screenshot(path=self.files[-1], full_page=whole)

    def overview(self) -> None:
        """The first page."""
        self.page.goto(f"{self.stack.portal}/staff/")
        expect(self.page.locator("main h1").first).to_be_visible()

    def domain(self, name: str) -> None:
        """A domain's page, found by the search as a person would."""
        self.page.goto(f"{self.stack.portal}/staff/search/?q={name}")
        self.page.locator("main a", has_text=name).first.click()
        self.page.wait_for_url("**/staff/domains/*/")

    def sized(self, size: dict[str, int]) -> None:
        """In a window of this size."""
        self.page.set_viewport_size({"width": size["width"], "height": size["height"]})


def take(chromium: Browser, stack: Stack, folder: Path) -> list[Path]:
    """Take every picture; returns the files."""
    page = page_of(chromium, size={"width": 1280, "height": 1000}, language="en-GB")
    desk = Desk(page, stack, folder)
    staff_signs_in(page, stack)
    desk.overview()
    desk.picture("overview")
    page.emulate_media(color_scheme="dark")
    desk.picture("overview-dark")
    page.emulate_media(color_scheme="light")
    desk.domain(DOMAIN)
    desk.picture("domain")
    address = page.url
    page.goto(f"{address}plan/")
    desk.picture("plan")
    page.goto(f"{address}?state=attention")
    page.locator("tbody a.address").first.click()
    page.wait_for_url("**/staff/mailboxes/*/")
    desk.picture("mailbox")
    desk.domain(CHECKED)
    page.goto(f"{page.url}checks/")
    desk.picture("checks")
    page.goto(f"{stack.portal}/staff/audit/")
    desk.picture("audit")
    page.goto(f"{stack.portal}/staff/search/?q=huber")
    desk.picture("search")
    desk.sized(TABLET)
    desk.overview()
    desk.picture("overview")
    desk.sized(PHONE)
    page.goto(f"{address}?state=attention")
    page.locator("tbody a.address").first.click()
    page.wait_for_url("**/staff/mailboxes/*/")
    desk.picture("mailbox")
    return desk.files


def main() -> int:
    """Bring a demo up on free ports, take the pictures, take it down."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="umzug-desk-") as data, Stack(Path(data), Ports.free()) as stack:
        bring_up(stack, say=False, campaign=True)
        with browser() as chromium:
            for file in take(chromium, stack, folder):
                print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
