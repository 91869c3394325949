"""Three programs, walked through as an owner walks: with and without JavaScript, with the keyboard, on paper."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from migration.guides.programs import PROGRAMS
from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.stack import Stack

from .pages import invitation, press, save, sign_in

OWNER = "sean.o'neill"
ADDRESS = f"{OWNER}@sonnleitner.example"
WALKS = [
    ("Thunderbird auf dem Computer", "IMAP", "993"),
    ("Outlook, das klassische", "POP3", "995"),
    ("iPhone, iPad", "IMAP", "993"),
]


@pytest.fixture(scope="module")
def owner(chromium: Browser, stack: Stack) -> Iterator[Page]:
    """An owner who has saved a new password and stays signed in."""
    page = page_of(chromium, size=PHONE, bypass_csp=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, stack, OWNER)
    save(page)
    page.wait_for_url("**/done")
    yield page
    page.context.close()


def pages_of_a_pdf(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.parametrize(("program", "protocol", "port"), WALKS)
def test_from_the_done_page_to_the_last_step(owner: Page, stack: Stack, program: str, protocol: str, port: str) -> None:
    owner.set_viewport_size(PHONE)  # type: ignore[arg-type]
    owner.goto(f"{stack.portal}/done")
    owner.get_by_role("link", name="Schritt für Schritt").click()
    owner.get_by_role("link", name=program).click()
    owner.get_by_role("link", name=protocol).click()

    windows = owner.locator("figure.window")
    expect(windows).to_have_count(2)
    for window, value in ((windows.first, port), (windows.last, "465")):
        expect(window).to_contain_text("mci.iteg.at")
        expect(window).to_contain_text(value)
    expect(owner.locator("main")).to_contain_text(ADDRESS)
    expect(owner.locator("main a[href^='tel:']")).to_be_visible()
    assert owner.evaluate("document.documentElement.scrollWidth") <= 360
    assert owner.locator(".notice.warn").count() == (1 if protocol == "POP3" else 0)


def test_a_value_is_copied_with_the_keyboard(owner: Page, stack: Stack) -> None:
    owner.goto(f"{stack.portal}/guide/thunderbird/imap")
    button = owner.get_by_role("button", name="Kopieren: mci.iteg.at").first

    button.focus()
    owner.keyboard.press("Enter")

    expect(owner.get_by_role("button", name="Kopiert")).to_be_visible()
    assert owner.evaluate("navigator.clipboard.readText()") == "mci.iteg.at"


def test_axe_finds_nothing_on_any_page_of_the_guide(owner: Page, stack: Stack) -> None:
    found = []
    for page in ("", "/thunderbird", "/outlook/pop3", "/outlook-new/imap", "/mac/imap", "/gmail/imap", "/webmail"):
        owner.goto(f"{stack.portal}/guide{page}")
        for scheme, size in (("light", PHONE), ("dark", DESKTOP)):
            owner.set_viewport_size(size)  # type: ignore[arg-type]
            owner.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            violations = Axe().run(owner).response["violations"]
            found += [f"{page} {scheme} {one['id']}: {[node['target'] for node in one['nodes']]}" for one in violations]
    owner.emulate_media(color_scheme="light")

    assert found == []


def test_no_page_is_wider_than_a_narrow_phone(owner: Page, stack: Stack) -> None:
    owner.set_viewport_size({"width": 320, "height": 640})
    wide = []
    for program in PROGRAMS.values():
        for protocol in ("", "/imap", "/pop3") if program.asks_protocol else ("",):
            owner.goto(f"{stack.portal}/guide/{program.slug}{protocol}")
            if owner.evaluate("document.documentElement.scrollWidth") > 320:
                wide.append(owner.url)

    assert wide == []


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("room", ["guide", "help"])
def test_the_sheet_is_one_page_of_paper(owner: Page, stack: Stack, language: str, room: str) -> None:
    owner.goto(f"{stack.portal}/{room}/sheet")
    if language == "en":
        owner.get_by_role("button", name="English").click()
    expect(owner.locator("html")).to_have_attribute("lang", language)

    # Nothing may hang on the printer: the longest address a mailbox can have still fits.
    if room == "guide":
        owner.evaluate("name => document.querySelector('.long').textContent = name", f"{'m' * 64}@{'d' * 60}.example")
    pdf = owner.pdf(prefer_css_page_size=True)
    if language == "en":
        owner.get_by_role("button", name="Deutsch").click()

    assert pages_of_a_pdf(pdf) == 1


def test_without_javascript_and_without_signing_in(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, java_script_enabled=False)
    page.goto(f"{stack.portal}/guide")
    assert page.url == f"{stack.portal}/help"

    page.get_by_role("link", name="Outlook, das neue").click()
    page.get_by_role("link", name="IMAP").click()

    expect(page.locator("figure.window")).to_have_count(2)
    expect(page.locator("main")).to_contain_text("Ihre ganze E-Mail-Adresse")
    assert page.locator("button.copy").count() == 0
    page.context.close()


def test_the_profile_comes_down_as_a_file(owner: Page, stack: Stack) -> None:
    owner.goto(f"{stack.portal}/guide/iphone/imap")
    owner.locator("summary").click()

    with owner.expect_download() as download:
        owner.get_by_role("link", name="Profil laden").click()

    assert download.value.suggested_filename == "mailbox-imap.mobileconfig"


def test_an_owner_of_the_invitation_alone_can_read_it_too(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE)
    link, secret = invitation(stack, "anna+shop")
    page.goto(link)
    page.locator("[name=secret]").fill(secret)
    press(page, "sign-in")
    page.wait_for_url("**/password")

    page.goto(f"{stack.portal}/guide/gmail/imap")

    expect(page.locator("main")).to_contain_text("anna+shop@sonnleitner.example")
    page.context.close()
