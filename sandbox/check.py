"""`make demo-check`: the whole journey in a headless browser against a demo of its own; exits 0 or tells what failed.

    python -m sandbox.check [--pictures FOLDER]

With a folder it also takes the pictures of the README there.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from .demo import FIRST_TO_TRY as OWNER
from .demo import OLD_PASSWORD, bring_up
from .seed import STAFF
from .stack import Ports, Stack, StackError

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 800}
PATIENCE_MS = 15_000

Picture = Callable[[Page, str], None]


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium where it is installed, else the one Playwright brought; it talks to nobody by itself."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield chromium
        chromium.close()


def page_of(chromium: Browser, *, size: dict[str, int], language: str = "de-AT", **options: object) -> Page:
    """A page of a new visitor. Whatever the Content-Security-Policy blocks ends the check."""
    context = chromium.new_context(viewport=size, locale=language, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("console", _no_blocked_content)
    return page


def _no_blocked_content(message: object) -> None:
    text = getattr(message, "text", "")
    if "Content Security Policy" in text:
        raise AssertionError(text)


def read_invitation(page: Page, mailhost: str, address: str) -> str:
    """Open the newest invitation in the old mailbox; returns the first-login password it shows."""
    page.goto(f"{mailhost}/mailbox?address={address.replace('+', '%2B')}")
    page.locator("main ul a").first.click()
    found = re.search(r"^\s+(\S{4}-\S{4}-\S{4}-\S{4})\s*$", page.locator("pre").inner_text(), re.MULTILINE)
    assert found, "the mail shows no first-login password"
    return found[1]


def owner_keeps_the_old_password(page: Page, stack: Stack, picture: Picture) -> None:
    """From the mail in the old mailbox to "active", with a wrong password and the old one on the way."""
    secret = read_invitation(page, stack.mailhost, OWNER)
    picture(page, "old-mailbox")
    page.locator("pre a").click()
    expect(page.locator("[name=address]")).to_have_value(OWNER)
    page.locator("[name=secret]").fill("xxxx-xxxx-xxxx-xxxx")
    page.locator("[data-sign-in] button[type=submit]").click()
    expect(page.locator("#refusal")).to_be_visible()
    page.locator("[name=secret]").fill(secret.replace("-", " ").upper())
    picture(page, "sign-in")
    page.locator("[data-sign-in] button[type=submit]").click()

    field = page.locator("#password")
    field.fill("kurz")
    expect(page.locator("[data-rule=lower][data-kept]")).to_be_visible()
    field.press("Enter")
    expect(page.locator("#refusal")).to_be_visible()
    broken = page.locator("[data-rule][data-broken]").evaluate_all("all => all.map(one => one.dataset.rule)")
    assert len(broken) >= 3, f"only {broken} named as broken for 'kurz'"
    picture(page, "set-password")
    page.locator("#password").fill(OLD_PASSWORD)
    page.locator("[data-password] button[type=submit]").click()

    page.wait_for_url("**/done")
    expect(page.locator("[data-stage=active]")).to_be_visible()
    picture(page, "done")


def mailcow_takes_the_password(stack: Stack) -> None:
    """What a mail program would get from mailcow now."""
    for password, right in ((OLD_PASSWORD, True), ("Something-Else-1", False)):
        answer = requests.post(
            f"{stack.mailcow}/sandbox/verify", json={"address": OWNER, "password": password}, timeout=10
        )
        assert answer.json()["success"] is right, (
            f"mailcow answers {answer.text} for {'the right' if right else 'a wrong'} one"
        )


def staff_signs_in(page: Page, stack: Stack) -> None:
    """Password, then the code from the phone."""
    page.goto(f"{stack.portal}/staff/")
    page.locator("[name=login]").fill(STAFF)
    page.locator("[name=password]").fill(stack.secret("staff_password"))
    _send(page)
    used = ""
    while page.locator("[name=code]").count():
        used = _next_code(page, stack, used)
        page.locator("[name=code]").fill(used)
        _send(page)
    page.wait_for_url(f"{stack.portal}/staff/")


def _send(page: Page) -> None:
    """Send the form, and look no further before the answer is there."""
    with page.expect_navigation():
        page.locator("main form button[type=submit]").first.click()


def _next_code(page: Page, stack: Stack, used: str) -> str:
    """What the phone shows. A code works once, so after a refusal the next one is waited for."""
    phone = page.context.new_page()
    phone.goto(f"{stack.mailhost}/phone")
    code = phone.locator("#code")
    if used:
        expect(code).not_to_have_text(f"{used[:3]} {used[3:]}", timeout=40_000)
    shown = code.inner_text().replace(" ", "")
    phone.close()
    return shown


def staff_sees_how_far_it_is(page: Page, stack: Stack, picture: Picture) -> None:
    """The list of domains, one domain, one mailbox, and the Django admin behind the same sign-in."""
    row = page.locator("tr", has_text="sonnleitner.example")
    expect(row.locator("a[href*='state=active']")).to_be_visible()
    picture(page, "domains")
    row.locator("th a.address").click()
    expect(page.locator("main")).to_contain_text("anna.gruber")
    picture(page, "domain")
    page.locator("a", has_text="anna.gruber").first.click()
    picture(page, "mailbox")
    page.goto(f"{stack.portal}/admin/")
    expect(page.locator("#content")).to_be_visible()
    picture(page, "admin")


def drive(chromium: Browser, stack: Stack, pictures: Path | None = None) -> Iterator[str]:
    """Walk through everything; yields a sentence after each part that held. Raises when one did not."""

    def picture(page: Page, name: str) -> None:
        if pictures:
            width = (page.viewport_size or DESKTOP)["width"]
            page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)

    owner = page_of(chromium, size=PHONE)
    owner_keeps_the_old_password(owner, stack, picture)
    yield "the owner read the mail, signed in, kept the old password and saw it become active by itself"
    mailcow_takes_the_password(stack)
    yield "mailcow takes that password and no other"
    staff = page_of(chromium, size=DESKTOP)
    staff_signs_in(staff, stack)
    yield "staff signed in with the second factor"
    staff_sees_how_far_it_is(staff, stack, picture)
    yield "staff saw the domains, the domain, the mailbox and the admin"


def main() -> int:
    """Bring a demo up on free ports, drive it, take it down; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, help="folder for screenshots")
    pictures = parser.parse_args().pictures
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="umzug-check-") as folder, Stack(Path(folder), Ports.free()) as stack:
        try:
            bring_up(stack, say=False)
            with browser() as chromium:
                for held in drive(chromium, stack, pictures):
                    print(f"  ok  {held}", flush=True)
        except (AssertionError, Error, StackError) as error:
            logs = "\n".join(f"--- {name}\n{stack.log(name)[-1500:]}" for name in stack.processes)
            print(f"demo-check failed: {error}\n{logs}", file=sys.stderr)
            return 1
    print("demo-check passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
