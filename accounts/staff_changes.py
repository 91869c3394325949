"""What staff change about their own sign-in: written down beside the change, and all their other sessions end."""

from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts import staff_sessions
from accounts.models import User
from migration.desk.access import actor
from migration.models import Event

View = Callable[..., HttpResponse]


def changes_factor(view: View) -> View:
    """Wrap a view of allauth that adds or takes away an app, a passkey or the recovery codes."""
    return _watched(view, _factors, _record_factors)


def changes_password(view: View) -> View:
    """Wrap allauth's view for one's own password."""
    return _watched(view, _password, _record_password)


def _watched(view: View, look: Callable[[int], Any], record: Callable[[HttpRequest, Any, Any], str]) -> View:
    @wraps(view)
    def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if request.method != "POST" or not isinstance(user, User):
            return view(request, *args, **kwargs)
        with transaction.atomic():
            key, before = request.session.session_key, look(user.pk)
            response = view(request, *args, **kwargs)
            if (after := look(user.pk)) != before:
                staff_sessions.follow(key, request)
                why, here = record(request, before, after), request.session.session_key
                staff_sessions.end_all(user, why=why, actor=actor(request), but=here, ip=request.META["REMOTE_ADDR"])
        return response

    return watched


def _factors(pk: int) -> dict[int, str]:
    return dict(Authenticator.objects.filter(user=pk).values_list("pk", "type"))


def _password(pk: int) -> str:
    return User.objects.values_list("password", flat=True).get(pk=pk)


def _record_factors(request: HttpRequest, before: dict[int, str], after: dict[int, str]) -> str:
    User.objects.filter(pk=request.user.pk or 0, first_password_until__isnull=False).update(first_password_until=None)
    added = Counter(kind for pk, kind in after.items() if pk not in before)
    removed = Counter(kind for pk, kind in before.items() if pk not in after)
    Event.record(
        Event.Action.FACTOR_CHANGED,
        actor=actor(request),
        ip=request.META["REMOTE_ADDR"],
        staff=request.user.get_username(),
        added=sorted(added),
        removed=sorted(removed),
    )
    return "second factor changed"


def _record_password(request: HttpRequest, *_hashes: str) -> str:
    whose, ip = request.user.get_username(), request.META["REMOTE_ADDR"]
    Event.record(Event.Action.STAFF_CHANGED, actor=actor(request), ip=ip, staff=whose, fields=["password"])
    return "password changed"
