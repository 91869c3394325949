"""An admin words an invitation in the browser, sees it in its frame, saves it, and sends it to himself."""

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.check import page_of
from sandbox.seed import STAFF, TO_BE_MADE
from sandbox.stack import Stack

from .pages import at_the_desk
from .test_accessibility import in_both_schemes

SIZES = [(360, 780), (768, 1024), (1280, 900)]


@pytest.fixture
def page(chromium: Browser, stack: Stack) -> Page:
    """Whatever the Content-Security-Policy blocks, the frame with its styles too, ends the test."""
    page = page_of(chromium, size={"width": 1280, "height": 900}, language="en-GB")
    at_the_desk(page, stack)
    return page


def open_wording(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.portal}/staff/")
    page.locator("th a.address", has_text=TO_BE_MADE[0]).click()
    page.get_by_role("link", name="Wording of the mails").click()
    page.get_by_role("link", name="invitation: several people, English").click()


def test_a_wording_is_seen_saved_and_tried(page: Page, stack: Stack) -> None:
    open_wording(page, stack)
    expect(page.get_by_text("This customer gets the standard.")).to_be_visible()
    text = page.locator("#id_text").input_value()
    frame = page.frame_locator("iframe[name=preview]")

    page.locator("#id_text").fill(text.replace("{secret}", "{sekret}"))
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(frame.get_by_text("{sekret} is no variable of this mail.")).to_be_visible()
    page.locator("#id_text").fill(f"{text}\n\nThe cake is for all of you {{{{7*7}}}}.")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(frame.get_by_text("The cake is for all of you {{7*7}}.")).to_be_visible()
    box = frame.get_by_text("Kfp7-mrt4-xwd9-hc3q")
    assert box.evaluate("element => getComputedStyle(element).fontWeight") in ("700", "bold")
    page.get_by_role("button", name="Preview as text").click()
    expect(frame.get_by_text("2. Type this first-login password there:")).to_be_visible()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 1.")).to_be_visible()
    page.get_by_role("button", name="Send a trial to me").click()
    expect(page.get_by_text(f"The trial mail is on its way to {STAFF}.")).to_be_visible()
    stack.await_mail(STAFF)
    (mail,) = stack.mails(STAFF)
    assert mail["subject"].startswith("Trial: ")

    open_wording(page, stack)
    page.get_by_role("button", name="Back to the standard").click()
    expect(page.get_by_text("This customer gets the standard.")).to_be_visible()


def test_the_pages_are_accessible_and_fit(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size={"width": 360, "height": 780}, language="en-GB", bypass_csp=True)
    at_the_desk(page, stack)
    open_wording(page, stack)
    found = in_both_schemes(page)

    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
    page.get_by_role("navigation", name="Where you are").get_by_role("link").last.click()
    found += in_both_schemes(page)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width

    assert found == []
