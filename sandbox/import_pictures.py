"""Take the pictures of an import anew from a demo of its own: `python -m sandbox.import_pictures [FOLDER]`.

The walk is that of an admin who has never imported anything and uses the keyboard only: a customer, a domain, a first
import by pasting, a second one from a file that has everything a file can have. By default the pictures go to
docs/images.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from .check import DESKTOP, PHONE, browser, page_of, staff_signs_in
from .demo import bring_up
from .stack import ROOT, Ports, Stack

OLD = "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8"
HEAD = "address;name;kind;quota_mib;password_hash;goto\n"
FIRST = (
    "leni.huber@{domain};Leni Huber;;5120;{old};\n"
    "max.huber@{domain};Max Huber;;5120;{old};\n"
    "office@{domain};Office;shared;10240;;\n"
    "info@{domain};;alias;;;office@{domain}\n"
)
SECOND = (
    "leni.huber@{domain};Leni Huber-Mayr;;10240;{old};\n"
    "office@{domain};Office;shared;10240;;\n"
    "info@{domain};;alias;;;office@{domain} leni.huber@{domain}\n"
    "scanner@{domain};Scanner;machine;;!;\n"
    "jonas.eder@{domain};Jonas Eder;;5120;{old};\n"
    "no at sign;Eva Lang;;5120;;\n"
    "paul.lang@{domain};Paul Lang;;5120;geheim;\n"
)
MOST_STEPS = 120

Look = Callable[[Page, str], None]


def walk(page: Page, stack: Stack, domain: str, folder: Path, look: Look) -> None:
    """From the admin's first page to a domain whose second import is in; `look` is called on every page by name."""
    page.goto(f"{stack.portal}/admin/")
    look(page, "index")
    add_domain(page, domain)
    _follow(page, "a[href*='importrun/add/?domain=']")
    look(page, "empty")
    _reach(page, "#id_content")
    page.keyboard.insert_text((HEAD + FIRST).format(domain=domain, old=OLD))
    send(page)
    expect(page.locator("h2", has_text="(4)")).to_be_visible()
    send(page)
    expect(page.locator(".messagelist .success")).to_be_visible()

    page.goto(f"{stack.portal}/admin/")
    _follow(page, "#content-main a[href$='/migration/importrun/']")
    look(page, "history")
    _follow(page, "a.addlink[href$='/importrun/add/']")
    choose_domain(page, domain)
    choose_file(page, folder / "mailboxes.csv", (HEAD + SECOND).format(domain=domain, old=OLD))
    look(page, "upload")
    send(page)
    look(page, "preview")
    _follow(page, "a[href='?group=changed']")
    expect(page.locator("ins", has_text="Leni Huber-Mayr")).to_be_visible()
    look(page, "changed")
    send(page)
    expect(page.locator(".messagelist .success")).to_be_visible()
    look(page, "done")


def add_domain(page: Page, domain: str) -> None:
    """From the admin's first page: a customer, and a domain of his; ends on the domain's page."""
    _follow(page, "a.addlink[href$='/customer/add/']")
    for field, value in {
        "name": f"Huber {domain}",
        "contact_name": "Eva Huber",
        "contact_email": "eva@huber.example",
    }.items():
        _reach(page, f"#id_{field}")
        page.keyboard.insert_text(value)
    send(page, "_save")
    page.goto(page.url.replace("/customer/", "/domain/add/"))
    _reach(page, ".select2-selection")
    page.keyboard.press("Enter")
    expect(page.locator(".select2-search__field")).to_be_focused()
    page.keyboard.type(domain)
    expect(page.locator(".select2-results__option--highlighted", has_text=domain)).to_be_visible()
    page.keyboard.press("Enter")
    _reach(page, "#id_name")
    page.keyboard.insert_text(domain)
    send(page, "_continue")


def choose_domain(page: Page, domain: str) -> None:
    """Type the domain into the list."""
    _reach(page, "#id_domain")
    page.keyboard.type(domain[:6])
    expect(page.locator("#id_domain option:checked")).to_have_text(domain)


def choose_file(page: Page, path: Path, content: str) -> None:
    """Write this file, and choose it."""
    path.write_text(content, encoding="utf-8")
    _reach(page, "#id_file")
    # The window in which a file is chosen is the system's, and a browser without a screen has none.
    page.locator("#id_file").set_input_files(path)


def _follow(page: Page, link: str) -> None:
    _reach(page, link)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def send(page: Page, name: str = "") -> None:
    """Press a button of the form, else its main one, and wait for the next page."""
    _reach(page, f"#content input[type=submit][name={name}]" if name else "#content input[type=submit].default")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _reach(page: Page, what: str) -> None:
    """Go there with the tabulator key, as somebody without a mouse."""
    expect(page.locator(what).first).to_be_attached()
    for _step in range(MOST_STEPS):
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {what} on {page.url}")


def take(chromium: Browser, stack: Stack, pictures: Path) -> None:
    """The screens at a desk, and the one with the widest table on a phone."""
    page = page_of(chromium, size=DESKTOP)
    staff_signs_in(page, stack)

    def look(page: Page, name: str) -> None:
        if name in ("upload", "preview", "done"):
            page.screenshot(path=pictures / f"import-{name}-{DESKTOP['width']}.png", full_page=True)
        if name == "preview":
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            page.screenshot(path=pictures / f"import-{name}-{PHONE['width']}.png", full_page=True)
            page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]

    with tempfile.TemporaryDirectory() as folder:
        walk(page, stack, "huber.example", Path(folder), look)


def main() -> int:
    """Bring a demo up on free ports, walk, take it down; returns the exit code."""
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="umzug-import-") as folder, Stack(Path(folder), Ports.free()) as stack:
        bring_up(stack, say=False)
        with browser() as chromium:
            take(chromium, stack, pictures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
