"""Bad input at the sign-in, S1 to S28: the stated answer, never a 500, and nobody signed in who should not be.

"Uniform" is the page everybody gets whose try failed; it tells nobody whether the mailbox exists.
"""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from accounts.attempts import Attempts, Bucket, address_bucket
from migration import first_login as first_logins
from migration import mailboxes
from migration.models import Event, FirstLogin, Mailbox
from tests import factories

from .door import rows, sign_in, without_csrf

WRONG = "bcdf-ghjk-mnpq-rs34"
param = pytest.param


def is_uniform(response: Any) -> bool:
    """Whether this is the page of every failed try, apart from the address that was typed into it."""
    usual = sign_in(Client(), "nobody@nowhere.example", WRONG, REMOTE_ADDR="192.0.2.200")
    return response.status_code == usual.status_code == 422 and blank(response) == blank(usual)


def blank(response: Any) -> bytes:
    page = re.sub(rb'(name="address")[^>]*', rb"\1", without_csrf(response))
    page = re.sub(rb'(name="next" value="/)s/[\w-]+', rb"\1", page)
    return re.sub(rb'value="[^"]*"(?=[^>]*name="address")', b"", page)


def assert_nobody_in(client: Client, mailbox: Mailbox) -> None:
    mailbox.refresh_from_db()
    assert mailbox.state == Mailbox.State.INVITED
    assert client.get("/password").status_code == 302


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        param("", WRONG, id="S1-empty-address"),
        param("   ", WRONG, id="S1-blank-address"),
        param("anna@demo.example", "", id="S1-empty-secret"),
        param("anna@demo.example", " ", id="S1-blank-secret"),
    ],
)
def test_an_empty_field_is_said_and_costs_no_try(client: Client, mailbox: Mailbox, address: str, secret: str) -> None:
    response = sign_in(client, address, secret)

    assert response.status_code == 422
    assert 'class="errors"' in response.content.decode()
    assert 'id="refusal"' not in response.content.decode()
    assert Attempts.objects.count() == 0


@pytest.mark.parametrize(
    "address",
    [
        param("anna@demo.example\u00a0", id="S2-no-break-space"),
        param("  anna@demo.example\r\n", id="S2-line-end"),
        param("\u200banna@demo.example", id="S2-zero-width"),
        param("ANNA@DEMO.EXAMPLE", id="S3-capitals"),
        param("Anna@Demo.Example.", id="S3-dot"),
    ],
)
def test_the_owners_address_typed_differently_works_and_has_one_bucket(
    client: Client, mailbox: Mailbox, address: str
) -> None:
    _, secret = factories.make_first_login(mailbox)
    sign_in(Client(), address, WRONG)
    own = Attempts.objects.filter(bucket__startswith="address:")
    assert [row.bucket for row in own] == [address_bucket("anna@demo.example").key]

    assert sign_in(client, address, secret).status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        param("anna@bücher.example", id="S7-umlaut"),
        param("anna@xn--bcher-kva.example", id="S7-xn"),
        param("anna@BÜCHER.example", id="S7-capital-umlaut"),
    ],
)
def test_a_domain_with_umlauts_may_be_typed_either_way(client: Client, db: None, address: str) -> None:
    box = factories.make_mailbox("anna", domain=factories.make_domain("xn--bcher-kva.example"))
    _, secret = factories.make_first_login(box)

    assert sign_in(client, address, secret).status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        param("anna@DЕMO.example", id="S4-cyrillic"),
        param("änna@demo.example", id="S5-composed"),
        param("a\u0308nna@demo.example", id="S5-decomposed"),
        param("anna@demo.example\u0308", id="S5-mark-on-the-end"),
        param("an\u212aa@demo.example", id="S6-kelvin"),
        param("ann\u0131@demo.example", id="S6-dotless-i"),
        param("\u017fanna@demo.example", id="S6-long-s"),
        param("\u0130anna@demo.example", id="S6-dotted-I"),
        param("\uff41nna@demo.example", id="S6-full-width"),
        param("anna+tag@demo.example", id="S8-tag"),
        param('"anna"@demo.example', id="S9-quoted"),
        param("anna@[127.0.0.1]", id="S10-literal"),
        param("anna@x@demo.example", id="S11-two-ats"),
        param("a" * 65 + "@demo.example", id="S11-local-part"),
        param("anna@" + "d" * 250 + ".example", id="S11-whole"),
        param("anna@demo.example\r\nBcc: x", id="S13-header"),
        param("an\0na@demo.example", id="S14-NUL"),
        param("' OR 1=1--", id="S15-SQL"),
        param("anna", id="S15-no-at"),
        param("anna@other.example", id="S15-other-domain"),
    ],
)
def test_what_is_not_the_owners_address_gets_the_uniform_page(client: Client, mailbox: Mailbox, address: str) -> None:
    _, secret = factories.make_first_login(mailbox)

    assert is_uniform(sign_in(client, address, secret))
    assert_nobody_in(client, mailbox)


@pytest.mark.parametrize("mark", [param("äanna", id="S5"), param("a\u0308anna", id="S5-decomposed")])
def test_an_accent_in_two_spellings_has_one_bucket(mailbox: Mailbox, mark: str) -> None:
    sign_in(Client(), f"{mark}@demo.example", WRONG)

    bucket = Attempts.objects.get(bucket__startswith="address:").bucket
    assert bucket == address_bucket("äanna@demo.example").key != address_bucket("anna@demo.example").key


@pytest.mark.parametrize(
    "data",
    [
        param({"address": "a" * 1_000_000, "secret": "x"}, id="S12-address"),
        param({"address": "anna@demo.example", "secret": "b" * 10_000_000}, id="S20-secret"),
        param({f"f{number}": "" for number in range(5000)}, id="S20-fields"),
    ],
)
def test_a_huge_body_is_refused_before_the_database(
    client: Client, data: dict[str, str], django_assert_num_queries: Any, db: None
) -> None:
    with django_assert_num_queries(0):
        assert client.post("/", data).status_code == 400


@pytest.mark.parametrize("dash", [param(dash, id=f"S16-{ord(dash[0]):04x}") for dash in "-–—‑\u00ad \u00a0"])
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_a_secret_typed_differently_works(client: Client, mailbox: Mailbox, dash: str, case: Any) -> None:
    _, secret = factories.make_first_login(mailbox)

    typed = f" {case(first_logins.show(secret))}\n".replace("-", dash)

    assert sign_in(client, mailbox.address, typed).status_code == 302


@pytest.mark.parametrize("twin", [param(twin, id=f"S17-{twin}") for twin in "0OIl18o"])
def test_a_look_alike_is_never_taken_for_a_symbol_and_the_hint_is_static(
    client: Client, mailbox: Mailbox, twin: str
) -> None:
    _, secret = factories.make_first_login(mailbox)

    response = sign_in(client, mailbox.address, twin + secret[1:])

    assert is_uniform(response)
    assert "never 0 or 1, and no vowels" in response.content.decode()


def test_the_secret_of_another_mailbox_is_uniform_s18(client: Client, mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    _, secret = factories.make_first_login(factories.make_mailbox("berta", domain=mailbox.domain))

    assert is_uniform(sign_in(client, mailbox.address, secret))


@pytest.mark.parametrize(
    "state", [param(state, id=f"S19-{state}") for state in ("expired", "revoked", "consumed", "disabled", "excluded")]
)
def test_a_secret_that_is_over_is_uniform(client: Client, mailbox: Mailbox, state: str) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    now = timezone.now()
    if state == "expired":
        FirstLogin.objects.update(minted_at=now - timedelta(days=15))
    elif state == "revoked":
        mailboxes.revoke(mailbox, actor="staff:eva")
    elif state == "consumed":
        FirstLogin.objects.update(consumed_at=now)
    elif state == "excluded":
        mailboxes.exclude(mailbox, actor="staff:eva", reason="leaves")
    else:
        mailboxes.replace(first_login, actor="portal")

    assert is_uniform(sign_in(client, mailbox.address, secret))
    assert is_uniform(sign_in(client, mailbox.address, secret, locator=first_login.locator))


@pytest.mark.parametrize(
    "body",
    [
        param(b"address=%FF&secret=%ED%A0%80", id="S21-invalid"),
        param(b"address=anna%40demo.example%ED%A0%80&secret=x", id="S21-surrogate-address"),
        param(b"address=anna%40demo.example&secret=%ED%A0%80%FF", id="S21-surrogate-secret"),
    ],
)
def test_broken_unicode_is_uniform(client: Client, mailbox: Mailbox, body: bytes) -> None:
    assert is_uniform(client.post("/", body, content_type="application/x-www-form-urlencoded"))


def test_of_a_field_sent_twice_the_last_counts_s22(client: Client, mailbox: Mailbox) -> None:
    _, secret = factories.make_first_login(mailbox)

    assert is_uniform(client.post("/", {"address": mailbox.address, "secret": [secret, WRONG]}))
    assert client.post("/", {"address": mailbox.address, "secret[]": secret}).status_code == 422
    assert client.post("/", {"address": mailbox.address, "secret": [WRONG, secret]}).status_code == 302


def test_a_secret_outside_a_form_is_ignored_and_not_logged_s23(
    client: Client, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    _, secret = factories.make_first_login(mailbox)
    data = {"address": mailbox.address, "secret": secret}

    by_json = client.post("/", data, content_type="application/json")
    by_query = client.get("/?" + urlencode(data))

    assert (by_json.status_code, by_query.status_code) == (422, 200)
    assert secret not in by_query.content.decode()
    assert secret not in caplog.text
    assert_nobody_in(client, mailbox)


@pytest.mark.parametrize("token", [param(None, id="S24-none"), param("", id="S24-empty"), param("x" * 32, id="S24")])
def test_without_the_forms_token_a_friendly_page_says_try_again(mailbox: Mailbox, token: str | None) -> None:
    _, secret = factories.make_first_login(mailbox)
    client = Client(enforce_csrf_checks=True)
    client.get("/")
    data = {"address": mailbox.address, "secret": secret} | ({} if token is None else {"csrfmiddlewaretoken": token})

    response = client.post("/", data)

    assert response.status_code == 403
    assert "nothing was saved" in response.content.decode()


@pytest.mark.parametrize(
    "forwarded",
    [
        param("1.2.3.4", id="S25-other"),
        param("999.9.9.9", id="S25-none"),
        param("x" * 4000, id="S25-long"),
        param("1.2.3.4, 5.6.7.8", id="S25-two"),
    ],
)
def test_the_peer_counts_whatever_the_header_says(mailbox: Mailbox, forwarded: str) -> None:
    sign_in(Client(), mailbox.address, WRONG, HTTP_X_FORWARDED_FOR=forwarded, REMOTE_ADDR="192.0.2.9")

    assert Attempts.objects.filter(bucket=Bucket("network", "192.0.2.9").key, count=1).exists()
    assert Event.objects.get(action=Event.Action.SIGN_IN_FAILED).ip == "192.0.2.9"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "javascript:alert(1)", "https://evil.example"])
def test_no_next_parameter_leads_anywhere_else_s27(client: Client, mailbox: Mailbox, target: str) -> None:
    _, secret = factories.make_first_login(mailbox)

    response = client.post(f"/?next={target}", {"address": mailbox.address, "secret": secret, "next": target})

    assert response["Location"] == "/password"


@pytest.mark.parametrize("method", [param("get", id="S28-get"), param("head", id="S28-head")])
def test_a_changed_locator_is_the_plain_page_and_writes_nothing(client: Client, mailbox: Mailbox, method: str) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    changed = first_login.locator[:-1] + ("A" if first_login.locator[-1] != "A" else "B")
    before = rows()

    response = getattr(client, method)(f"/s/{changed}")

    assert response.status_code == 200
    assert mailbox.address not in response.content.decode()
    assert rows() == before


def test_the_locator_of_another_mailbox_chooses_no_budget_s28(client: Client, mailbox: Mailbox) -> None:
    factories.make_first_login(mailbox)
    other, _ = factories.make_first_login(factories.make_mailbox("berta", domain=mailbox.domain))

    assert is_uniform(sign_in(client, mailbox.address, WRONG, locator=other.locator))
    assert Attempts.objects.filter(bucket=address_bucket(mailbox.address).key, count=1).exists()
    assert not Attempts.objects.filter(bucket__startswith="link:").exists()
