"""Bans of the new server: who is kept out, and lifting one. For those who help owners: whoever may invite."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from migration import bans
from migration.refusals import VerbRefused

from .access import actor, staff_with

PER_PAGE = 50


class LiftForm(forms.Form):
    """Which ban."""

    network = forms.CharField(max_length=49)


@staff_with("migration.invite_mailbox")
@require_safe
def banned(request: HttpRequest) -> HttpResponse:
    """What the worker was told last, those of known mailboxes first."""
    page = Paginator(bans.shown(), PER_PAGE).get_page(request.GET.get("page", 1))
    context = {
        "section": "bans",
        "page": page,
        "columns": [_("Address or network"), _("Seen there within a week"), _("Until")],
        "asked": bans.last_answer(),
        "minutes": bans.ASK_EVERY.seconds // 60,
    }
    return render(request, "desk/bans.html", context)


@staff_with("migration.invite_mailbox")
@require_POST
def lift(request: HttpRequest) -> HttpResponse:
    """Wish that a ban is lifted; the worker does it."""
    form = LiftForm(request.POST)
    try:
        bans.ask_to_lift(form.cleaned_data["network"] if form.is_valid() else "", actor=actor(request))
    except VerbRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The ban is being lifted. That takes about a minute."))
    return redirect("desk:bans")
