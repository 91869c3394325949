"""Numbers that move by themselves, and leave alone what somebody is doing on the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, page_of
from sandbox.stack import Stack

from .pages import at_the_desk

# Demo domains are busy by themselves: this one is nobody else's.
DOMAIN = "stille.example"
EXCLUDE = f"""
from migration import mailboxes
from migration.models import Mailbox
mailboxes.exclude(Mailbox.objects.get(domain__name="{DOMAIN}", local_part="ida"), actor="command:test", reason="test")
"""
INCLUDE = EXCLUDE.replace(".exclude(", ".include(")


@pytest.fixture(scope="module")
def staff(chromium: Browser, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An admin at the desk, and a domain of two mailboxes."""
    file = tmp_path_factory.mktemp("files") / "mailboxes.csv"
    file.write_text("\n".join(["address;name", *(f"{one}@{DOMAIN};{one.title()}" for one in ("ida", "otto"))]))
    stack.manage(
        "import_mailboxes", str(file), "--domain", DOMAIN, "--customer", "Still", "--contact", "e@stille.example"
    )
    page = page_of(chromium, size=DESKTOP, language="en-GB")
    at_the_desk(page, stack)
    yield page
    page.close()


def test_the_overview_moves_while_somebody_types(staff: Page, stack: Stack) -> None:
    staff.goto(f"{stack.portal}/staff/?q={DOMAIN}")
    row = staff.locator("tbody tr")
    expect(row).to_contain_text("0 of 2")
    search = staff.get_by_label("Domain or customer")
    search.fill("half a wor")
    staff.evaluate("window.loadedOnce = true")

    stack.manage("shell", "-c", EXCLUDE)

    expect(row).to_contain_text("0 of 1", timeout=60_000)
    expect(search).to_be_focused()
    expect(search).to_have_value("half a wor")
    expect(staff.locator("[data-live-said]")).to_have_text("The numbers have changed.")
    assert staff.evaluate("window.loadedOnce")


def test_a_mailboxs_page_moves_and_what_is_unfolded_stays(staff: Page, stack: Stack) -> None:
    staff.goto(f"{stack.portal}/staff/search/?q=ida@{DOMAIN}")
    staff.get_by_role("link", name=f"ida@{DOMAIN}").first.click()
    staff.wait_for_url("**/staff/mailboxes/*/")
    before = staff.locator(".state").inner_text()
    folded = staff.locator("main details").first
    folded.locator("summary").click()

    stack.manage("shell", "-c", INCLUDE)

    expect(staff.locator(".state")).not_to_have_text(before, timeout=60_000)
    expect(folded).to_have_attribute("open", "")
