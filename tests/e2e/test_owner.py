"""Owners who mistype, double, lack JavaScript or a mouse, or come while mailcow is down."""

import requests
from playwright.sync_api import Browser, expect

from sandbox.check import PHONE, page_of
from sandbox.stack import Stack

from .pages import GOOD_PASSWORD, expect_stage, invitation, press, save, sign_in


def fault(stack: Stack, kind: str, **arguments: object) -> None:
    requests.post(f"{stack.mailcow}/sandbox/faults", json={"kind": kind, **arguments}, timeout=5).raise_for_status()


def opens(stack: Stack, local_part: str, password: str) -> bool:
    address = f"{local_part}@sonnleitner.example"
    answer = requests.post(
        f"{stack.mailcow}/sandbox/verify", json={"address": address, "password": password}, timeout=5
    )
    return bool(answer.json()["success"])


def test_while_mailcow_is_down_the_owner_sees_saved_and_later_active(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE)
    sign_in(page, stack, "maria.sonnleitner")
    fault(stack, "down")

    save(page)
    page.wait_for_url("**/done")
    expect(page.locator("[data-stage=saved]")).to_be_visible()
    assert not opens(stack, "maria.sonnleitner", GOOD_PASSWORD)

    requests.post(f"{stack.mailcow}/sandbox/faults/clear", timeout=5)
    stack.manage("retry_pushes", "--all")
    expect_stage(page, "active")
    assert opens(stack, "maria.sonnleitner", GOOD_PASSWORD)


def test_every_broken_rule_is_named_and_nothing_is_lost(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE)
    sign_in(page, stack, "sophie.wagner")

    save(page, "sophie")

    broken = page.locator("[data-rule][data-broken]")
    assert set(broken.evaluate_all("all => all.map(one => one.dataset.rule)")) == {"short", "upper", "digit", "words"}
    save(page)
    expect_stage(page, "active")


def test_two_tabs_end_with_the_password_saved_last(chromium: Browser, stack: Stack) -> None:
    first = page_of(chromium, size=PHONE)
    sign_in(first, stack, "david.pichler")
    second = first.context.new_page()
    second.goto(f"{stack.portal}/password")

    save(first, "Erster-Versuch-2026")
    first.wait_for_url("**/done")
    save(second, "Zweiter-Versuch-2026")
    second.wait_for_url("**/done")

    expect_stage(second, "active")
    assert opens(stack, "david.pichler", "Zweiter-Versuch-2026")
    assert not opens(stack, "david.pichler", "Erster-Versuch-2026")


def test_without_javascript_everything_works(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, java_script_enabled=False)
    sign_in(page, stack, "markus.steiner")

    save(page, "zu kurz")
    assert page.locator("[data-rule][data-broken]").count() >= 2
    save(page)
    page.wait_for_url("**/done")

    for _ in range(60):
        if page.locator("[data-stage=active]").count():
            break
        page.reload()
    assert page.locator("[data-stage=active]").count() == 1


def test_with_the_keyboard_alone(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE)
    link, secret = invitation(stack, "thomas.eder")
    page.goto(link)

    page.keyboard.type(secret)
    page.keyboard.press("Enter")
    page.wait_for_url("**/password")
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type(GOOD_PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url("**/done")
    expect_stage(page, "active")


def test_a_scanner_that_opens_and_presses_everything_uses_nothing_up(chromium: Browser, stack: Stack) -> None:
    link, _ = invitation(stack, "lukas.huber")
    scanner = page_of(chromium, size=PHONE)
    for _ in range(3):
        scanner.goto(link)
        for number in range(scanner.locator("button").count()):
            scanner.goto(link)
            button = scanner.locator("button").nth(number)
            if button.is_visible():
                button.click()

    page = page_of(chromium, size=PHONE)
    sign_in(page, stack, "lukas.huber")


def test_in_english_if_the_browser_asks_for_it(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB")
    link, _ = invitation(stack, "johanna.bauer")

    page.goto(link)

    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_page_fits_a_narrow_phone(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size={"width": 360, "height": 640})
    sign_in(page, stack, "christina.fuchs")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    save(page)
    page.wait_for_url("**/done")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    press_count = page.locator("form button").count()
    assert press_count >= 1


def test_a_wrong_first_login_password_is_told_kindly(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE)
    link, secret = invitation(stack, "elisabeth.moser")
    page.goto(link)

    page.locator("[name=secret]").fill("bbbb" + secret[4:])
    press(page, "sign-in")
    expect(page.locator("#refusal")).to_be_visible()
    page.locator("[name=secret]").fill(secret.upper().replace("-", " – "))
    press(page, "sign-in")

    page.wait_for_url("**/password")
