"""Pages that move by themselves: the script asks for the same page again, and mostly hears that nothing changed.

How a page takes part:

1. Its view is decorated with `live.page`, below `staff_with`. Nothing else of the view changes.
2. Its template includes `desk/live.html` once, at the end of the content.
3. Each part that may move has `data-live="NAME"`, a name of its own on the page. Only what is inside is looked at; put
   no form into it that somebody fills in. What is typed, ticked, focused, opened or marked in it stays as it is.

`static/js/live.js` does the rest. Without JavaScript the page is loaded anew by hand.

A page is unchanged while no event was written and no number moved (see `migration.counting`), for a minute at most:
numbers of events are given before they are committed, so a late one could be overlooked.
"""

import hashlib
import time
from collections.abc import Callable
from functools import wraps

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.translation import get_language

HEADER = "X-Live"
"""Sent by the script; staff who only watch are told by it from those who work."""

_AT_LEAST_EVERY_SECONDS = 60
_STAMP = """
    SELECT (SELECT max(id) FROM migration_event), (SELECT max(id) FROM migration_domaincount),
        (SELECT count(*) FROM migration_domaincount), (SELECT max(id) FROM migration_mailing)
"""


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 304 when the script has this page already, before the view does any work."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if HEADER not in request.headers:
            return view(request, *args, **kwargs)
        tag = _tag(request)  # before the page is made: what changes meanwhile shows the next time
        unchanged = request.headers.get("If-None-Match") == tag
        response = HttpResponseNotModified() if unchanged else view(request, *args, **kwargs)
        response.headers["ETag"] = tag
        return response

    return answer


def _tag(request: HttpRequest) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_STAMP)
        stamp = cursor.fetchone()
    seen = (*stamp, request.get_full_path(), request.user.pk, get_language(), time.time() // _AT_LEAST_EVERY_SECONDS)
    return f'"{hashlib.sha256(repr(seen).encode()).hexdigest()[:24]}"'
