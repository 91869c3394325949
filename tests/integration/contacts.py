"""What a contact does with his list, for the tests of its pages."""

from typing import Any

from django.test import Client

from migration.first_login import new_locator
from migration.models import Alias, Domain, Mailbox, Review
from migration.review import codes

JSON: Any = {"headers": {"Accept": "application/json"}}


def make_review(*domains: Domain) -> tuple[Review, str]:
    """A list that reached the contact, and the code its mail carried."""
    review = Review.objects.create(customer=domains[0].customer, locator=new_locator())
    review.domains.set(domains)
    return review, codes.mint(review)


def enter(client: Client, locator: str, code: str, **headers: Any) -> Any:
    """Post the code to the page of the mailed link."""
    return client.post(f"/c/{locator}", {"code": code}, **headers)


def contact_client(review: Review, code: str) -> Client:
    """The browser of a contact who has just entered his code."""
    client = Client()
    response = enter(client, review.locator, code)
    assert response.status_code == 302, response.content.decode()
    return client


def say(client: Client, domain: Domain, key: str, choice: str, *, detail: str = "", note: str = "", **more: Any) -> Any:
    """Answer one line as the page's form does."""
    fields = {f"{key}-choice": choice, f"{key}-detail": detail, f"{key}-note": note}
    return client.post(f"/review/{domain.pk}", fields, **more)


def key(thing: Mailbox | Alias) -> str:
    """The name of a line in the page's forms."""
    return f"{'m' if isinstance(thing, Mailbox) else 'a'}{thing.pk}"


def text_of(response: Any) -> str:
    """The page on one line."""
    return " ".join(response.content.decode().split())
