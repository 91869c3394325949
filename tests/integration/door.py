"""What an owner does at the door, for the tests of its pages."""

import re
import uuid
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.test import Client

from accounts.attempts import Attempts
from migration.models import Mailbox, Push
from migration.secrets import Purpose, unseal
from tests import factories

GOOD = "amber24-Rabe-autor-wabe"


def sign_in(client: Client, address: str, secret: str, *, locator: str = "", **headers: Any) -> Any:
    """Post the sign-in form, of the mailed link if a locator is given."""
    return client.post(f"/s/{locator}" if locator else "/", {"address": address, "secret": secret}, **headers)


def let_pass(seconds: int = 61) -> None:
    """Let so much time pass for whoever has to wait after a wrong try: the database's clock cannot be set.

    A second more than the longest wait, for a machine whose clock is put right meanwhile.
    """
    Attempts.objects.update(not_before=F("not_before") - timedelta(seconds=seconds))


def owner_client(mailbox: Mailbox) -> Client:
    """The browser of an owner who has just signed in with a fresh first-login password."""
    first_login, secret = factories.make_first_login(mailbox)
    client = Client()
    response = sign_in(client, mailbox.address, secret, locator=first_login.locator)
    assert response.status_code == 302, response.content.decode()
    mailbox.refresh_from_db()
    return client


def save(client: Client, password: str = GOOD, *, submission: uuid.UUID | str | None = None) -> Any:
    """Post the new-password form."""
    return client.post("/password", {"password": password, "submission": str(submission or uuid.uuid4())})


def without_csrf(response: Any) -> bytes:
    """The page with its CSRF tokens masked, for comparing it byte by byte."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", response.content)


def rows() -> dict[str, int]:
    """How many rows every table has."""
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
        return counts


def pushed(push: Push) -> str:
    """The hash a push would bring to the new server."""
    assert push.payload is not None
    return unseal(Purpose.PENDING_HASH, f"{push.mailbox_id}:{push.version}", push.payload).decode()


def marked(response: Any) -> set[str]:
    """The rules the page shows in red."""
    return set(re.findall(r'<li data-rule="(\w+)"[^>]* data-broken', response.content.decode()))
