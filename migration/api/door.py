"""The door of the API: the token of a request, its scope and its pace; problem documents; one answer for what is new.

There is no session, no cookie and no CSRF here, and no header lets another site's script read an answer.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from django.utils.cache import get_conditional_response
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer

from migration.models import ApiToken

from . import problems, tokens
from .problems import Problem

HOW = "Send `Authorization: Bearer umzug_…`. An admin makes a token at the desk, below “Tokens for the API”."


class Bearer(HttpBearer):
    """Opens to a token that may read this."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = str(scope)

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:  # noqa: ARG002 - django-ninja's signature
        """The row of the token. Raises Problem."""
        found = tokens.find(token.strip())
        if found is None:
            detail = "It is unknown, has ended or was revoked; the desk says which. An admin makes another one there."
            raise Problem("wrong-token", detail)
        if wait := tokens.count(found):
            detail = (
                f"At most {tokens.REQUESTS} requests a minute. Ask again in {wait} s, with `If-None-Match` or `since`."
            )
            raise Problem("too-many", detail, retry_after=wait)
        if self.scope not in found.scopes:
            raise Problem("scope", f"It needs the scope `{self.scope}`. An admin makes a token with it at the desk.")
        return found


def access_of(request: HttpRequest) -> ApiToken:
    """The token the request came with."""
    return cast(ApiToken, request.auth)  # type: ignore[attr-defined]


class Door(NinjaAPI):
    """django-ninja with our answers: problem documents, and 304 for who has the answer already."""

    def create_response(
        self, request: HttpRequest, data: Any, *, status: int | None = None, temporal_response: Any = None
    ) -> HttpResponse:
        """With an ETag of what is answered; the program that has it gets a 304."""
        response: HttpResponse = super().create_response(
            request, data, status=status, temporal_response=temporal_response
        )
        response["Cache-Control"] = "private, no-cache"
        response["Vary"] = "Authorization"
        etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
        response["ETag"] = etag
        return cast(HttpResponse, get_conditional_response(request, etag=etag, response=response))

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        """Of a method an address does not know, it says so as of everything else."""
        patterns = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _only_read(pattern.callback)
        return patterns

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        """A problem document for what is the program's to mend, or will mend itself; the rest is Django's."""
        if isinstance(exc, Problem):
            return problems.answer(request, exc)
        if isinstance(exc, AuthenticationError):
            return problems.answer(request, Problem("no-token", HOW))
        if isinstance(exc, ValidationError):
            wrong = [{"parameter": str(one["loc"][-1]), "detail": str(one["msg"])} for one in exc.errors]
            detail = "See `errors`, and /api/v1/openapi.json for what is allowed."
            return problems.answer(request, Problem("parameter", detail, errors=wrong))
        if isinstance(exc, Http404):
            return nothing_here(request)
        if isinstance(exc, (OperationalError, InterfaceError)):
            return problems.answer(request, Problem("database", "Ask again in half a minute.", retry_after=30))
        return super().on_exception(request, exc)

    def get_openapi_schema(self, **options: Any) -> Any:
        """django-ninja writes JSON for every answer; problems have a type of their own."""
        schema = super().get_openapi_schema(**options)
        for path in schema["paths"].values():
            for operation in path.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400 and "application/json" in response.get("content", {}):
                        response["content"] = {problems.CONTENT_TYPE: response["content"].pop("application/json")}
                operation["responses"][304] = {"description": "As you have it (`If-None-Match`)."}
        return schema


def _only_read(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        return wrong_method(request) if response.status_code == 405 else response

    return answer


def wrong_method(request: HttpRequest) -> HttpResponse:
    """Nothing is changed here."""
    response = problems.answer(request, Problem("method", "Ask with GET."))
    response["Allow"] = "GET"
    return response


def nothing_here(request: HttpRequest) -> HttpResponse:
    """For an address the API does not have, and for a method it does not know."""
    if request.method not in ("GET", "HEAD"):
        return wrong_method(request)
    detail = "The API has no such address. /api/v1/openapi.json names all."
    return problems.answer(request, Problem("not-found", detail))
