"""Take the pictures of the contact's list anew from a demo of its own: `python -m sandbox.review_pictures [FOLDER]`.

The contact opens the list he has handed in, takes it back and looks at it; the desk shows his answers. By default the
pictures go to docs/images.
"""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from .check import DESKTOP, PHONE, browser, page_of, staff_signs_in
from .demo import bring_up
from .seed import ANSWERED, CUSTOMER
from .stack import ROOT, Ports, Stack


def enter(page: Page, stack: Stack) -> Page:
    """The contact's page right after he entered the code of his mail."""
    mails = [mail["text"] for mail in stack.mails(CUSTOMER["contact_email"]) if "/c/" in mail["text"]]
    link, code = re.search(r"http://\S+/c/[\w-]{11}", mails[-1]), re.search(r"\b(?:\w{4}-){3}\w{4}\b", mails[-1])
    assert link, "the mail names no link"
    assert code, "the mail shows no code"
    page.goto(link[0])
    page.locator("[name=code]").fill(code[0])
    return page


def take(chromium: Browser, stack: Stack, folder: Path) -> list[Path]:
    """Take every picture; returns the files."""
    files = []

    def picture(page: Page, name: str, *, whole: bool = True) -> None:
        width = (page.viewport_size or DESKTOP)["width"]
        files.append(folder / f"{name}-{width}.png")
        page.screenshot(path=files[-1], full_page=whole)

    desk = page_of(chromium, size=DESKTOP)
    staff_signs_in(desk, stack)
    desk.goto(f"{stack.portal}/staff/reviews/")
    picture(desk, "review-lists")
    desk.locator("tbody a", has_text=ANSWERED).click()
    picture(desk, "review-desk")
    contact = enter(page_of(chromium, size=PHONE), stack)
    picture(contact, "review-code")
    contact.locator("main form button[type=submit]").click()
    contact.wait_for_url("**/review")
    picture(contact, "review-handed-in")
    contact.locator("form[action$='/review/reopen'] button").click()
    picture(contact, "review")
    contact.locator(".domains a").click()
    picture(contact, "review-lines", whole=False)
    contact.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    picture(contact, "review-lines", whole=False)
    contact.goto(f"{stack.portal}/review/submit")
    picture(contact, "review-submit")
    contact.goto(f"{stack.portal}/review/progress")
    picture(contact, "review-progress")
    return files


def main() -> int:
    """Bring a demo up on free ports, take the pictures, take it down."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="umzug-review-") as data, Stack(Path(data), Ports.free()) as stack:
        bring_up(stack, say=False)
        with browser() as chromium:
            for file in take(chromium, stack, folder):
                print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
