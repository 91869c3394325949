"""A fresh proof of who is signed in at the desk, and its absence."""

from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client
from django.urls import reverse


def proves_who_it_is(client: Client, **following: str) -> Any:
    """Type the password again, as the page asks."""
    return client.post(reverse("account_reauthenticate"), {"password": "Staff-Password-1", **following})


def proven_long_ago(client: Client) -> None:
    """As if the last proof were too old."""
    session = client.session
    session.pop(AUTHENTICATION_METHODS_SESSION_KEY, None)
    session.save()


def is_asked(answer: Any) -> bool:
    """Whether the answer asks who it is, in place of doing something."""
    where: str = answer.headers.get("Location", "")
    return answer.status_code == 302 and where.startswith(reverse("account_reauthenticate"))
