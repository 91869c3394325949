"""Where an owner says that something is not right with his mailbox. Support reads it; nothing happens by itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from migration import cases
from migration.models import Case

from . import owners
from .attempts import Bucket, spend
from .forms import CaseForm


@require_http_methods(["GET", "HEAD", "POST"])
@owners.owner_required
def say(request: HttpRequest, here: owners.Here) -> HttpResponse:
    """Not mine, shared, to be deleted, or not his to decide; with a note if he likes."""
    form = CaseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        said = Bucket("case", str(here.mailbox_id))
        if spend(said)[said] > said.limit:
            return render(request, "accounts/case_enough.html", status=429)
        cases.open_case(
            here.mailbox,
            kind=Case.Kind(form.cleaned_data["kind"]),
            note=form.cleaned_data["note"],
            ip=request.META["REMOTE_ADDR"],
        )
        return redirect("accounts:said")
    context = {"form": form, "mailbox": here.mailbox, "open": Case.objects.filter(mailbox=here.mailbox, closed_at=None)}
    return render(request, "accounts/case.html", context, status=422 if form.errors else 200)


@require_safe
@owners.owner_required
def said(request: HttpRequest, here: owners.Here) -> HttpResponse:
    """A calm answer: who looks at it, and that nothing changes until then."""
    return render(request, "accounts/case_said.html", {"mailbox": here.mailbox})
