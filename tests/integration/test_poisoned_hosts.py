"""A forged Host header reaches no page and no mail: links are made of PORTAL_BASE_URL alone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from migration.mailings import compose
from migration.models import FirstLogin, Mailbox, Mailing
from tests import factories

from .door import sign_in

param = pytest.param
POISONED = [
    param("evil.example", id="S26-other"),
    param("testserver@evil.example", id="S26-user"),
    param("testserver:x@evil.example", id="S26-user-and-password"),
    param("evil.example:80", id="S26-port"),
    param("testserver.evil.example", id="S26-subdomain"),
    param("testserver, evil.example", id="S26-two"),
    param("testserver/@evil.example", id="S26-path"),
    param("evil.example#testserver", id="S26-fragment"),
]


@pytest.fixture
def expired(mailbox: Mailbox) -> Mailbox:
    """A mailbox whose owner may ask for a new mail."""
    factories.make_first_login(mailbox)
    then = timezone.now() - timedelta(days=20)
    FirstLogin.objects.update(minted_at=then, created_at=then)
    return mailbox


def mailed(mailbox: Mailbox) -> compose.Mail:
    """The mail that waits for this mailbox, as the worker would write it."""
    first_login = Mailing.objects.get(mailbox=mailbox, state=Mailing.State.QUEUED).first_login
    assert first_login
    return compose.invitation(first_login, "bcdfghjkmnpqrs34", language="en")


@pytest.mark.parametrize("host", POISONED)
@pytest.mark.parametrize("page", ["/", "/again", "/password", "/staff/", "/admin/"])
def test_a_forged_host_is_refused(client: Client, expired: Mailbox, host: str, page: str) -> None:
    assert client.get(page, headers={"host": host}).status_code == 400
    assert client.post(page, {"address": expired.address}, headers={"host": host}).status_code == 400
    assert not Mailing.objects.filter(state=Mailing.State.QUEUED).exists()


@pytest.mark.parametrize("host", POISONED)
@pytest.mark.parametrize("header", ["x-forwarded-host", "x-host", "x-forwarded-server", "forwarded", "x-original-host"])
def test_other_headers_that_name_a_host_reach_no_mail(expired: Mailbox, host: str, header: str, settings: Any) -> None:
    settings.BASE_URL = "https://umzug.provider.example"

    response = Client().post("/again", {"address": expired.address}, headers={header: host})

    assert response["Location"] == "/again/asked"
    mail = mailed(expired)
    assert "evil" not in mail.text + mail.html
    links = set(re.findall(r"https?://[^/\s\"<]+", mail.text + mail.html))
    assert links == {"https://umzug.provider.example"}


def test_pages_and_redirects_name_no_host_at_all(client: Client, expired: Mailbox) -> None:
    _, secret = factories.make_first_login(expired)
    response = sign_in(client, expired.address, secret, HTTP_X_FORWARDED_HOST="evil.example")

    assert response["Location"] == "/password"
    page = client.get("/password", headers={"x-forwarded-host": "evil.example"}).content.decode()
    assert "evil" not in page
    assert "testserver" not in page
