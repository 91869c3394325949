"""An owner says on the phone that something is not right, without JavaScript; support closes the case at the desk."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from sandbox.check import PHONE, page_of
from sandbox.stack import Stack

from .pages import at_the_desk, sign_in

NARROW = {"width": 360, "height": 740}


def violations(page: Page) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        broken = Axe().run(page).response["violations"]
        found += [f"{page.url} {one['id']}: {[node['target'] for node in one['nodes']]}" for one in broken]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{page.url} is wider than the screen")
    return found


@pytest.mark.parametrize("language", ["de-AT", "en-GB"])
def test_an_owner_tells_us_on_a_small_phone_without_javascript(chromium: Browser, stack: Stack, language: str) -> None:
    local_part = {"de-AT": "bestellung", "en-GB": "lager"}[language]
    page = page_of(chromium, size=NARROW, language=language, java_script_enabled=False)
    sign_in(page, stack, local_part)
    page.goto(f"{stack.portal}/say")

    page.locator("[name=kind][value=shared]").check()
    page.locator("[name=note]").fill("<script>alert(1)</script>\n{{7*7}}")
    page.locator("main form button[type=submit]").click()

    page.wait_for_url("**/say/thanks")
    page.goto(f"{stack.portal}/say")
    expect(page.locator(".notice li")).to_have_count(1)


def test_its_pages_are_accessible_and_support_closes_the_case(chromium: Browser, stack: Stack) -> None:
    owner = page_of(chromium, size=NARROW, bypass_csp=True)
    sign_in(owner, stack, "office")
    found = []
    owner.goto(f"{stack.portal}/say")
    found += violations(owner)
    owner.locator("main form button[type=submit]").click()
    found += violations(owner)
    owner.locator("[name=kind][value=not_decider]").check()
    owner.locator("[name=note]").fill("Bitte Katharina fragen.")
    owner.locator("main form button[type=submit]").click()
    owner.wait_for_url("**/say/thanks")
    found += violations(owner)

    desk = page_of(chromium, size=PHONE, bypass_csp=True)
    at_the_desk(desk, stack)
    desk.locator(".desk-nav a[href='/staff/cases/']").click()
    found += violations(desk)
    desk.locator("tr", has_text="Katharina fragen").locator("th a").click()
    found += violations(desk)
    desk.locator("[name=answer]").fill("Mit Katharina gesprochen.")
    desk.locator("form[action$='/close/'] button").click()
    desk.wait_for_url("**/staff/cases/")
    expect(desk.get_by_text("Katharina fragen")).to_have_count(0)
    desk.goto(f"{stack.portal}/staff/cases/?state=closed")
    found += violations(desk)

    assert found == []
