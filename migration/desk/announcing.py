"""What the customer's contact is told: the pre-announcement, read, tried and sent by an admin; the weekly summary."""

from csp.utils import build_policy
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from migration import domains as verbs
from migration.mailings import compose
from migration.models import Domain, Mailing
from migration.refusals import VerbRefused

from . import access
from .access import actor, staff_with
from .carrying_out import carry_out
from .forms import AnnounceForm
from .wordings import OF_A_MAIL


@staff_with("migration.change_domain")
@require_http_methods(["GET", "HEAD", "POST"])
def announce(request: HttpRequest, pk: int) -> HttpResponse:
    """The pre-announcement: read it, edit it, send it."""
    found = access.domain(pk)
    subject, text = compose.draft(found)
    form = AnnounceForm(request.POST or None, initial={"subject": subject, "text": text})
    if request.method == "POST" and form.is_valid():
        carry_out(
            request,
            lambda: verbs.announce(found, actor=actor(request), **form.cleaned_data),
            _("The pre-announcement is on its way to %(address)s.") % {"address": found.customer.contact_email},
        )
        return redirect("desk:domain", pk)
    return _announcement(request, found, form)


@staff_with("migration.change_domain")
@require_POST
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it to whoever is signed in; nothing is saved, so the page comes back with what was typed."""
    found, form = access.domain(pk), AnnounceForm(request.POST)
    if form.is_valid():
        to = request.user.get_username()
        try:
            verbs.try_announcement(found, to=to, **form.cleaned_data)
        except VerbRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("The trial mail is on its way to %(address)s.") % {"address": to})
    return _announcement(request, found, form)


@staff_with("migration.view_mailbox")
@require_safe
def summary(request: HttpRequest, pk: int) -> HttpResponse:
    """What the contact would read if the summary left now."""
    found = access.domain(pk)
    mail = compose.summary(found, found.customer.language)
    earlier = found.mailings.filter(kind=Mailing.Kind.SUMMARY).first()
    response = render(request, "desk/summary.html", {"domain": found, "subject": mail.subject, "newest": earlier})
    response.headers["Content-Security-Policy"] = build_policy(update={"frame-src": ["'self'"]})
    return response


@staff_with("migration.view_mailbox")
@require_safe
@xframe_options_sameorigin
def summary_mail(_request: HttpRequest, pk: int) -> HttpResponse:
    """The same mail alone, for the frame of that page."""
    found = access.domain(pk)
    response = HttpResponse(compose.summary(found, found.customer.language).html)
    response.headers["Content-Security-Policy"] = f"{OF_A_MAIL}; sandbox"
    return response


def _announcement(request: HttpRequest, found: Domain, form: AnnounceForm) -> HttpResponse:
    earlier = found.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT)
    context = {"domain": found, "form": form, "earlier": earlier}
    return render(request, "desk/announce.html", context, status=422 if form.errors else 200)
