"""A day at the desk: a domain from its import to its end, an owner on the phone, and the keyboard alone."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of
from sandbox.stack import Stack

from .pages import GOOD_PASSWORD, at_the_desk, press, save
from .test_accessibility import in_both_schemes

TABLET = {"width": 768, "height": 1024}
PLANNED, HELPED = "gärtnerei-blum.example", "tischlerei-roth.example"
CUSTOMER = ("--customer", "Blum und Roth", "--contact", "eva@blum.example")
INVITE = f"""
from migration import domains
from migration.addresses import domain_to_ascii
from migration.models import Domain
domains.start(Domain.objects.get(name=domain_to_ascii("{HELPED}")), actor="command:test", reason="agreed on the phone")
"""


@pytest.fixture(scope="module")
def staff(chromium: Browser, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """An admin at the desk, and two domains of a customer of his own."""
    for name, people in ((PLANNED, ("ida", "otto", "lea")), (HELPED, ("max", "rosa"))):
        file: Path = tmp_path_factory.mktemp("files") / "mailboxes.csv"
        file.write_text("\n".join(["address;name", *(f"{one}@{name};{one.title()} Blum" for one in people)]))
        stack.manage("import_mailboxes", str(file), "--domain", name, *CUSTOMER)
    page = page_of(chromium, size=DESKTOP, language="en-GB", bypass_csp=True)
    at_the_desk(page, stack)
    yield page
    page.close()


def open_domain(page: Page, stack: Stack, name: str) -> str:
    page.goto(f"{stack.portal}/staff/?q={name}")
    page.locator("th a.address", has_text=name).click()
    page.wait_for_url("**/staff/domains/*/")
    return page.url


def found_by_axe(page: Page) -> list[str]:
    """What axe finds in light and in dark, and whether the page is wider than the window, on a screen and a tablet."""
    found = []
    for size in (TABLET, DESKTOP):
        page.set_viewport_size({"width": size["width"], "height": size["height"]})
        found += in_both_schemes(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{page.url} is wider than {size['width']}")
    return found


def days(page: Page, **numbers: int) -> None:
    for name, number in numbers.items():
        page.locator(f"#id_{name}").fill(f"{timezone.localdate() + timedelta(days=number)}")
    page.get_by_role("button", name="Save the plan").click()


def test_an_admin_leads_a_domain_from_its_plan_to_its_end(staff: Page, stack: Stack) -> None:
    address = open_domain(staff, stack, PLANNED)

    plan_and_announce(staff, address)
    invite_two(staff, address)
    pause_and_resume(staff, address)
    for verb, reason in (("cut-over", "Agreed with the customer."), ("finish", "Nobody reads the others.")):
        staff.goto(f"{address}plan/")
        form = staff.locator(f"form[action$='/{verb}/']")
        staff.locator("details", has=form).locator("summary").click()
        form.locator("[name=reason]").fill(reason)
        form.locator("button").click()
        expect(staff.locator(".notice.good")).to_be_visible()

    staff.goto(f"{stack.portal}/staff/audit/")
    expect(staff.locator("tbody tr", has_text="move finished").first).to_contain_text(PLANNED)


def plan_and_announce(staff: Page, address: str) -> None:
    """Dates in the plan; the clock tells the contact, and his server accepts it."""
    staff.goto(f"{address}plan/")
    days(staff, announce_on=0, invite_on=2, deadline=21, cut_over_on=22, ends_on=60)
    expect(staff.get_by_text("The plan is saved.")).to_be_visible()
    accepted = staff.get_by_text("accepted it.")
    for _second in range(60):
        if accepted.count():
            break
        staff.wait_for_timeout(1_000)
        staff.reload()
    expect(accepted).to_be_visible()


def invite_two(staff: Page, address: str) -> None:
    """Two of the list at once."""
    staff.goto(address)
    for box in staff.locator("[name=mailbox]").all()[:2]:
        box.check()
    staff.locator("[name=verb]").select_option("invite")
    staff.locator(".bulk button").click()
    expect(staff.locator("h1")).to_contain_text("2")
    staff.locator("main form button[type=submit]").click()
    expect(staff.locator("main")).to_contain_text("2")
    staff.goto(address)
    expect(staff.locator("tbody .badge", has_text="invited")).to_have_count(2)


def pause_and_resume(staff: Page, address: str) -> None:
    """With a reason that is shown as long as it lasts."""
    staff.goto(f"{address}plan/")
    form = staff.locator("form[action$='/pause/']")
    staff.locator("details", has=form).locator("summary").click()
    form.locator("[name=reason]").fill("The owner is on holiday.")
    form.locator("button").click()
    staff.goto(address)
    expect(staff.locator("main")).to_contain_text("The owner is on holiday.")
    staff.locator("form[action$='/resume/'] button").first.click()
    expect(staff.locator("form[action$='/pause/'] button").first).to_be_visible()


def test_support_tells_in_three_clicks_whether_the_password_is_set_and_why_it_does_not_work(
    chromium: Browser, staff: Page, stack: Stack
) -> None:
    stack.manage("shell", "-c", INVITE)
    owner = page_of(chromium, size=PHONE, language="en-GB")
    mails = stack.mails(f"max@{HELPED}")
    for _second in range(90):
        if mails:
            break
        owner.wait_for_timeout(1_000)
        mails = stack.mails(f"max@{HELPED}")
    text = mails[-1]["text"]
    link, secret = re.search(r"http://\S+/s/[\w-]+", text), re.search(r"\b\S{4}-\S{4}-\S{4}-\S{4}\b", text)
    assert link
    assert secret
    owner.goto(link[0])
    owner.locator("[name=secret]").fill(secret[0])
    press(owner, "sign-in")
    owner.wait_for_url("**/password")
    save(owner, GOOD_PASSWORD)
    owner.wait_for_url("**/done")
    owner.close()

    staff.goto(f"{stack.portal}/staff/")
    staff.locator("#find").fill(f"max@{HELPED}")  # the first
    staff.locator("#find").press("Enter")
    staff.locator("main th a.address").first.click()  # the second
    told = staff.locator("main")
    for _second in range(40):
        if "does not exist on the new server yet" in told.inner_text():
            break
        staff.wait_for_timeout(1_000)
        staff.reload()

    expect(staff.locator("#situation + p")).to_contain_text("Yes, on")
    expect(told).to_contain_text("The mailbox does not exist on the new server yet.")


def test_with_the_keyboard_alone_a_mailbox_is_found_and_looked_at(staff: Page, stack: Stack) -> None:
    staff.goto(f"{stack.portal}/staff/")

    staff.keyboard.press("Tab")
    expect(staff.locator("a.skip")).to_be_focused()
    staff.keyboard.press("/")
    staff.keyboard.type(f"rosa@{HELPED}")
    staff.keyboard.press("Enter")
    staff.wait_for_url("**/search/**")
    link = staff.locator("main th a.address").first
    for _key in range(60):
        staff.keyboard.press("Tab")
        if link.evaluate("one => one === document.activeElement"):
            break
    staff.keyboard.press("Enter")

    staff.wait_for_url("**/staff/mailboxes/*/")
    expect(staff.locator("h1")).to_have_text(f"rosa@{HELPED}")


@pytest.mark.parametrize(
    "page", ["", "search/?q=blum", "audit/", "follow-ups/", "cases/", "operation/", "tokens/", "bans/", "logins/"]
)
def test_pages_of_the_desk_are_accessible_and_fit(staff: Page, stack: Stack, page: str) -> None:
    staff.goto(f"{stack.portal}/staff/{page}")

    assert found_by_axe(staff) == []


OF_A_DOMAIN = ["", "plan/", "checks/", "announce/", "review/", "letters/", "provisioning/", "summary/"]


@pytest.mark.parametrize("part", OF_A_DOMAIN)
def test_pages_of_a_domain_are_accessible_and_fit(staff: Page, stack: Stack, part: str) -> None:
    address = open_domain(staff, stack, HELPED)
    staff.goto(f"{address}{part}")

    assert found_by_axe(staff) == []


def test_a_mailboxs_page_and_a_new_token_are_accessible_and_fit(staff: Page, stack: Stack) -> None:
    open_domain(staff, stack, HELPED)
    staff.locator("tbody a.address").first.click()
    staff.wait_for_url("**/staff/mailboxes/*/")
    found = found_by_axe(staff)

    staff.goto(f"{stack.portal}/staff/tokens/new/")
    if staff.locator("[name=password]").count():
        staff.locator("[name=password]").fill(stack.secret("staff_password"))
        staff.locator("main form button[type=submit]").first.click()
    staff.locator("[name=name]").fill("wallboard")
    staff.locator("[name=scopes]").first.check()
    found += found_by_axe(staff)
    staff.get_by_role("button", name="Make it and show it once").click()
    expect(staff.locator("#token")).to_contain_text("umzug_")
    found += found_by_axe(staff)

    assert found == []
