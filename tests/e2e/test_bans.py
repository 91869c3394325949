"""Support lifts a ban in the browser; the worker, who has the key, does it."""

import re
import time

from playwright.sync_api import Browser, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.stack import Stack

from .pages import at_the_desk
from .test_accessibility import in_both_schemes

NETWORK = "198.51.100.7/32"
TOLD = f"""
from migration.models import Ban, BanPoll
from django.utils import timezone
BanPoll.objects.update_or_create(pk=1, defaults={{"asked_at": timezone.now(), "answered_at": timezone.now()}})
Ban.objects.update_or_create(network="{NETWORK}", defaults={{"until": "2099-01-01T00:00:00Z"}})
Ban.objects.update_or_create(network="203.0.113.0/24", defaults={{"until": None}})
"""


def test_a_ban_is_seen_and_lifted(chromium: Browser, stack: Stack) -> None:
    stack.manage("shell", "-c", TOLD)
    page = page_of(chromium, size=DESKTOP, bypass_csp=True)
    at_the_desk(page, stack)

    page.goto(f"{stack.portal}/staff/bans/")
    assert in_both_schemes(page) == []
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert in_both_schemes(page) == []
    row = page.get_by_role("row").filter(has_text=NETWORK)
    row.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text(re.compile("aufgehoben|being lifted"))
    page.wait_for_load_state()

    # The stand-in has no ban at all: once the worker has asked it, the list is empty.
    deadline = time.monotonic() + 60
    while page.get_by_text(NETWORK).count() and time.monotonic() < deadline:
        page.reload()
    expect(page.get_by_text(NETWORK)).to_have_count(0)
