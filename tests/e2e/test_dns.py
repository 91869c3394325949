"""A member of staff has name servers asked, reads what is wrong, mails it on, and takes a list out as a file."""

from pathlib import Path

from openpyxl import load_workbook  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.seed import INVITED, TO_BE_MADE
from sandbox.stack import Stack

from .pages import at_the_desk
from .test_accessibility import in_both_schemes

WORKER_MS = 60_000


def signed_in(chromium: Browser, stack: Stack, size: dict[str, int]) -> Page:
    page = page_of(chromium, size=size, language="en-GB", bypass_csp=True)
    at_the_desk(page, stack)
    return page


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_name_servers_are_asked_while_the_page_looks_on(chromium: Browser, stack: Stack) -> None:
    page = signed_in(chromium, stack, PHONE)
    page.goto(f"{stack.portal}/staff/")
    page.locator("th a.address", has_text=TO_BE_MADE[0]).click()

    page.get_by_role("link", name="DNS").click()
    page.get_by_role("button", name="Ask now").click()
    expect(page.get_by_text("Mail still arrives at the old server.").first).to_be_visible(timeout=WORKER_MS)

    assert fits(page)
    assert in_both_schemes(page) == []
    expect(page.get_by_text("delete this").first).to_be_visible()
    page.get_by_role("button", name="Mail this").click()
    expect(page.get_by_text("The mail is on its way.")).to_be_visible()


def test_what_to_change_is_copied_with_a_button(chromium: Browser, stack: Stack) -> None:
    page = signed_in(chromium, stack, DESKTOP)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{stack.portal}/staff/")
    page.locator("th a.address", has_text=INVITED).click()
    page.get_by_role("link", name="DNS").click()
    expect(page.get_by_text("autodiscover.office.example").first).to_be_visible(timeout=WORKER_MS)

    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()

    assert f"$ORIGIN {INVITED}." in page.evaluate("navigator.clipboard.readText()")
    assert fits(page)
    assert in_both_schemes(page) == []


def test_a_domains_list_is_saved_as_a_file(chromium: Browser, stack: Stack, tmp_path: Path) -> None:
    page = signed_in(chromium, stack, DESKTOP)
    page.goto(f"{stack.portal}/staff/")
    page.locator("th a.address", has_text=INVITED).click()

    with page.expect_download() as saving:
        page.get_by_role("link", name="As a table (XLSX)").click()

    file = tmp_path / saving.value.suggested_filename
    saving.value.save_as(file)
    sheet = load_workbook(file).active
    assert file.name.startswith(INVITED)
    assert sheet["A1"].value == "Address"
    assert sheet.max_row > 10
