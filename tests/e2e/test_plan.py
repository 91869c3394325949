"""An admin plans a domain in the browser, from an empty plan until its owners are invited."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from sandbox.check import page_of
from sandbox.seed import TO_BE_MADE
from sandbox.stack import Stack

from .pages import at_the_desk
from .test_accessibility import in_both_schemes

SIZES = [(360, 780), (768, 1024), (1280, 900)]
WORKER_MS = 60_000


@pytest.fixture
def page(chromium: Browser, stack: Stack) -> Page:
    page = page_of(chromium, size={"width": 360, "height": 780}, language="en-GB", bypass_csp=True)
    at_the_desk(page, stack)
    return page


def save(page: Page, **days: int) -> None:
    for name, number in days.items():
        page.locator(f"#id_{name}").fill(f"{timezone.localdate() + timedelta(days=number)}")
    page.get_by_role("button", name="Save the plan").click()


def test_a_domain_is_planned_announced_by_the_clock_and_started(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.portal}/staff/")
    page.locator("th a.address", has_text=TO_BE_MADE[0]).click()
    page.get_by_role("link", name="Plan", exact=True).click()
    expect(page.get_by_text("There is no plan yet.")).to_be_visible()
    found = in_both_schemes(page)

    save(page, announce_on=0, invite_on=0, deadline=21, cut_over_on=22, ends_on=60)
    expect(page.get_by_text("must be after “Pre-announcement”")).to_be_visible()
    found += in_both_schemes(page)
    save(page, invite_on=2)
    expect(page.get_by_text("The plan is saved.")).to_be_visible()

    accepted = page.get_by_text("accepted it.")
    for _ in range(30):
        if accepted.count():
            break
        page.wait_for_timeout(1_000)
        page.reload()
    expect(accepted).to_be_visible()
    page.get_by_role("link", name="Invite all not yet invited").click()
    page.get_by_role("button", name="Yes, send").click()
    expect(page.get_by_text("are on their way.")).to_be_visible()
    page.get_by_role("link", name="Plan", exact=True).click()
    expect(page.get_by_role("button", name="Remind 4 owners")).to_be_visible()

    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        found += in_both_schemes(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
    assert found == []
