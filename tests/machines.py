"""A program with a token: it asks the API, and holds every answer against the document of the API."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from openapi_schema_validator import OAS31Validator

from migration.api import tokens
from migration.api.views import api
from migration.models import ApiToken, Customer

ALL = tuple(ApiToken.Scope)
ADMIN = "staff:eva@provider.example"


def make_token(
    scopes: Iterable[str] = ALL, *, customer: Customer | None = None, days: int = 90
) -> tuple[ApiToken, str]:
    """A token and its text."""
    expires_at = timezone.now() + timedelta(days=days)
    return tokens.make(name="wallboard", scopes=list(scopes), customer=customer, expires_at=expires_at, actor=ADMIN)


class Machine:
    """Asks with one token. Whatever is answered must be in the document, in its form."""

    def __init__(self, scopes: Iterable[str] = ALL, *, customer: Customer | None = None) -> None:
        self.token, self.text = make_token(scopes, customer=customer)
        self.client = Client()

    def ask(self, address: str, *, status: int = 200, token: str | None = None, **headers: str) -> Any:
        """The answer to GET, once it is seen to have this status and the form the document gives it."""
        sent = {"Authorization": f"Bearer {self.text if token is None else token}", **headers}
        response = self.client.get(f"/api/v1/{address}", headers=sent)
        assert response.status_code == status, response.content
        assert not response.cookies
        if status != 304:
            check(address, response)
        return response

    def read(self, address: str, *, status: int = 200) -> Any:
        """What stands in the answer."""
        return self.ask(address, status=status).json()


def check(address: str, response: Any) -> None:
    """Hold an answer against the document."""
    document = api.get_openapi_schema()
    answers = document["paths"][_path(address)]["get"]["responses"]
    content_type = response.headers["Content-Type"].partition(";")[0]
    schema = answers[response.status_code]["content"][content_type]["schema"]
    OAS31Validator({**schema, "components": document["components"]}).validate(response.json())


def _path(address: str) -> str:
    parts = address.partition("?")[0].split("/")
    if len(parts) > 1:
        parts[1] = "{name}"
    return "/api/v1/" + "/".join(parts)
