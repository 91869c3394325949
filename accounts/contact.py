"""The contact's door: a mailed link, a code, and a session that can read and answer one list. See decision 0040.

A contact is no Django user and no owner. His session names a list and the code it began with; it dies after a quiet
hour, after eight hours in any case, and as soon as the list is revoked, its code has expired, or a new one was mailed.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from migration.models import Review
from migration.review import answering, codes

from .attempts import Bucket, count_failure, give_back, network, reset, spend
from .forms import ReadableSecretInput
from .sign_in import MAX_TYPED

KEY = "contact"
IDLE_SECONDS = 60 * 60
SESSION_SECONDS = 8 * 60 * 60
SEEN_EVERY_SECONDS = 60


class CodeForm(forms.Form):
    """The code from the mail."""

    code = forms.CharField(
        label=gettext_lazy("Code from our mail"),
        max_length=MAX_TYPED,
        error_messages={"required": gettext_lazy("Please enter the code.")},
        widget=ReadableSecretInput(
            attrs={
                "class": "secret",
                "autocomplete": "off",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
                "aria-describedby": "code-hint",
            }
        ),
    )


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, locator: str) -> HttpResponse:
    """The mailed link: the same page for every link, known or not. Opening it changes nothing, however often.

    A wrong code, an expired one, a revoked list and a list there never was get the same answer.
    """
    form = CodeForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if request.method != "POST" or not form.is_valid():
        return render(request, "review/code.html", context, status=422 if form.errors else 200)
    networks = [Bucket(name, network(request.META["REMOTE_ADDR"])) for name in ("network", "network_long")]
    if any(count > bucket.limit for bucket, count in spend(*networks).items()):
        count_failure()
        response = render(request, "review/too_many.html", status=429)
        response["Retry-After"] = "900"
        return response
    review = _opened(locator, form.cleaned_data["code"])
    if review is None:
        count_failure()
        return render(request, "review/code.html", context | {"form": CodeForm(), "refused": True}, status=422)
    give_back(*networks)
    answering.record_opened(review, ip=request.META["REMOTE_ADDR"])
    _begin(request, review)
    return redirect("accounts:review")


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the contact's session."""
    if KEY in request.session:
        request.session.flush()
    return render(request, "review/closed.html", {"left": True})


def contact_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Call the view with the list of the contact who is here; tell everybody else how to come in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if review := current(request):
            return view(request, review, *args, **kwargs)
        return render(request, "review/closed.html", status=403)

    return guarded


def current(request: HttpRequest) -> Review | None:
    """The list whose contact is here; None for everybody else and once the session is over. One query."""
    here = request.session.get(KEY)
    if not here or request.user.is_authenticated:
        return None
    now = int(time.time())
    if now - here["seen"] >= IDLE_SECONDS or now - here["started"] >= SESSION_SECONDS:
        return None
    review = codes.still_open(here["review"], minted_at=here["minted_at"])
    if review and now - here["seen"] >= SEEN_EVERY_SECONDS:
        request.session[KEY] = here | {"seen": now}
    return review


@sensitive_variables("code")
def _opened(locator: str, code: str) -> Review | None:
    """The list, if this code opens it now. A link has so many tries in all until its next code."""
    review = codes.find(locator)
    minted_at = int(review.minted_at.timestamp()) if review and review.minted_at else 0
    tries = Bucket("contact", f"{review.pk if review else 0}.{minted_at}")
    allowed = review is None or spend(tries)[tries] <= tries.limit
    if not codes.fits(review, code) or not allowed:
        return None
    reset(tries)
    return review


def _begin(request: HttpRequest, review: Review) -> None:
    """Whatever the browser had before ends: a preset session id, an owner, staff."""
    request.session.flush()
    request.user = AnonymousUser()
    rotate_token(request)
    now = int(time.time())
    minted_at = review.minted_at.isoformat() if review.minted_at else ""
    request.session[KEY] = {"review": review.pk, "minted_at": minted_at, "started": now, "seen": now}
    request.session.set_expiry(SESSION_SECONDS)
