"""Many mailboxes at once and the search, as staff use them: by mouse, by keyboard, on a telephone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.stack import Stack

from .pages import at_the_desk
from .test_accessibility import in_both_schemes

TABLET = {"width": 768, "height": 1024}
DOMAIN = "viele.example"
MANY = f"""
from migration.models import Customer, Domain, Mailbox, Mailing
from django.utils import timezone
customer = Customer.objects.create(name="Viele GmbH", contact_email="eva@viele.example")
domain = Domain.objects.create(name="{DOMAIN}", customer=customer)
Mailing.objects.create(kind="announcement", domain=domain, recipient="eva@viele.example", language="de", state="sent",
    sent_at=timezone.now())
Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"person{{n:03}}") for n in range(130))
print(domain.pk)
"""


@pytest.fixture(scope="module")
def staff(chromium: Browser, stack: Stack) -> Iterator[Page]:
    """An admin at the desk, and a domain with 130 mailboxes."""
    stack.manage("shell", "-c", MANY)
    page = page_of(chromium, size=DESKTOP, language="en", bypass_csp=True)
    at_the_desk(page, stack)
    yield page
    page.close()


def open_domain(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.portal}/staff/?q={DOMAIN}")
    page.locator("th a.address").first.click()
    expect(page.locator("h1")).to_have_text(DOMAIN)


def test_the_slash_key_goes_to_the_search_and_stays_a_slash_in_fields(staff: Page, stack: Stack) -> None:
    open_domain(staff, stack)

    staff.keyboard.press("/")
    expect(staff.locator("#find")).to_be_focused()
    staff.keyboard.type("a/b")
    expect(staff.locator("#find")).to_have_value("a/b")

    staff.locator("#find").fill("person001")
    staff.keyboard.press("Enter")
    expect(staff.locator("main th a.address").first).to_have_text(f"person001@{DOMAIN}")
    assert in_both_schemes(staff) == []


@pytest.mark.parametrize("size", [PHONE, TABLET, DESKTOP], ids=lambda size: str(size["width"]))
def test_lists_and_questions_are_accessible_and_fit(staff: Page, stack: Stack, size: dict[str, int]) -> None:
    staff.set_viewport_size({"width": size["width"], "height": size["height"]})
    open_domain(staff, stack)
    assert in_both_schemes(staff) == []
    assert overflow(staff) <= 0
    staff.locator("[name=mailbox]").first.scroll_into_view_if_needed()
    expect(staff.locator(".bulk")).to_be_in_viewport()

    staff.locator("[name=all]").check()
    staff.locator("[name=verb]").select_option("exclude")
    staff.locator(".bulk button").click()
    expect(staff.locator("h1")).to_contain_text("130")
    assert in_both_schemes(staff) == []
    assert overflow(staff) <= 0
    staff.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_two_are_chosen_and_reminded_by_the_keyboard_alone(staff: Page, stack: Stack) -> None:
    open_domain(staff, stack)
    boxes = staff.locator("[name=mailbox]")
    boxes.first.focus()
    staff.keyboard.press("Space")
    for _step in range(2):
        staff.keyboard.press("Tab")
    expect(boxes.nth(1)).to_be_focused()
    staff.keyboard.press("Space")
    expect(staff.locator("[data-count]")).to_have_text("2 selected")

    staff.locator("[name=verb]").focus()
    staff.locator("[name=verb]").select_option("remind")
    staff.keyboard.press("Tab")
    staff.keyboard.press("Enter")
    expect(staff.locator(".notice").first).to_contain_text("2 × imported")


def test_a_whole_page_is_selected_by_one_box(staff: Page, stack: Stack) -> None:
    open_domain(staff, stack)

    staff.locator("[data-all-here]").check()
    expect(staff.locator("[data-count]")).to_have_text("50 selected")
    staff.locator("[name=mailbox]").first.uncheck()
    expect(staff.locator("[data-count]")).to_have_text("49 selected")
    staff.locator("[data-all]").check()
    expect(staff.locator("[name=mailbox]").nth(3)).to_be_disabled()


def test_all_that_match_are_invited_by_the_worker_and_the_page_moves_to_the_end(staff: Page, stack: Stack) -> None:
    open_domain(staff, stack)
    staff.locator("[name=all]").check()
    staff.locator("[name=verb]").select_option("invite")
    staff.locator(".bulk button").click()
    expect(staff.locator("h1")).to_have_text("Send 130 invitations?")

    staff.locator("main form button[type=submit]").click()
    expect(staff.locator("progress")).to_be_visible()
    expect(staff.locator("dl.facts dd").first).to_have_text("130", timeout=60_000)
    assert in_both_schemes(staff) == []
