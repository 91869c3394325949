"""Support looks at a mailbox, keeps a note and follows it up, and reads the audit trail: on every width."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from sandbox.check import page_of
from sandbox.stack import Stack

from .pages import at_the_desk

SIZES = [{"width": 360, "height": 740}, {"width": 768, "height": 1024}, {"width": 1280, "height": 900}]


def violations(page: Page) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        broken = Axe().run(page).response["violations"]
        found += [f"{page.url} {one['id']}: {[node['target'] for node in one['nodes']]}" for one in broken]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{page.url} is wider than the screen")
    return found


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
def test_a_note_is_kept_and_followed_up(chromium: Browser, stack: Stack, size: dict[str, int]) -> None:
    page, found = page_of(chromium, size=size, bypass_csp=True), []
    page.goto(f"{stack.portal}/staff/search/?q=office")
    at_the_desk(page, stack)
    page.goto(f"{stack.portal}/staff/search/?q=office")
    page.locator("tbody a.address").first.click()
    expect(page.locator("#situation + p")).to_be_visible()
    found += violations(page)

    page.locator("#notes ~ details summary").press("Enter")
    page.locator("#id_text").fill(f"Ruft am Abend zurück ({size['width']}).")
    page.locator("#id_follow_up_on").fill("2099-12-31")
    found += violations(page)
    page.locator("#notes ~ details button").click()
    expect(page.locator(".notes li").first).to_contain_text("Ruft am Abend zurück")
    found += violations(page)

    page.goto(f"{stack.portal}/staff/follow-ups/")
    found += violations(page)
    page.locator("tbody tr", has_text=f"({size['width']})").locator("button").click()
    expect(page.locator("tbody tr", has_text=f"({size['width']})")).to_have_count(0)
    page.goto(f"{stack.portal}/staff/audit/")
    expect(page.locator("tbody tr").first).to_be_visible()
    found += violations(page)

    assert found == []
