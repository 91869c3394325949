"""Health for the proxy and the watchdog: is the process alive, can it work, does the outbox move?"""

import sys
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from migration import restore_guard
from migration.reports import oldest_due_seconds

from .context import here, provider

# More than this between "due" and "taken" means no worker is working, whatever its process says.
OLDEST_DUE_SECONDS = 180


class AliveMiddleware:
    """Answer /healthz before anything else: a container's probe knows neither our host name nor TLS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return alive(request)
        return self.get_response(request)


@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """The database answers, no restore waits for a yes, the oldest due row is younger than three minutes; else 503.

    The answer says what is wrong.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        oldest, restored = oldest_due_seconds(), restore_guard.stopped_since()
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    if restored:
        return JsonResponse({"database": "restored, to be confirmed"}, status=503)
    status = 503 if oldest > OLDEST_DUE_SECONDS else 200
    return JsonResponse({"database": "ok", "oldest_due_seconds": oldest}, status=status)


def failed(request: HttpRequest) -> HttpResponse:
    """The page for what went wrong (Django's handler500): 503 while the database is away, for that passes by itself.

    It is written without what asks the database: who is signed in, messages.
    """
    page = render_to_string("500.html", provider(request) | here(request))
    response = HttpResponseServerError(page)
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        response.status_code = 503
        response["Retry-After"] = "30"
    return response
