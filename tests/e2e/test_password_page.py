"""The new-password page: rules ticked while typing, suggestions, show and hide, the strength meter, the weight."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import translation
from playwright.sync_api import Browser, Page, Request, Route, expect

from accounts.password_policy import Policy, context_words
from sandbox.check import PHONE, page_of
from sandbox.stack import ROOT, Stack
from tests.running import LEAVE_NOTHING_OUT

from .pages import GOOD_PASSWORD, expect_stage, save, sign_in

RULES = ROOT / "static" / "js" / "rules.js"
WORKER = "strength/worker"
METER = "[data-verdict]"
ALL_RULES = {"short", "lower", "upper", "digit", "words"}

meter_needed = pytest.mark.skipif(
    not (ROOT / "build" / "static" / "strength" / "worker.js").exists() and not LEAVE_NOTHING_OUT,
    reason="the strength meter is not built: `make meter`",
)


@pytest.fixture(scope="module")
def owner(chromium: Browser, stack: Stack) -> Page:
    """An owner on a German phone, signed in, on the page."""
    page = page_of(chromium, size=PHONE, language="de-AT")
    sign_in(page, stack, "josef.sonnleitner")
    return page


@pytest.fixture
def page(owner: Page) -> Iterator[Page]:
    """The page afresh."""
    owner.reload()
    yield owner
    owner.unroute_all()


def kept(page: Page) -> set[str]:
    ticked: list[str] = page.locator("[data-rule][data-kept]").evaluate_all("all => all.map(one => one.dataset.rule)")
    return set(ticked)


def test_browser_and_server_agree_on_the_table(chromium: Browser) -> None:
    """rules.js judges every password by the data the server would write into the page."""
    table = json.loads((Path(__file__).parent.parent / "unit" / "passwords.json").read_text(encoding="utf-8"))
    rules = {}
    for name, of in table["contexts"].items():
        words = context_words(of["local_part"], of["domain"], of["provider"])
        policy = Policy(words=words, ascii_only=of["ascii_only"], least=of["least"])
        rules[name] = [{"name": rule.name, **rule.attributes} for rule in policy.rules]
    page = chromium.new_page()
    page.route("**/*", lambda route: _one_script(route, RULES))
    page.goto("http://rules.example/")

    # As a text, because half a character would not survive the way into the browser otherwise.
    found = page.evaluate(
        """async ([rules, cases]) => {
          const { broken } = await import("/rules.js");
          return JSON.parse(cases).map(([password, context]) => broken(rules[context], password).sort());
        }""",
        [rules, json.dumps(table["cases"])],
    )

    of_the_server_alone = {"common", "guessable"}
    assert len(found) >= 200
    assert [
        (password, context, told)
        for (password, context, broken), told in zip(table["cases"], found, strict=True)
        if set(told) != set(broken) - of_the_server_alone
    ] == []


@meter_needed
def test_meter_and_server_agree_on_what_is_common(page: Page) -> None:
    table = json.loads((Path(__file__).parent.parent / "unit" / "passwords.json").read_text(encoding="utf-8"))

    found = page.evaluate(
        """async (cases) => {
          const worker = new Worker(document.querySelector("[data-strength]").dataset.strength);
          const common = [];
          for (const [password] of JSON.parse(cases)) {
            worker.postMessage({ password, words: [], language: "de" });
            await new Promise((told) => { worker.onmessage = ({ data }) => { common.push(data.common); told(); }; });
          }
          return common;
        }""",
        json.dumps(table["cases"]),
    )

    assert found == ["common" in broken for _password, _context, broken in table["cases"]]


def test_rules_are_ticked_while_typing(page: Page) -> None:
    field = page.locator("#password")
    assert kept(page) == set()

    field.press_sequentially("kaffee")
    assert kept(page) == {"lower", "words"}
    field.press_sequentially("-TOR")
    assert kept(page) == {"lower", "upper", "words"}
    field.press_sequentially("-81")
    assert kept(page) == ALL_RULES
    field.press_sequentially("-josef")
    expect(page.locator("[data-rule=words]")).to_have_attribute("data-broken", "")
    field.fill("")
    assert kept(page) == set()


def test_a_rule_that_concerns_few_appears_when_it_is_broken(page: Page) -> None:
    ascii_rule = page.locator("[data-rule=ascii]")
    expect(ascii_rule).to_be_hidden()

    page.locator("#password").fill("Kaffee81-bläu")
    expect(ascii_rule).to_be_visible()
    page.locator("#password").fill("Kaffee81-blau")
    expect(ascii_rule).to_be_hidden()


def test_what_is_pasted_is_ticked_too(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", GOOD_PASSWORD)

    page.locator("#password").focus()
    page.keyboard.press("Control+V")

    expect(page.locator("#password")).to_have_value(GOOD_PASSWORD)
    assert kept(page) == ALL_RULES


def test_the_password_is_shown_and_hidden_again(page: Page) -> None:
    field, button = page.locator("#password"), page.locator("[data-show]")
    field.fill("geheim")
    expect(field).to_have_attribute("type", "password")

    button.click()
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_value("geheim")


def test_every_suggestion_is_long_different_and_good(page: Page) -> None:
    policy = Policy(words=context_words("josef.sonnleitner", "sonnleitner.example", "ITEG"))
    drawn = []
    for _ in range(60):
        expect(page.locator("[data-suggestion]")).not_to_be_empty()  # until the script has drawn the first
        drawn.append(page.locator("[data-suggestion]").inner_text())
        page.locator("[data-next]").click()

    with translation.override("en"):
        assert [password for password in drawn if policy.broken(password)] == []
    assert len(set(drawn)) == len(drawn)
    assert all(password.count("-") == 3 for password in drawn)
    assert all(len(set(re.sub(r"[0-9]", "", password).lower().split("-"))) == 4 for password in drawn)


def test_suggestions_are_in_the_language_of_the_page(chromium: Browser, stack: Stack) -> None:
    english = set((ROOT / "static" / "js" / "words-en.js").read_text(encoding="utf-8").split("`")[1].split())
    page = page_of(chromium, size=PHONE, language="en-GB")
    sign_in(page, stack, "nina.berger")
    drawn = []
    for _ in range(30):
        expect(page.locator("[data-suggestion]")).not_to_be_empty()  # until the script has drawn the first
        drawn.append(page.locator("[data-suggestion]").inner_text())
        page.locator("[data-next]").click()

    policy = Policy(words=context_words("nina.berger", "sonnleitner.example", "ITEG"))
    assert {word.strip("23456789").lower() for password in drawn for word in password.split("-")} <= english
    assert [password for password in drawn if policy.broken(password)] == []
    assert len(set(drawn)) == len(drawn)


def test_a_suggestion_taken_can_be_read_and_keeps_every_rule(page: Page) -> None:
    suggestion = page.locator("[data-suggestion]").inner_text()

    page.locator("[data-take]").click()

    expect(page.locator("#password")).to_have_value(suggestion)
    expect(page.locator("#password")).to_have_attribute("type", "text")
    assert kept(page) == ALL_RULES


@meter_needed
def test_the_meter_judges_in_words_in_the_language_of_the_page(page: Page) -> None:
    field, verdict = page.locator("#password"), page.locator(METER)
    expect(verdict).to_have_text("")
    expect(page.locator(".bar")).to_be_hidden()

    field.fill("passwort")
    expect(verdict).to_have_text("Stärke: schwach. Dies ist ein oft verwendetes Passwort.", timeout=20_000)
    expect(page.locator(".bar")).to_be_visible()
    field.fill("Sommer202612")
    expect(verdict).to_have_text(
        "Stärke: sehr schwach. Das ist eines der Passwörter, die überall zuerst probiert werden."
    )
    field.fill(GOOD_PASSWORD)
    expect(verdict).to_contain_text("Stärke: sehr gut")
    field.fill("")
    expect(verdict).to_have_text("")


@meter_needed
def test_the_meter_speaks_english_on_an_english_page(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE, language="en-GB", bypass_csp=True)
    sign_in(page, stack, "josef.sonnleitner")

    page.locator("#password").fill("password")

    expect(page.locator(METER)).to_contain_text("Strength: very weak. This is a heavily used", timeout=20_000)
    assert Axe().run(page).response["violations"] == []


@meter_needed
def test_nothing_that_breaks_a_rule_is_called_good(page: Page) -> None:
    page.locator("#password").fill("josef-tG7#kkq2Lw9x-Dachs")

    expect(page.locator("[data-score='2']")).to_be_visible(timeout=20_000)


@meter_needed
def test_the_meter_keeps_up_with_typing_that_is_hard_to_judge(page: Page) -> None:
    page.locator("#password").press_sequentially("4@8({[<369!|$5+7%0" * 4, delay=5)
    page.locator("#password").fill("passwort")

    expect(page.locator(METER)).to_contain_text("Stärke: schwach", timeout=20_000)


def test_the_page_is_light_and_the_meter_comes_with_the_first_character(page: Page) -> None:
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - Playwright marks the handler
    page.route("**/*", lambda route: route.continue_())  # and nothing from the browser's cache
    page.reload(wait_until="networkidle")
    page.locator("[data-next]").click()

    # Fetched once more: a browser does not keep the bodies of everything it has loaded.
    sent = {url: page.context.request.get(url).body() for url in {request.url for request in asked}}
    assert not any(WORKER in url for url in sent)
    assert len(sent) >= 8
    assert sum(len(gzip.compress(body)) for body in sent.values()) <= 60_000


def test_a_meter_that_does_not_arrive_hinders_nobody(chromium: Browser, stack: Stack) -> None:
    page = page_of(chromium, size=PHONE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(f"**/{WORKER}*", lambda route: route.abort())
    sign_in(page, stack, "johanna.bauer")

    save(page)

    expect_stage(page, "active")
    assert errors == []


def test_a_page_without_a_meter_ticks_the_rules(page: Page) -> None:
    page.route("**/password", _without_meter)
    page.reload()
    page.unroute_all()

    page.locator("#password").fill(GOOD_PASSWORD)

    assert page.locator("[data-strength]").count() == 0
    assert kept(page) == ALL_RULES


def test_whoever_saves_data_is_sent_no_meter(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    page.reload()

    page.locator("#password").fill(GOOD_PASSWORD)

    assert kept(page) == ALL_RULES
    assert not any(WORKER in url for url in asked)


def _one_script(route: Route, script: Path) -> None:
    if route.request.url.endswith(".js"):
        route.fulfill(body=script.read_text(encoding="utf-8"), content_type="text/javascript")
    else:
        route.fulfill(body="<!DOCTYPE html><title>Rules</title>", content_type="text/html")


def _without_meter(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("data-strength=", "data-no-strength="))
