"""Find a mailbox or an alias in all domains."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import tables
from .access import staff_with
from .forms import FindForm


@staff_with("migration.view_mailbox")
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Mailboxes and aliases of all domains, by part of an address."""
    form = FindForm(request.GET)
    text = form.cleaned_data["q"].strip() if form.is_valid() else ""
    mailboxes, aliases = tables.find(text) if text else ([], [])
    return render(
        request,
        "desk/search.html",
        {
            "section": "search",
            "form": form,
            "text": text,
            "rows": mailboxes,
            "aliases": aliases,
            "limit": tables.FOUND_AT_MOST,
        },
    )
