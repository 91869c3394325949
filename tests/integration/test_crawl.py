"""Every page of the owner's door, found by following its links: no secret in any address, nothing from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from migration import first_login as first_logins
from migration.models import Mailbox
from tests import factories

from .door import GOOD, save, sign_in

OUTSIDE = {"webmail.provider.example", "127.0.0.1"}  # the new webmail and mailcow: links a person follows


class Addresses(HTMLParser):
    """The addresses a page names: those it leads to, and those it loads by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.leads_to: set[str] = set()
        self.loads: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each tag."""
        for name, value in attrs:
            if value and name in ("href", "action", "data-state", "formaction"):
                (self.loads if tag == "link" else self.leads_to).add(value)
            elif value and name in ("src", "srcset", "poster", "data"):
                self.loads.add(value)


def crawled(client: Client, *begin: str) -> Iterator[tuple[str, Addresses]]:
    """Each page that can be reached, with what it names."""
    waiting, seen = list(begin), set[str]()
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        response = client.get(address)
        assert response.status_code in (200, 204, 302, 405), address
        assert response["Referrer-Policy"] == "same-origin", address
        if response.status_code == 302:
            waiting.append(response["Location"])
        if not response.headers.get("Content-Type", "").startswith("text/html") or response.status_code != 200:
            continue
        named = Addresses(response.content.decode())
        waiting += [found for found in named.leads_to if found.startswith("/") and not found.startswith("/static/")]
        yield address, named


def test_no_address_carries_a_secret_and_nothing_is_loaded_from_elsewhere(mailbox: Mailbox) -> None:
    first_login, secret = factories.make_first_login(mailbox)
    client = Client()
    pages = dict(crawled(client, "/", f"/s/{first_login.locator}"))
    sign_in(client, mailbox.address, secret, locator=first_login.locator)
    pages |= dict(crawled(client, "/password", "/say", "/say/thanks"))
    save(client)
    pages |= dict(crawled(client, "/done", "/done/state", "/password", "/guide"))

    assert {"/", "/again", "/password", "/done", "/say", "/guide"} <= set(pages)
    shown = first_logins.show(secret)
    for page, named in pages.items():
        for address in {page, *named.leads_to, *named.loads}:
            assert not any(word in address for word in (secret, shown, shown.replace("-", ""), GOOD)), page
            parts = urlsplit(address)
            assert not {"password", "secret", "address", "token"} & set(parse_qs(parts.query)), (page, address)
            assert mailbox.address not in address, (page, address)
            assert parts.hostname in {None, *OUTSIDE} or parts.scheme == "mailto", (page, address)
        for address in named.loads:
            assert re.match(r"/(?!/)|data:", address), (page, address)
