"""Two people on the phone: support gives a code, the owner enters it elsewhere and sets the password. And a letter."""

import io
import re
from pathlib import Path

import pypdfium2
import zxingcpp
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.letter_picture import print_letter
from sandbox.stack import Stack

from .pages import at_the_desk, expect_stage, press, save
from .test_accessibility import in_both_schemes

CALLER, WRITTEN_TO = "webshop", "katharina.sonnleitner"
DOMAIN = "sonnleitner.example"


def narrow(page: Page) -> bool:
    """Whether the page fits a phone of 360 px without scrolling sideways."""
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def mailbox_page(chromium: Browser, stack: Stack, local_part: str) -> Page:
    """Support looks at a mailbox."""
    desk = page_of(chromium, size=DESKTOP, language="en-GB", bypass_csp=True)
    at_the_desk(desk, stack)
    desk.goto(f"{stack.portal}/staff/search/?q={local_part}@{DOMAIN}")
    desk.get_by_role("link", name=re.compile(local_part)).first.click()
    return desk


def test_support_gives_a_code_and_the_owner_sets_the_password_with_it(chromium: Browser, stack: Stack) -> None:
    desk = mailbox_page(chromium, stack, CALLER)
    desk.get_by_role("link", name="Code for the phone …").click()
    found = in_both_schemes(desk)
    desk.get_by_role("button", name="Show the code once").click()
    expect(desk.get_by_role("alert")).to_contain_text("Please say how the caller was checked")
    found += in_both_schemes(desk)
    desk.get_by_label("called back at the number on file").check()
    desk.get_by_label("Note (optional)").fill("number of the contract")
    desk.get_by_role("button", name="Show the code once").click()
    code = desk.locator("#code").inner_text()
    found += in_both_schemes(desk)
    assert re.fullmatch(r"\d{4} \d{4}", code)
    assert narrow(desk)

    owner = page_of(chromium, size=PHONE, language="en-GB", bypass_csp=True)
    owner.goto(f"{stack.portal}/")
    owner.get_by_text("I have no mail with a first-login password").click()
    owner.get_by_role("link", name="I have a code from the phone").click()
    found += in_both_schemes(owner)
    assert narrow(owner)
    owner.get_by_label("Your e-mail address").fill(f"{CALLER}@{DOMAIN}")
    owner.get_by_label("Code from the phone").fill("1111 1111" if code != "1111 1111" else "2222 2222")
    owner.get_by_role("button", name="Sign in").click()
    expect(owner.locator("#refusal")).to_be_visible()
    found += in_both_schemes(owner)
    owner.get_by_label("Code from the phone").fill(code)
    owner.get_by_role("button", name="Sign in").click()
    owner.wait_for_url("**/password")
    save(owner)
    expect_stage(owner, "active")
    assert found == []

    desk.get_by_role("link", name="Done").click()
    timeline = desk.locator(".timeline")
    expect(timeline).to_contain_text("called back at the number on file: “number of the contract”")
    expect(timeline).to_contain_text("The code from the phone was mistyped.")
    expect(timeline).to_contain_text("with a code from the phone")
    expect(timeline).not_to_contain_text(code)


def test_a_letter_is_printed_and_its_square_leads_the_owner_in(chromium: Browser, stack: Stack, tmp_path: Path) -> None:
    desk = mailbox_page(chromium, stack, WRITTEN_TO)
    file = tmp_path / "letter.pdf"
    print_letter(desk, stack, f"{WRITTEN_TO}@{DOMAIN}", file)
    found = in_both_schemes(desk)
    [page] = pypdfium2.PdfDocument(io.BytesIO(file.read_bytes()))
    [square] = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    secret = re.search(r"\b\w{4}-\w{4}-\w{4}-\w{4}\b", page.get_textpage().get_text_bounded())
    assert secret

    owner = page_of(chromium, size=PHONE, language="en-GB")
    owner.goto(square.text)
    expect(owner.locator("[name=address]")).to_have_value(f"{WRITTEN_TO}@{DOMAIN}")
    owner.locator("[name=secret]").fill(secret[0])
    press(owner, "sign-in")
    owner.wait_for_url("**/password")

    desk.locator("nav.trail a", has_text=DOMAIN).click()
    desk.get_by_role("link", name="Letters", exact=True).click()
    found += in_both_schemes(desk)
    assert narrow(desk)
    assert found == []
