"""Mail scanners open links in a real browser and press what they find; others write addresses no browser would."""

import socket
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from sandbox.check import PHONE, page_of
from sandbox.stack import Stack

from .pages import invitation

STATE = """
from migration.models import Mailbox, FirstLogin, Event
from accounts.models import Attempts
from django.contrib.sessions.models import Session
box = Mailbox.objects.get(local_part="michael.lang")
print("now:", box.state, box.version, box.epoch, Event.objects.filter(mailbox=box).count(),
    list(FirstLogin.objects.filter(mailbox=box).values_list("number", "consumed_at", "revoked_at")),
    Attempts.objects.count(), Session.objects.count())
"""


def state(stack: Stack) -> str:
    return stack.manage("shell", "--no-imports", "-c", STATE).partition("now:")[2]


def press_everything(page: Page, link: str) -> int:
    """Open the link anew for each thing that can be pressed, and press it."""
    page.goto(link)
    pressable = "button, a[href], summary, input[type=submit]"
    number = page.locator(pressable).count()
    for place in range(number):
        page.goto(link)
        page.wait_for_load_state()
        one = page.locator(pressable).nth(place)
        if one.is_visible() and not (one.get_attribute("href") or "").startswith(("tel:", "mailto:")):
            one.evaluate("one => one.click()")
            page.wait_for_load_state("networkidle")
    return number


def test_a_browser_that_presses_everything_uses_nothing_up(chromium: Browser, stack: Stack) -> None:
    link, secret = invitation(stack, "michael.lang")
    before = state(stack)
    page = page_of(chromium, size=PHONE)

    assert press_everything(page, link) > 5

    assert state(stack) == before
    page.goto(link)
    page.locator("[name=secret]").fill(secret)
    page.locator("[data-sign-in] button[type=submit]").click()
    page.wait_for_url("**/password")


def answer(stack: Stack, request: str) -> tuple[int, str]:
    """What the web server says to these bytes."""
    host, port = urlsplit(stack.portal).hostname, urlsplit(stack.portal).port
    with socket.create_connection((host or "", port or 0), timeout=10) as wire:
        wire.sendall(request.replace("\n", "\r\n").encode() + b"Connection: close\r\n\r\n")
        reply = b"".join(iter(lambda: wire.recv(65536), b"")).decode()
    return int(reply.split()[1]), reply


@pytest.mark.parametrize(
    "request_line", ["GET http://evil.example/ HTTP/1.1", "GET http://127.0.0.1@evil.example/ HTTP/1.1"]
)
def test_an_absolute_address_leads_to_no_other_host_s26(stack: Stack, request_line: str) -> None:
    status, reply = answer(stack, f"{request_line}\nHost: evil.example\n")
    assert status == 400
    assert "evil" not in reply

    status, reply = answer(stack, f"{request_line}\nHost: {urlsplit(stack.portal).netloc}\n")
    assert status in (200, 400)
    assert "evil" not in reply


def test_two_hosts_in_one_request_are_refused_s26(stack: Stack) -> None:
    status, reply = answer(stack, f"GET / HTTP/1.1\nHost: {urlsplit(stack.portal).netloc}\nHost: evil.example\n")

    assert status == 400
    assert "evil" not in reply
