"""axe finds nothing, in light and in dark, on any page of the owner's door and the staff desk."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from sandbox.check import DESKTOP, PHONE, page_of, staff_signs_in
from sandbox.stack import Stack

from .pages import save, sign_in


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]


def owner_pages(page: Page, stack: Stack, local_part: str) -> Iterator[str]:
    page.goto(f"{stack.portal}/")
    yield "sign-in"
    sign_in(page, stack, local_part)
    yield "password"
    save(page, "kurz")
    yield "refused"
    save(page)
    page.wait_for_url("**/done")
    yield "done"
    page.goto(f"{stack.portal}/guide")
    yield "guide"
    page.goto(f"{stack.portal}/nowhere")
    yield "not found"


@pytest.mark.parametrize(("scheme", "local_part"), [("light", "sabine.koch"), ("dark", "peter.wolf")])
def test_the_owners_pages_are_accessible(chromium: Browser, stack: Stack, scheme: str, local_part: str) -> None:
    page = page_of(chromium, size=PHONE, color_scheme=scheme, bypass_csp=True)

    found = [sentence for _ in owner_pages(page, stack, local_part) for sentence in violations(page)]

    assert found == []


def test_the_staffs_pages_are_accessible(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=DESKTOP, bypass_csp=True)
    found = []
    page.goto(f"{stack.portal}/staff/")
    found += in_both_schemes(page)
    staff_signs_in(page, stack)
    found += in_both_schemes(page)
    for link in ("th a.address", "tbody a"):
        page.locator(link).first.click()
        found += in_both_schemes(page)

    assert found == []


def in_both_schemes(page: Page) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += violations(page)
    return found
