"""A member of staff sets up a passkey, signs in with it, and proves with it that it is him. Chromium's own passkey."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.stack import Stack

from .test_accessibility import in_both_schemes

WHO, PASSWORD = "passkey@provider.example", "Amber-Rabe-24-Passkey"
# https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/#type-VirtualAuthenticatorOptions
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def member(stack: Stack) -> Iterator[None]:
    """A member of staff who has never signed in."""
    made = f"""
from accounts.models import User
User.objects.filter(email="{WHO}").delete()
User.objects.create_user("{WHO}", "{PASSWORD}", role="operator")
"""
    stack.manage("shell", "-c", made)
    yield
    stack.manage("shell", "-c", f'from accounts.models import User; User.objects.filter(email="{WHO}").delete()')


def with_passkeys(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session


def types_the_password(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.portal}/staff/")
    page.locator("[name=login]").fill(WHO)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()


def confirms_by_password(page: Page) -> None:
    page.wait_for_url("**/reauthenticate/**")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()


def test_a_passkey_is_set_up_opens_the_desk_and_proves_who_it_is(chromium: Browser, stack: Stack, member: None) -> None:
    page = page_of(chromium, size=PHONE, bypass_csp=False)
    with_passkeys(page)
    types_the_password(page, stack)
    confirms_by_password(page)
    page.wait_for_url("**/second-factor/app/")
    page.locator("main a[href$='/passkey/']").click()
    page.locator("[name=name]").fill("Dienstgerät")
    page.locator("[data-passkey] button").click()
    page.wait_for_url("**/recovery-codes/")
    codes = page.locator(".codes code").all_inner_texts()
    page.goto(f"{stack.portal}/staff/sign-in/second-factor/")
    expect(page.locator("main")).to_contain_text("Dienstgerät")

    page.locator(".desk-me summary").click()
    page.locator(".desk-menu button[type=submit]").click()
    types_the_password(page, stack)
    page.wait_for_url("**/second-factor/code/")
    page.locator("[data-passkey] button").click()
    page.wait_for_url("**/staff/")

    page.context.clear_cookies()
    types_the_password(page, stack)
    page.wait_for_url("**/second-factor/code/")
    page.locator("[name=code]").fill(codes[0])
    page.locator("main form:has([name=code]) button[type=submit]").click()
    page.wait_for_url("**/staff/")
    page.goto(f"{stack.portal}/staff/sign-in/second-factor/passkey/reauthenticate/?next=/staff/operation/")
    page.locator("[data-passkey] button").click()
    page.wait_for_url("**/staff/operation/")


def test_the_pages_of_staff_accounts_are_accessible(chromium: Browser, stack: Stack, member: None) -> None:
    page = page_of(chromium, size=DESKTOP, bypass_csp=True)
    with_passkeys(page)
    found = []
    types_the_password(page, stack)
    confirms_by_password(page)
    found += in_both_schemes(page)
    page.locator("main a[href$='/passkey/']").click()
    found += in_both_schemes(page)
    page.locator("[data-passkey] button").click()
    page.wait_for_url("**/recovery-codes/")
    for address in ("sign-in/second-factor/", "sessions/", "operation/", "operation/keys/", "operation/retention/"):
        page.goto(f"{stack.portal}/staff/{address}")
        for size in (DESKTOP, PHONE):
            page.set_viewport_size({"width": size["width"], "height": size["height"]})
            found += in_both_schemes(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (address, size)

    assert found == []
