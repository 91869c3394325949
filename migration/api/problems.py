"""What the API answers when it does not answer: RFC 9457 problem documents, in English, with a way to mend it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Schema
from pydantic import Field

CONTENT_TYPE = "application/problem+json"
KINDS = {
    "no-token": (401, "This needs a token"),
    "wrong-token": (401, "This token opens nothing"),
    "scope": (403, "The token may not read this"),
    "customer": (403, "The token is for one customer"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "The API is read only"),
    "parameter": (422, "A parameter makes no sense"),
    "too-many": (429, "Too many requests"),
    "database": (503, "The database does not answer"),
}


class BadParameter(Schema):
    """One parameter that makes no sense."""

    parameter: str = Field(description="Its name.")
    detail: str = Field(description="What is wrong with it.")


class ProblemDocument(Schema):
    """Why there is no answer (RFC 9457)."""

    type: str = Field(description="Names the kind of problem, and where the documentation says more about it.")
    title: str = Field(description="The kind in words; always the same.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What is to be done about it.")
    instance: str = Field(description="The path that was asked for.")
    errors: list[BadParameter] = Field(default=[], description="Each parameter that makes no sense.")


class Problem(Exception):
    """Ends a request with a problem document. `kind` is a key of KINDS, `detail` says how to mend it."""

    def __init__(self, kind: str, detail: str, *, errors: list[dict[str, str]] | None = None, retry_after: int = 0):
        super().__init__(kind)
        self.kind, self.detail, self.errors, self.retry_after = kind, detail, errors or [], retry_after


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The document with its status and headers."""
    status, title = KINDS[problem.kind]
    body: dict[str, Any] = {
        "type": f"{request.build_absolute_uri('/api/v1/openapi.json')}#{problem.kind}",
        "title": title,
        "status": status,
        "detail": problem.detail,
        "instance": request.path,
        "errors": problem.errors,
    }
    response = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Umzug"'
    if problem.retry_after:
        response["Retry-After"] = str(problem.retry_after)
    return response
