"""Sessions of staff: how long one lasts, at most three at once, and how each is seen and ended.

The session is Django's row; `StaffSession` names it for people. A session ends eight hours after the sign-in, after
thirty idle minutes, when its owner or an admin ends it, when a fourth begins (the oldest), and when the sign-in is
closed, the password changed or a second factor changed (all others).
"""

import re
import time
from datetime import UTC, datetime, timedelta

from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import StaffSession, User
from migration.desk import live as live_pages
from migration.models import Event
from migration.retention import network_of

SESSION_SECONDS = 8 * 60 * 60
IDLE_SECONDS = 30 * 60
AT_MOST = 3
# What is remembered of the last request is exact to the minute, so that not every page writes a row.
SEEN_EVERY_SECONDS = 60

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def is_over(request: HttpRequest) -> bool:
    """Whether the session is too old or idle for too long; else note that it was used, and begin it if it is new.

    A page that asks by itself whether something changed is no use: nobody may sit before it.
    """
    session, now = request.session, int(time.time())
    since, seen = session.get("staff_since"), session.get("staff_seen", 0)
    if since is None:
        begin(request)
    elif now - since >= SESSION_SECONDS or now - seen >= IDLE_SECONDS:
        return True
    elif now - seen >= SEEN_EVERY_SECONDS and live_pages.HEADER not in request.headers:
        session["staff_seen"] = now
        if not StaffSession.objects.filter(session_key=session.session_key).update(**_seen(request)):
            _name(request, since)
    return False


def begin(request: HttpRequest) -> None:
    """Somebody has just signed in: his session gets its name, and of more than three the oldest ends."""
    now = int(time.time())
    request.session["staff_since"] = request.session["staff_seen"] = now
    with transaction.atomic():
        # One sign-in after the other, or two at once would leave four.
        user = User.objects.select_for_update().get(email=request.user.get_username())
        _name(request, now)
        for oldest in live(user).order_by("-since", "-pk")[AT_MOST:]:
            end(oldest, why="a fourth began", actor="portal")


def follow(old_key: str | None, request: HttpRequest) -> None:
    """The session goes on under a new key: Django changes it with the password."""
    if old_key != request.session.session_key:
        StaffSession.objects.filter(session_key=old_key).update(session_key=request.session.session_key)


def live(user: User | None = None) -> QuerySet[StaffSession]:
    """The sessions that open something now, the one used last first; of everybody if of nobody."""
    now = timezone.now()
    row = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    since, seen = now - timedelta(seconds=SESSION_SECONDS), now - timedelta(seconds=IDLE_SECONDS)
    sessions = StaffSession.objects.filter(Exists(row), since__gt=since, seen_at__gt=seen)
    return sessions.filter(user=user) if user else sessions


def end(session: StaffSession, *, why: str, actor: str, ip: str | None = None) -> None:
    """End one, wherever it is open: its next request is a stranger's."""
    with transaction.atomic():
        Session.objects.filter(session_key=session.session_key).delete()
        if StaffSession.objects.filter(pk=session.pk).delete()[0]:
            whose = session.user.get_username()
            Event.record(Event.Action.STAFF_SIGNED_OUT, actor=actor, ip=ip, staff=whose, why=why)


def end_all(user: User, *, why: str, actor: str, but: str | None = None, ip: str | None = None) -> int:
    """End all of somebody's, but the one of the key if one is given. How many ended."""
    ended = list(live(user).exclude(session_key=but or "").select_related("user"))
    for session in ended:
        end(session, why=why, actor=actor, ip=ip)
    return len(ended)


def sign_out(request: HttpRequest, *, why: str = "signed out") -> None:
    """End the session of this very request."""
    if isinstance(request.user, User):
        whose, ip = request.user.get_username(), request.META["REMOTE_ADDR"]
        StaffSession.objects.filter(session_key=request.session.session_key).delete()
        Event.record(Event.Action.STAFF_SIGNED_OUT, actor=f"staff:{whose}", ip=ip, staff=whose, why=why)
    logout(request)


def browser_of(user_agent: str) -> str:
    """Browser and system in words, as far as they can be told: `Firefox, Windows`."""
    found = [next((name for sign, name in known if sign in user_agent), "") for known in (_BROWSERS, _SYSTEMS)]
    if not any(found):
        return re.sub(r"[^\w .-]", "", user_agent.partition("/")[0])[:30]
    return ", ".join(filter(None, found))


def _name(request: HttpRequest, since: int) -> None:
    if request.session.session_key is None:
        request.session.save()
    named = {"user": request.user, "since": datetime.fromtimestamp(since, UTC), **_seen(request)}
    StaffSession.objects.update_or_create(session_key=request.session.session_key, defaults=named)


def _seen(request: HttpRequest) -> dict[str, object]:
    return {
        "seen_at": timezone.now(),
        "browser": browser_of(request.META.get("HTTP_USER_AGENT", "")),
        "network": network_of(request.META["REMOTE_ADDR"]),
    }
