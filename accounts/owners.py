"""The owner's session: begin, renew, end, and who is here.

An owner is no Django user. His session carries a mailbox id, the mailbox's epoch and the first-login password he came
with, and can do one thing: set that mailbox's password and see its state. It dies after a quiet quarter of an hour,
after an hour in any case, and as soon as the epoch is raised or the first-login password is revoked.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from migration import first_login as first_logins
from migration import phone_codes
from migration.models import Event, FirstLogin, Mailbox, PhoneCode

KEY = "owner"

Here = FirstLogin | PhoneCode
"""What an owner came in with; either knows its mailbox."""

# Writing "seen" with every request would be a write for each of the done page's questions.
SEEN_EVERY_SECONDS = 60

# Fields of a forged form that could name another mailbox.
NAMES_A_MAILBOX = frozenset({"address", "domain", "email", "local_part", "mailbox", "mailbox_id", "username"})


def begin(request: HttpRequest, here: Here) -> None:
    """Sign the owner in. Whatever the browser had before ends: a preset session id, another owner, staff."""
    request.session.flush()
    request.user = AnonymousUser()
    rotate_token(request)
    now = int(time.time())
    request.session[KEY] = {
        **_came_with(here),
        "mailbox": here.mailbox_id,
        "epoch": here.mailbox.epoch,
        "started": now,
        "seen": now,
    }
    request.session.set_expiry(settings.OWNER_SESSION_SECONDS)


def current(request: HttpRequest, *, seen: bool = True) -> Here | None:
    """What who is signed in came with, with its mailbox; None for a stranger or an ended session.

    A session that staff signed in with is nobody's owner session. One query.
    `seen=False` leaves the idle time running: a page that asks by itself is nobody's presence.
    """
    here = request.session.get(KEY)
    if not here or request.user.is_authenticated:
        return None
    now = int(time.time())
    over = now - here["seen"] >= settings.OWNER_IDLE_SECONDS or now - here["started"] >= settings.OWNER_SESSION_SECONDS
    found = None if over else _behind(here)
    if found and seen and now - here["seen"] >= SEEN_EVERY_SECONDS:
        request.session[KEY] = here | {"seen": now}
    return found


def owner_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Call the view with what who is signed in came with; send everybody else to the sign-in page."""
    return _required(view, seen=True)


def owner_required_quietly(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """As owner_required, for what the page asks for by itself."""
    return _required(view, seen=False)


def renew(request: HttpRequest, mailbox: Mailbox) -> None:
    """Stay signed in after this very session raised the mailbox's epoch, as the object tells; all others end.

    Written at once, for the transaction that raised it: a process that dies later must not have ended this one too.
    """
    request.session[KEY] = request.session[KEY] | {"epoch": mailbox.epoch}
    with suppress(UpdateError):  # signed out in another tab meanwhile: the middleware says so
        request.session.save()
        request.session.modified = False


def end(request: HttpRequest) -> None:
    """Sign the owner out."""
    request.session.flush()


def started(request: HttpRequest) -> str:
    """A name of this session for attempt budgets; no secret."""
    here = request.session[KEY]
    came_with = here.get("first_login") or f"code{here['code']}"
    return f"{came_with}.{here['started']}"


def _came_with(here: Here) -> dict[str, int | str]:
    if isinstance(here, PhoneCode):
        return {"code": here.pk}
    return {"first_login": here.pk, "locator": here.locator}


def _behind(here: dict[str, Any]) -> Here | None:
    whose = {"mailbox": here["mailbox"], "epoch": here["epoch"]}
    if "code" in here:
        return phone_codes.behind_session(here["code"], **whose)
    return first_logins.behind_session(here["first_login"], **whose)


def _required(view: Callable[..., HttpResponse], *, seen: bool) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if here := current(request, seen=seen):
            _note_foreign_mailbox(request, here.mailbox)
            return view(request, here, *args, **kwargs)
        return _back_to_sign_in(request)

    return guarded


def _note_foreign_mailbox(request: HttpRequest, mailbox: Mailbox) -> None:
    """A form of ours names no mailbox but the owner's. Nobody reads what another one names; it is written down."""
    own = {str(mailbox.pk), mailbox.address, str(mailbox)}
    sent = [*request.GET.lists(), *request.POST.lists()] if request.method == "POST" else []
    foreign = {name for name, values in sent if name in NAMES_A_MAILBOX and not own.issuperset(values)}
    if foreign:
        ip = request.META["REMOTE_ADDR"]
        Event.record(Event.Action.FOREIGN_MAILBOX, actor="owner", mailbox=mailbox, ip=ip, fields=sorted(foreign))


def _back_to_sign_in(request: HttpRequest) -> HttpResponse:
    ended = request.session.get(KEY)
    if not ended:
        return redirect("accounts:sign_in")
    request.session.flush()
    messages.info(request, _("You were signed out for safety. Please sign in again; nothing is lost."))
    return redirect("accounts:phone") if "code" in ended else redirect("accounts:link", locator=ended["locator"])
