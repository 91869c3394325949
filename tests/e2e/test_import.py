"""An admin imports mailboxes in the browser: without a manual, a mouse, or a file that is short."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.import_pictures import add_domain, choose_domain, choose_file, send, walk
from sandbox.stack import Stack

from .pages import at_the_desk
from .test_accessibility import violations

LONG = 12_000
# Long enough for a page that looks every two seconds to see it in the middle.
MUCH_LONGER = 60_000
WORKER_MS = 60_000


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, stack: Stack) -> Any:
    """The cookies of an admin who has just signed in: a code of the phone works once, so all tests share them."""
    page = page_of(chromium, size=DESKTOP)
    at_the_desk(page, stack)
    return page.context.storage_state()


@pytest.fixture
def admin(chromium: Browser, signed_in: Any) -> Iterator[Page]:
    page = page_of(chromium, size=DESKTOP, language="en-GB", storage_state=signed_in)
    yield page
    page.context.close()


def boxes(domain: str, number: int) -> str:
    return "address,name\n" + "".join(f"m{n:06}@{domain},Box {n}\n" for n in range(number))


def upload_long(page: Page, stack: Stack, domain: str, folder: Path, *, rows: int = LONG) -> None:
    page.goto(f"{stack.portal}/admin/")
    add_domain(page, domain)
    page.goto(f"{stack.portal}/admin/migration/importrun/add/")
    choose_domain(page, domain)
    choose_file(page, folder / "long.csv", boxes(domain, rows))
    send(page)


def run_number(page: Page) -> str:
    return page.url.split("/importrun/")[1].split("/")[0]


def applied(stack: Stack, number: str) -> str:
    """The line of the history."""
    lines = stack.manage("import_runs").splitlines()
    return next(line for line in lines if line.split()[0] == number)


def in_both_schemes(chromium: Browser, signed_in: Any, address: str, shows: str) -> list[str]:
    """What axe finds on the page once it shows this."""
    found = []
    for scheme in ("light", "dark"):
        page = page_of(chromium, size=PHONE, color_scheme=scheme, storage_state=signed_in, bypass_csp=True)
        page.goto(address)
        expect(page.locator(shows)).to_be_visible()
        found += violations(page)
        page.context.close()
    return found


@pytest.mark.parametrize(("language", "scheme"), [("en-GB", "light"), ("de-AT", "dark")])
def test_an_admin_who_never_saw_it_imports_a_file_by_keyboard(
    language: str, scheme: str, chromium: Browser, signed_in: Any, stack: Stack, tmp_path: Path
) -> None:
    options = {"language": language, "color_scheme": scheme, "storage_state": signed_in, "bypass_csp": True}
    page = page_of(chromium, size=DESKTOP, **options)
    looked_at, found, too_wide = list[str](), list[str](), list[str]()

    def look(page: Page, name: str) -> None:
        looked_at.append(name)
        found.extend(violations(page))
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            too_wide.append(name)
        page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]

    walk(page, stack, f"{language[:2]}-huber.example", tmp_path, look)

    assert looked_at == ["index", "empty", "history", "upload", "preview", "changed", "done"]
    assert (found, too_wide) == ([], [])


def test_the_page_follows_a_long_import_by_itself(
    chromium: Browser, signed_in: Any, admin: Page, stack: Stack, tmp_path: Path
) -> None:
    upload_long(admin, stack, "long.example", tmp_path)
    expect(admin.locator("h2", has_text=f"({LONG})")).to_be_visible(timeout=WORKER_MS)
    found = in_both_schemes(chromium, signed_in, f"{admin.url}?group=new&page=9", "nav.paginator")

    send(admin)

    assert found == []
    expect(admin.locator("a[href*='/staff/domains/'].button")).to_be_visible(timeout=WORKER_MS)
    assert applied(stack, run_number(admin)).split()[3:6] == ["applied", "csv", str(LONG)]


def test_without_javascript_the_page_tells_when_it_is_loaded_again(
    chromium: Browser, signed_in: Any, stack: Stack, admin: Page, tmp_path: Path
) -> None:
    admin.goto(f"{stack.portal}/admin/")
    add_domain(admin, "plain.example")
    page = page_of(chromium, size=DESKTOP, language="en-GB", storage_state=signed_in, java_script_enabled=False)
    page.goto(f"{stack.portal}/admin/migration/importrun/add/")
    page.locator("#id_domain").select_option(label="plain.example")
    path = tmp_path / "long.csv"
    path.write_text(boxes("plain.example", LONG), encoding="utf-8")
    page.locator("#id_file").set_input_files(path)
    page.locator("#content input[type=submit].default").click()

    looks = 0
    while page.locator("[data-progress]").count():
        page.locator("[data-progress] a").click()
        looks += 1
        assert looks < 2_000

    expect(page.locator("h2", has_text=f"({LONG})")).to_be_visible()


def test_a_long_text_may_be_pasted_all_the_same(admin: Page, stack: Stack) -> None:
    admin.goto(f"{stack.portal}/admin/")
    add_domain(admin, "paste.example")
    admin.goto(f"{stack.portal}/admin/migration/importrun/add/")
    choose_domain(admin, "paste.example")
    admin.locator("#id_content").evaluate("(field, text) => { field.value = text; }", boxes("paste.example", 4_000))

    send(admin)

    expect(admin.locator("h1", has_text="pasted.txt")).to_be_visible()
    expect(admin.locator("h2", has_text="(4000)")).to_be_visible()


def test_a_killed_worker_s_import_goes_on_by_hand(
    chromium: Browser, signed_in: Any, admin: Page, stack: Stack, tmp_path: Path
) -> None:
    upload_long(admin, stack, "killed.example", tmp_path, rows=MUCH_LONGER)
    expect(admin.locator("h2", has_text=f"({MUCH_LONGER})")).to_be_visible(timeout=WORKER_MS)
    number = run_number(admin)
    send(admin)
    expect(admin.locator("[data-done]")).not_to_have_text("0", timeout=WORKER_MS)

    stack.kill("worker")
    try:
        before = applied(stack, number).split()
        found = in_both_schemes(chromium, signed_in, admin.url, "[data-progress]")
        said = stack.manage("import_runs", "--resume", number)
    finally:
        stack.start_worker()

    assert before[3] == "running"
    assert found == []
    assert 0 < int(before[5]) < MUCH_LONGER
    assert f"{MUCH_LONGER}" in said
    assert applied(stack, number).split()[3:6] == ["applied", "csv", str(MUCH_LONGER)]
    expect(admin.locator("a[href*='/staff/domains/'].button")).to_be_visible()
