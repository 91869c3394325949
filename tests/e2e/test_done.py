"""The done page goes on by itself: active, then seen on the new server; after that mailcow's own page is the place."""

from playwright.sync_api import Browser, expect

from sandbox.check import PHONE, page_of
from sandbox.stack import Stack

from .pages import expect_stage, save, sign_in

SEE = """
from django.utils import timezone
from migration import mailboxes
from migration.models import Mailbox
print(mailboxes.see_login(Mailbox.objects.get(local_part="praktikum"), at=timezone.now()))
"""


def test_it_goes_on_to_seen_and_then_leads_to_mailcows_own_page(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB")
    page.clock.install()
    sign_in(page, stack, "praktikum")
    save(page)
    page.wait_for_url("**/done")
    expect_stage(page, "active")
    expect(page.get_by_role("listitem").filter(has_text="Seen on the new server")).to_have_attribute(
        "aria-current", "step"
    )

    assert "True" in stack.manage("shell", "--no-imports", "-c", SEE)
    page.clock.fast_forward("01:05")
    expect_stage(page, "seen")

    page.goto(f"{stack.portal}/password")
    expect(page.get_by_role("link", name="To the page of the new server")).to_have_attribute("href", stack.mailcow)
