"""The pages, spoken to as a person would: what is there to read, to fill in, to press."""

import re
import time

from playwright.sync_api import Page, expect

from sandbox.check import staff_signs_in
from sandbox.stack import Stack

GOOD_PASSWORD = "Vier-Heurige-Brettljause-9"
# So long a sign-in is used again: well below the five minutes after which some pages ask who it is.
SIGN_IN_SECONDS = 120

_signed_in: dict[str, tuple[float, str]] = {}


def invitation(stack: Stack, local_part: str) -> tuple[str, str]:
    """Link and first-login password of the newest invitation in an old mailbox of the example.

    Who is responsible for a machine's mailbox gets its invitation too.
    """
    address = f"{local_part}@sonnleitner.example"
    stack.await_mail(address)
    text = [mail["text"] for mail in stack.mails(address) if address in mail["text"]][-1]
    link = re.search(r"http://\S+/s/[\w-]+", text)
    secret = re.search(r"\b\S{4}-\S{4}-\S{4}-\S{4}\b", text)
    assert link
    assert secret
    return link[0], secret[0]


def sign_in(page: Page, stack: Stack, local_part: str) -> None:
    """Follow the mailed link and sign in."""
    link, secret = invitation(stack, local_part)
    page.goto(link)
    page.locator("[name=secret]").fill(secret)
    press(page, "sign-in")
    page.wait_for_url("**/password")


def at_the_desk(page: Page, stack: Stack) -> None:
    """Be at the desk: signed in already as another page is, or by signing in.

    A code from the phone works once, so whoever signs in anew each time mostly waits for the next one.
    """
    since, key = _signed_in.get(stack.portal, (0.0, ""))
    if key and time.monotonic() - since < SIGN_IN_SECONDS:
        page.context.add_cookies([{"name": "sid", "value": key, "url": stack.portal}])
    page.goto(f"{stack.portal}/staff/")
    if page.locator("[name=login]").count():
        began = time.monotonic()
        staff_signs_in(page, stack)
        (key,) = [one["value"] for one in page.context.cookies(stack.portal) if one["name"] == "sid"]
        _signed_in[stack.portal] = (began, key)


def save(page: Page, password: str = GOOD_PASSWORD) -> None:
    """Type a new password and save it."""
    page.locator("#password").fill(password)
    press(page, "password")


def press(page: Page, form: str) -> None:
    """Press the button of a form."""
    page.locator(f"[data-{form}] button[type=submit]").click()


def expect_stage(page: Page, stage: str) -> None:
    """The done page tells this stage, without being loaded again by us."""
    expect(page.locator(f"[data-stage={stage}]")).to_be_visible(timeout=30_000)
