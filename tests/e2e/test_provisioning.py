"""An admin makes a domain on mailcow in the browser: looks, reads the findings, begins, and watches it end."""

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.check import PHONE, page_of
from sandbox.seed import TO_BE_MADE
from sandbox.stack import Stack

from .pages import at_the_desk
from .test_accessibility import in_both_schemes

WORKER_MS = 60_000


def of_domain(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.portal}/staff/")
    page.locator("th a.address", has_text=TO_BE_MADE[0]).click()
    page.get_by_role("link", name="not checked yet").click()


@pytest.fixture
def page(chromium: Browser, stack: Stack) -> Page:
    page = page_of(chromium, size=PHONE, language="en-GB", bypass_csp=True)
    at_the_desk(page, stack)
    return page


def test_a_domain_is_made_by_a_worker_while_the_page_looks_on(page: Page, stack: Stack) -> None:
    of_domain(page, stack)
    found = in_both_schemes(page)

    page.get_by_role("button", name="Check the new server").click()
    expect(page.get_by_text("Not there yet: 1 domain, 4 mailboxes, 2 aliases.")).to_be_visible(timeout=WORKER_MS)
    found += in_both_schemes(page)
    page.get_by_role("button", name="Make what is missing").click()
    expect(page.get_by_text("made: 7")).to_be_visible(timeout=WORKER_MS)
    found += in_both_schemes(page)

    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_label("Where you are").get_by_role("link", name=TO_BE_MADE[0]).click()
    expect(page.get_by_text("making on the new server ended")).to_be_visible()
