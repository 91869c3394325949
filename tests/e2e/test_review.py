"""Staff send the contact a list; he answers it on a telephone, with and without JavaScript; staff carry it out."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.seed import ANSWERED, CUSTOMER, TO_BE_MADE
from sandbox.stack import Stack

from .pages import at_the_desk

DOMAIN = TO_BE_MADE[0]
CONTACT = CUSTOMER["contact_email"]


def violations(page: Page) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        broken = Axe().run(page).response["violations"]
        found += [f"{page.url} {one['id']}: {[node['target'] for node in one['nodes']]}" for one in broken]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{page.url} is wider than the screen")
    return found


def about(stack: Stack, domain: str) -> list[str]:
    """The mails with a code for the list of this domain."""
    return [mail["text"] for mail in stack.mails(CONTACT) if "/c/" in mail["text"] and domain in mail["text"]]


def enter(page: Page, stack: Stack, domain: str) -> None:
    """Follow the link of the newest mail about the domain and enter its code."""
    mails = about(stack, domain)
    for _ in range(60):
        if mails:
            break
        page.wait_for_timeout(500)
        mails = about(stack, domain)
    link = re.search(r"http://\S+/c/[\w-]{11}", mails[-1])
    code = re.search(r"\b\S{4}-\S{4}-\S{4}-\S{4}\b", mails[-1])
    assert link
    assert code
    page.goto(link[0])
    page.locator("[name=code]").fill(code[0])
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/review")


def test_from_the_desk_to_the_contact_and_back(chromium: Browser, stack: Stack) -> None:
    desk = page_of(chromium, size=DESKTOP, bypass_csp=True)
    at_the_desk(desk, stack)
    desk.locator("tr", has_text=DOMAIN).locator("th a.address").click()
    desk.locator("dd a[href$='/review/']").first.click()
    found = violations(desk)
    desk.locator("form[action$='/review/send/'] button").click()
    expect(desk.locator(".notice.good")).to_be_visible()
    address = desk.url

    contact = page_of(chromium, size=PHONE, bypass_csp=True)
    enter(contact, stack, DOMAIN)
    found += answer_and_hand_in(contact, stack)

    desk.goto(address)
    row = desk.locator("tr", has_text="hedwig.aigner@")
    expect(row).to_contain_text("Hedwig Aigner-Huber")
    found += violations(desk)
    desk.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += violations(desk)
    row.locator("form[action$='/apply/'] button").click()
    expect(desk.locator("tr", has_text="hedwig.aigner@")).to_have_count(0)
    desk.goto(f"{stack.portal}/staff/reviews/")
    found += violations(desk)
    assert found == []


def answer_and_hand_in(page: Page, stack: Stack) -> list[str]:
    """From the overview to handed in and its progress; what axe finds on the way."""
    found = violations(page)
    page.locator(".domains a").click()
    found += violations(page)
    answer_with_the_keyboard(page)
    found += violations(page)
    page.reload()
    expect(page.locator("[data-line]", has_text="hedwig.aigner@").locator("select")).to_have_value("person")
    page.goto(f"{stack.portal}/review/submit")
    found += violations(page)
    page.locator("[name=name]").fill("Katharina Sonnleitner")
    page.locator("[name=name]").press("Enter")
    page.wait_for_url("**/review")
    found += violations(page)
    page.locator(".domains a").click()
    found += violations(page)
    page.goto(f"{stack.portal}/review/progress")
    return found + violations(page)


def answer_with_the_keyboard(page: Page) -> None:
    """Another person for one line, by keys only; a refused alias for the next; each saved or refused by itself."""
    first = page.locator("[data-line]", has_text="hedwig.aigner@")
    first.locator("select").focus()
    page.keyboard.press("End")
    expect(first.locator("[data-detail] input")).to_be_focused()
    page.keyboard.type("Hedwig Aigner-Huber")
    page.keyboard.press("Tab")
    expect(first.locator("[role=status]")).to_have_text(page.locator("[data-review]").get_attribute("data-saved") or "")
    second = page.locator("[data-line]", has_text="simon.aigner@")
    second.locator("select").select_option("alias")
    second.locator("[data-detail] input").fill("niemand@hofladen.example")
    second.locator("[data-detail] input").press("Tab")
    expect(second.locator("[role=status].failed")).not_to_be_empty()
    second.locator("select").select_option("keep")
    expect(second.locator("[role=status]:not(.failed)")).not_to_be_empty()


@pytest.mark.parametrize("language", ["de-AT", "en-GB"])
def test_without_javascript_a_button_saves_the_page(chromium: Browser, stack: Stack, language: str) -> None:
    page = page_of(chromium, size=PHONE, language=language, java_script_enabled=False)
    enter(page, stack, ANSWERED)
    page.locator("form[action$='/review/reopen'] button").click()
    page.locator(".domains a").click()
    karl = page.locator("[data-line]", has_text="karl.mueller@")
    karl.locator("select").select_option("alias")
    karl.locator("[data-detail] input").fill("nobody")
    page.locator("[data-review] > button[type=submit]").click()

    expect(page.locator("[data-line]")).to_have_count(1)
    expect(page.locator("[data-line] .errors")).to_be_visible()
    page.locator("[data-line] select").select_option("delete")
    page.locator("[data-review] > button[type=submit]").click()

    expect(page.locator("[data-line]", has_text="karl.mueller@").locator("select")).to_have_value("delete")
    page.goto(f"{stack.portal}/review/submit")
    page.locator("[name=name]").fill("Katharina Sonnleitner")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/review")
    expect(page.locator("form[action$='/review/reopen']")).to_be_visible()
