"""Headers and cookies of every page an owner or a stranger can get, the error pages too."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.theme import READABLE, contrast, stylesheet
from migration.models import Mailbox
from tests import factories

from .door import owner_client, save, sign_in

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
}


def every_answer(mailbox: Mailbox) -> dict[str, Any]:
    first_login, _ = factories.make_first_login(mailbox)
    stranger, owner = Client(raise_request_exception=False), owner_client(mailbox)
    strict = Client(enforce_csrf_checks=True)
    answers = {
        "sign-in": stranger.get("/"),
        "link": stranger.get(f"/s/{first_login.locator}"),
        "refused": sign_in(stranger, mailbox.address, "x"),
        "redirect": stranger.get("/done"),
        "400": stranger.get("/", headers={"host": "evil.example"}),
        "403": strict.post("/", {}),
        "404": stranger.get("/nowhere"),
        "405": stranger.put("/"),
        "password": owner.get("/password"),
        "password refused": save(owner, "x"),
    }
    save(owner)
    return answers | {"done": owner.get("/done"), "state": owner.get("/done/state"), "guide": owner.get("/guide")}


def test_every_answer_carries_the_headers(mailbox: Mailbox) -> None:
    for name, response in every_answer(mailbox).items():
        headers = response.headers
        assert set(headers["Content-Security-Policy"].split("; ")) == POLICY, name
        assert headers["Cache-Control"] == "no-store", name
        assert headers["X-Content-Type-Options"] == "nosniff", name
        # A forged host is refused before the middleware that sets it; frame-ancestors says the same.
        assert name == "400" or headers["X-Frame-Options"] == "DENY", name
        assert headers["Referrer-Policy"] == "same-origin", name
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", name
        assert headers["X-Robots-Tag"] == "noindex, nofollow", name
        assert headers["Permissions-Policy"], name


def test_an_error_of_ours_is_a_friendly_page_with_the_headers(db: None, monkeypatch: Any, settings: Any) -> None:
    monkeypatch.setattr("accounts.sign_in.parse", lambda _text: 1 / 0)
    client = Client(raise_request_exception=False)

    response = sign_in(client, "anna@demo.example", "a-Secret-of-Anna")

    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()
    assert "a-Secret-of-Anna" not in response.content.decode()
    assert settings.PROVIDER_PHONE in response.content.decode()
    assert "To the sign-in" in response.content.decode()
    assert set(response.headers["Content-Security-Policy"].split("; ")) == POLICY


def test_a_form_of_the_start_page_that_came_without_its_cookie_leads_back_to_the_sign_in(db: None) -> None:
    page = Client(enforce_csrf_checks=True).post("/", {}).content.decode()

    assert "To the sign-in" in page
    assert "To the desk" not in page


def test_no_page_has_inline_code_or_another_host(mailbox: Mailbox) -> None:
    for name, response in every_answer(mailbox).items():
        page = response.content.decode()
        assert "<style" not in page, name
        assert " style=" not in page, name
        assert " onclick=" not in page, name
        assert page.count("<script") == page.count('<script type="module" src="/static/js/'), name
        assert 'src="http' not in page, name
        assert '<link rel="stylesheet" href="http' not in page, name


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    client.get("/password")

    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert client.cookies[name]["httponly"], name
        assert client.cookies[name]["samesite"] == "Lax", name


def test_the_language_can_be_changed_without_javascript(client: Client, db: None) -> None:
    response = client.post("/language", {"language": "de", "next": "/"})

    assert response["Location"] == "/"
    assert '<html lang="de">' in client.get("/").content.decode()


@pytest.mark.parametrize("page", ["/", "/nowhere"])
def test_help_is_on_every_page(client: Client, db: None, page: str) -> None:
    text = client.get(page).content.decode()

    assert 'href="tel:+431234567"' in text
    assert "support@provider.example" in text


def test_the_theme_is_the_providers_colour(client: Client, settings: Any) -> None:
    settings.PROVIDER_COLOUR = "#A51E36"

    response = client.get("/theme.css")

    assert response["Content-Type"] == "text/css"
    assert "--brand:#a51e36" in response.content.decode()


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "#0b5cad;}body{display:none", ""])
def test_what_is_no_colour_does_not_get_into_the_theme(colour: str) -> None:
    assert stylesheet(colour) == stylesheet("#0b5cad")


@pytest.mark.parametrize("colour", ["#0b5cad", "#ffe600", "#ffffff", "#000000", "#7f7f7f", "#00ff00", "#a51e36"])
def test_any_colour_gives_text_that_can_be_read(colour: str) -> None:
    light, dark = stylesheet(colour).split("@media")
    value: Callable[[str, str], str] = lambda css, name: css.split(f"--{name}:")[1][:7]  # noqa: E731

    assert contrast(value(light, "brand"), value(light, "on-brand")) >= READABLE
    assert contrast(value(light, "accent"), "#ffffff") >= READABLE
    assert contrast(value(light, "accent"), value(light, "tint")) >= READABLE
    assert contrast(value(dark, "accent"), "#1d2127") >= READABLE
    assert contrast(value(dark, "accent"), value(dark, "tint")) >= READABLE - 1
