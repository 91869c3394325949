"""The wait after several wrong tries counts down before the owner's eyes, and decides nothing."""

import re

from playwright.sync_api import Browser, Page, expect

from sandbox.check import PHONE, page_of
from sandbox.stack import Stack

from .pages import press

# An owner of a domain of his own, after a dozen wrong tries with his link; nobody wants to make them.
A_DOZEN_WRONG = """
from datetime import timedelta
from django.db.models.functions import Now
from django.utils import timezone
from accounts.models import Attempts
from migration import first_login
from migration.models import Customer, Domain, FirstLogin, Mailbox
domain, _ = Domain.objects.get_or_create(name="wait.example", customer=Customer.objects.first())
mailbox = Mailbox.objects.create(domain=domain, local_part=first_login.new_locator().lower(), state="invited")
invitation = FirstLogin.objects.create(mailbox=mailbox, number=1, locator=first_login.new_locator())
print("owner:", invitation.locator, first_login.show(first_login.mint(invitation)))
until = Now() + timedelta(seconds=55)
Attempts.objects.create(bucket=f"link:{invitation.pk}", count=12, since=timezone.now(), not_before=until)
"""


def too_early(page: Page, stack: Stack) -> str:
    """Sign in during the wait; returns the right first-login password."""
    said = stack.manage("shell", "--no-imports", "-c", A_DOZEN_WRONG)
    locator, secret = said.partition("owner:")[2].split()[:2]
    page.goto(f"{stack.portal}/s/{locator}")
    page.locator("[name=secret]").fill(secret)
    press(page, "sign-in")
    expect(page.locator("#wait")).to_be_visible()
    return secret


def test_the_seconds_count_down_and_only_some_are_spoken(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB")
    page.clock.install()
    too_early(page, stack)
    line = page.locator("[data-countdown]")
    seconds = int(line.get_attribute("data-countdown") or 0)
    shown, spoken = line.locator("strong"), line.locator("[role=status]")
    page.evaluate("window.heard = []")
    page.evaluate(
        "new MutationObserver(() => heard.push(document.querySelector('[data-countdown] [role=status]').textContent))"
        ".observe(document.querySelector('[data-countdown] [role=status]'), { childList: true })"
    )

    expect(shown).to_have_text(re.compile(r"0:\d\d"))
    page.clock.run_for((seconds - 20) * 1000)
    expect(shown).to_have_text(re.compile(r"0:(20|19)"))
    page.clock.run_for(21_000)

    expect(shown).to_be_hidden()
    expect(spoken).to_have_text("The wait is over: please enter the first-login password once more.")
    heard = page.evaluate("heard")
    assert [text[:22] for text in heard] == ["Seconds still to wait:"] * 2 + ["The wait is over: plea"]
    # Nothing was sent or filled in by itself.
    expect(page.locator("#wait")).to_be_visible()
    expect(page.locator("[name=secret]")).to_have_value("")


def test_whoever_tries_during_the_wait_is_told_again(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE)
    secret = too_early(page, stack)

    expect(page.locator("[data-sign-in] button[type=submit]")).to_be_enabled()
    page.locator("[name=secret]").fill(secret)
    press(page, "sign-in")

    expect(page.locator("#wait")).to_be_visible()
    expect(page.locator("[data-countdown]")).to_be_visible()


def test_without_javascript_the_sentence_says_it_and_nothing_counts(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, java_script_enabled=False)
    secret = too_early(page, stack)

    assert re.search(r"\b[1-5]?[0-9] Sekunden\b", page.locator("#wait").inner_text())
    expect(page.locator("[data-countdown]")).to_be_hidden()
    stack.manage(
        "shell", "--no-imports", "-c", "from accounts.models import Attempts as A; A.objects.update(not_before=None)"
    )
    page.locator("[name=secret]").fill(secret)
    press(page, "sign-in")
    page.wait_for_url("**/password")
