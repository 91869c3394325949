"""The pages of the owner's door. Each is form → verb → redirect."""

import os
import threading
import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from migration import first_login as first_logins
from migration import mailboxes
from migration.guides import facts
from migration.joined import Part
from migration.models import Event, Mailbox, Push
from migration.refusals import VerbRefused
from migration.states import handed_over

from . import owners
from .forms import AgainForm, SetPasswordForm, SignInForm, hash_to_push
from .sign_in import Refusal, ask_again
from .theme import stylesheet

# Argon2 and the old schemes are made to be slow: more at once than this only make everybody wait.
HASHING = threading.BoundedSemaphore(2 * (os.cpu_count() or 1))
HASHING_WAIT_SECONDS = 2.0

# A form sent again this soon is a double click or a lost answer: the same saving. Later it is somebody who went back
# and typed another password, which must not be taken for the first one.
SAME_SENDING = timedelta(seconds=10)

# A transfer that takes longer than this is called what it is: being looked after.
SOON = timedelta(minutes=10)

# What the pages look at.
_OF_A_PUSH = Part(Push, "id version kept_old state confirmed_update created_at")


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with address and first-login password, without the mailed link."""
    if request.method == "POST":
        return _signed_in_or_refused(request, locator="")
    return render(request, "accounts/sign_in.html", {"form": SignInForm()})


@sensitive_post_parameters("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, locator: str) -> HttpResponse:
    """The mailed link: the same page with the address filled in. Opening it changes nothing, however often."""
    if request.method == "POST":
        return _signed_in_or_refused(request, locator=locator)
    invitation = first_logins.find(locator)
    form = SignInForm(initial={"address": str(invitation.mailbox)} if invitation else {})
    return render(request, "accounts/sign_in.html", {"form": form, "known": invitation is not None})


@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest) -> HttpResponse:
    """Ask for a new mail after the first-login password has expired. Everybody gets the same answer."""
    form = AgainForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        ask_again(form.cleaned_data["address"], ip=request.META["REMOTE_ADDR"])
        return redirect("accounts:asked")
    return render(request, "accounts/again.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def asked(request: HttpRequest) -> HttpResponse:
    """What everybody reads who has asked for a new mail."""
    return render(request, "accounts/asked.html")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@owners.owner_required
def set_password(request: HttpRequest, here: owners.Here) -> HttpResponse:
    """Choose the new password; as often as the owner likes while he is signed in."""
    if handed_over(here.mailbox):
        return render(request, "accounts/handed_over.html", status=409 if request.method == "POST" else 200)
    if request.method != "POST":
        return _password_page(request, here, _password_form(request, here))
    if not HASHING.acquire(timeout=HASHING_WAIT_SECONDS):
        response = render(request, "accounts/busy.html", status=503)
        response["Retry-After"] = "10"
        return response
    try:
        return _saved_or_refused(request, here)
    finally:
        HASHING.release()


@require_safe
@owners.owner_required
def done(request: HttpRequest, here: owners.Here) -> HttpResponse:
    """Saved, being transferred, active: what is true now. Below it what to change in the mail program."""
    push = _newest_push(here.mailbox)
    if push is None:
        return redirect("accounts:password")
    context = _state(here.mailbox, push) | {"guide": facts.for_mailbox(here.mailbox, push)}
    return render(request, "accounts/done.html", context)


@require_safe
@owners.owner_required_quietly
def done_state(request: HttpRequest, here: owners.Here) -> HttpResponse:
    """The part of the done page that changes by itself."""
    push = _newest_push(here.mailbox)
    if push is None:
        return HttpResponse(status=204)
    return render(request, "accounts/state.html", _state(here.mailbox, push))


@require_http_methods(["GET", "HEAD", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the owner's session. Only the button does; who comes by address is shown the sign-in."""
    if request.method == "POST":
        owners.end(request)
        messages.info(request, _("You are signed out."))
    return redirect("accounts:sign_in")


@require_safe
def theme(_request: HttpRequest) -> HttpResponse:
    """The provider's colour."""
    response = HttpResponse(stylesheet(settings.PROVIDER_COLOUR), content_type="text/css")
    response["Cache-Control"] = "public, max-age=3600"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The page was open too long or in a browser without cookies: say so kindly (CSRF_FAILURE_VIEW)."""
    return render(request, "403_csrf.html", status=403)


@sensitive_variables()
def _signed_in_or_refused(request: HttpRequest, *, locator: str) -> HttpResponse:
    ip = request.META["REMOTE_ADDR"]
    form = SignInForm(request.POST, ip=ip, locator=locator)
    if form.is_valid() and form.first_login:
        owners.begin(request, form.first_login)
        return redirect("accounts:password")
    if form.refusal is Refusal.NETWORK_EXHAUSTED:
        response = render(request, "accounts/too_many.html", status=429)
        response["Retry-After"] = "900"
        return response
    if form.wait_seconds:
        response = render(request, "accounts/sign_in.html", {"form": form}, status=429)
        response["Retry-After"] = str(form.wait_seconds)
        return response
    return render(request, "accounts/sign_in.html", {"form": form}, status=422)


@sensitive_variables()
def _saved_or_refused(request: HttpRequest, here: owners.Here) -> HttpResponse:
    ip = request.META["REMOTE_ADDR"]
    form = _password_form(request, here)
    if not form.is_valid():
        rules = [rule.name for rule in form.broken]
        Event.record(Event.Action.PASSWORD_REFUSED, actor="owner", mailbox=here.mailbox, ip=ip, rules=rules)
        return _password_page(request, here, form, status=422)
    password_hash = hash_to_push(form.cleaned_data.pop("password"), form.kept_hash)
    try:
        # Both or neither: an answer that is lost after the commit must find its owner still signed in.
        with transaction.atomic():
            mailboxes.set_password(
                here.mailbox,
                password_hash=password_hash,
                kept_old=bool(form.kept_hash),
                submission=_submission(here.mailbox, form.cleaned_data["submission"]),
                ip=ip,
            )
            owners.renew(request, here.mailbox)
    except VerbRefused:
        return render(request, "accounts/not_now.html", status=409)
    return redirect("accounts:done")


def _password_form(request: HttpRequest, here: owners.Here) -> SetPasswordForm:
    data = request.POST if request.method == "POST" else None
    return SetPasswordForm(data, here=here, session=owners.started(request))


def _password_page(
    request: HttpRequest, here: owners.Here, form: SetPasswordForm, *, status: int = 200
) -> HttpResponse:
    broken = {rule.name for rule in form.broken}
    rules = [*form.policy.rules, *(rule for rule in form.broken if rule not in form.policy.rules)]
    context = {
        "form": form,
        "mailbox": here.mailbox,
        "rules": [(rule, rule.name in broken) for rule in rules],
        "saved": _newest_push(here.mailbox),
        "submission": uuid.uuid4(),
        "old_may_be_kept": bool(here.mailbox.legacy_hash),
    }
    return render(request, "accounts/password.html", context, status=status)


def _submission(mailbox: Mailbox, sent: uuid.UUID) -> uuid.UUID:
    """The name under which this sending is saved: the form's own, unless it is used up."""
    sql = "SELECT 1 FROM migration_push WHERE submission = %s AND (mailbox_id <> %s OR created_at < %s)"
    name = Push._meta.get_field("submission").get_db_prep_value(sent, connection)
    since = connection.ops.adapt_datetimefield_value(timezone.now() - SAME_SENDING)
    with connection.cursor() as cursor:
        cursor.execute(sql, [name, mailbox.pk, since])
        return uuid.uuid4() if cursor.fetchone() else sent


def _newest_push(mailbox: Mailbox) -> Push | None:
    if mailbox.version == 0:
        return None
    return next(iter(_OF_A_PUSH.rows("mailbox_id = %s ORDER BY version DESC LIMIT 1", mailbox.pk)), None)


def _state(mailbox: Mailbox, push: Push) -> dict[str, Any]:
    """What the done page says: "active" only if the newest password was confirmed, never out of hope.

    "seen" only if the owner was seen on the new server with it.
    """
    if push.is_delivered and mailbox.is_done:
        stage = "seen" if mailbox.state == Mailbox.State.MOVED else "active"
    elif push.state in (Push.State.BLOCKED, Push.State.SUPERSEDED) or timezone.now() - push.created_at > SOON:
        stage = "looked_after"
    else:
        stage = "saved"
    return {"stage": stage, "push": push, "mailbox": mailbox, "handed_over": handed_over(mailbox)}
