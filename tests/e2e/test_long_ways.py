"""Owners for whom it takes longer: an expired mail, an old password to keep, a password mailcow refuses at first."""

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from sandbox.check import DESKTOP, PHONE, page_of, read_invitation
from sandbox.stack import Stack

from .pages import GOOD_PASSWORD, at_the_desk, expect_stage, press, save

DOMAIN = "xn--bckerei-mller-bfb28a.example"
EXPIRED, KEEPING, TOO_SHORT, REFUSED = "hannes.ortner", "petra.schmid", "franz.mueller", "ivana.horvat"
# Of a domain nobody else in these tests invites, and without a deadline, which would lengthen the life of what is
# mailed. The mails need not be waited for here: the tests do.
INVITE = f"""
from migration import mailboxes
from migration.models import Domain, Mailbox
domain = Domain.objects.get(name="{DOMAIN}")
print("deadline:", domain.deadline)
Domain.objects.filter(pk=domain.pk).update(deadline=None)
for local_part in {(EXPIRED, KEEPING, TOO_SHORT, REFUSED)}:
    mailboxes.invite(
        Mailbox.objects.get(domain__name="{DOMAIN}", local_part=local_part), actor="command:test", reason="a test"
    )
"""
AS_BEFORE = f"""
from datetime import date
from migration.models import Domain
Domain.objects.filter(name="{DOMAIN}").update(deadline=date.fromisoformat("{{deadline}}"))
"""
A_MONTH_LATER = f"""
from datetime import timedelta
from django.db.models import F
from migration.models import FirstLogin
month = timedelta(days=31)
print("moved:", FirstLogin.objects.filter(mailbox__local_part="{EXPIRED}", mailbox__domain__name="{DOMAIN}").update(
    created_at=F("created_at") - month, minted_at=F("minted_at") - month
))
"""


@pytest.fixture(scope="module", autouse=True)
def _invited(stack: Stack) -> Iterator[None]:
    told = re.search(r"deadline: (\S+)", stack.manage("shell", "--no-imports", "-c", INVITE))
    assert told
    yield
    stack.manage("shell", "--no-imports", "-c", AS_BEFORE.format(deadline=told[1]))
    requests.post(f"{stack.mailcow}/sandbox/faults/clear", timeout=5)


def address(local_part: str) -> str:
    return f"{local_part}@{DOMAIN}"


def follow_the_mail(page: Page, stack: Stack, local_part: str, *, mails: int = 1) -> str:
    """Open the newest mail in the old mailbox and its link; returns the first-login password."""
    stack.await_mail(address(local_part), count=mails)
    secret = read_invitation(page, stack.mailhost, address(local_part))
    page.locator("pre a").click()
    page.wait_for_url("**/s/*")
    return secret


def sign_in(page: Page, secret: str) -> None:
    page.locator("[name=secret]").fill(secret)
    press(page, "sign-in")


def opens(stack: Stack, local_part: str, password: str) -> bool:
    answer = requests.post(
        f"{stack.mailcow}/sandbox/verify", json={"address": address(local_part), "password": password}, timeout=5
    )
    return bool(answer.json()["success"])


def test_whoever_comes_a_month_late_asks_for_a_new_mail_and_ends_with_an_active_password(
    chromium: Browser, stack: Stack
) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB")
    old = follow_the_mail(page, stack, EXPIRED)
    assert "moved: 1" in stack.manage("shell", "--no-imports", "-c", A_MONTH_LATER)

    sign_in(page, old)
    expect(page.locator("#refusal")).to_be_visible()
    page.get_by_role("link", name="Is the mail older than two weeks? Ask for a new one.").click()
    page.locator("[name=address]").fill(address(EXPIRED))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    new = follow_the_mail(page, stack, EXPIRED, mails=2)
    assert new != old
    sign_in(page, new)
    page.wait_for_url("**/password")
    save(page)
    expect_stage(page, "active")
    assert opens(stack, EXPIRED, GOOD_PASSWORD)


def test_an_owner_who_types_his_old_password_keeps_it(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB")
    sign_in(page, follow_the_mail(page, stack, KEEPING))
    page.get_by_text("May I keep my old password?").click()
    expect(page.get_by_text("Yes, if it meets the rules above.")).to_be_visible()

    save(page, "Vanillekipferl24")

    expect_stage(page, "active")
    expect(page.get_by_text("You keep your password: change only the server name.")).to_be_visible()
    assert opens(stack, KEEPING, "Vanillekipferl24")


def test_an_old_password_that_is_too_short_is_told_so_and_no_other_one_is(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB")
    sign_in(page, follow_the_mail(page, stack, TOO_SHORT))

    save(page, "franzl56")
    expect(page.locator("#refusal")).to_contain_text("This password was not saved.")
    save(page, "franzl55")
    expect(page.locator("#refusal")).to_contain_text("This is your old password, but it is too short")
    expect(page.locator("[data-rule=short][data-broken]")).to_be_visible()
    assert not opens(stack, TOO_SHORT, "franzl55")

    save(page)
    expect_stage(page, "active")
    expect(page.get_by_text("You keep your password")).to_have_count(0)


def test_a_refused_password_is_looked_after_until_staff_start_the_transfer_again(
    chromium: Browser, stack: Stack
) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB")
    sign_in(page, follow_the_mail(page, stack, REFUSED))
    page.wait_for_url("**/password")
    refusal = {"kind": "reject", "code": "password_complexity"}
    requests.post(f"{stack.mailcow}/sandbox/faults", json=refusal, timeout=5).raise_for_status()

    save(page)
    expect_stage(page, "looked_after")
    expect(page.get_by_role("heading", name="Saved. We are on it")).to_be_visible()
    page.reload()
    expect(page.locator("[data-stage]")).to_have_attribute("data-stage", "looked_after")
    assert not opens(stack, REFUSED, GOOD_PASSWORD)

    desk = page_of(chromium, size=DESKTOP, language="en-GB")
    at_the_desk(desk, stack)
    desk.goto(f"{stack.portal}/staff/search/?q={REFUSED}")
    row = desk.get_by_role("row").filter(has_text=REFUSED)
    expect(row).to_contain_text("needs attention")
    expect(row).to_contain_text("The new server's own password rules refused the password.")
    row.get_by_role("link", name=re.compile(REFUSED)).click()
    desk.get_by_role("button", name="Transfer again now").click()
    expect(desk.get_by_text("The transfer starts again.")).to_be_visible()

    expect_stage(page, "active")
    assert opens(stack, REFUSED, GOOD_PASSWORD)
