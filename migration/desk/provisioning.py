"""A domain on the new server: what the check found, how far each object is, and the two buttons for it.

The web process has no key of mailcow's: a worker checks and makes, and these pages show what it left in the database.
"""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from migration import provisioning
from migration.findings import Severity
from migration.models import Domain, ProvisionedObject, Provisioning, Target
from migration.models.provisioning import why_no_call
from migration.refusals import VerbRefused

from . import access
from .access import actor, staff_with

PER_PAGE = 50
FINDINGS_SHOWN = 200
_BADGES = {Severity.STOP: "bad", Severity.LEFT: "warn", Severity.NOTE: ""}
State = ProvisionedObject.State


class StateForm(forms.Form):
    """Narrow the list of objects."""

    state = forms.ChoiceField(label=gettext_lazy("State"), required=False, choices=[("", gettext_lazy("all"))])

    def __init__(self, *args: object, counts: dict[str, int], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["state"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - told to mypy
        field.choices = [("", _("all"))] + [(s.value, f"{s.label} ({counts[s]})") for s in State if counts.get(s)]


@staff_with("migration.view_mailbox")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Findings first, then the counts, then every object."""
    domain = access.domain(pk)
    row = Provisioning.objects.filter(domain=domain).first()
    counts = provisioning.counts(domain)
    form = StateForm(request.GET, counts=counts)
    wanted = form.cleaned_data["state"] if form.is_valid() else ""
    things = provisioning.part(domain).select_related("domain", "mailbox__domain", "alias__domain")
    things = things.defer(*provisioning.HASHES).order_by("pk")
    page = Paginator(things.filter(state=wanted) if wanted else things, PER_PAGE)
    found = row.found if row else []
    stopped = Target.objects.filter(breaker_opened_at__isnull=False).first()
    context = {
        "domain": domain,
        "row": row,
        "stage": _stage(row),
        "findings": [(finding, _BADGES[finding.severity]) for finding in found[:FINDINGS_SHOWN]],
        "more": max(len(found) - FINDINGS_SHOWN, 0),
        "must_be_mended": any(finding.severity is Severity.STOP for finding in found),
        "counts": [(state, counts[state]) for state in State if counts.get(state)],
        "done": _done(counts),
        "all": sum(counts.values()),
        "form": form,
        "page": page.get_page(request.GET.get("page", 1)),
        "why_stopped": why_no_call(stopped.breaker_reason) if stopped else "",
    }
    return render(request, "desk/provisioning.html", context)


@staff_with("migration.view_mailbox")
@require_safe
def progress(_request: HttpRequest, pk: int) -> JsonResponse:
    """How far a worker is, for the script of the page."""
    domain = access.domain(pk)
    row = Provisioning.objects.filter(domain=domain).first()
    answer = {"state": _stage(row), "done": _done(provisioning.counts(domain))}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})


@staff_with("migration.change_domain")
@require_POST
def check(_request: HttpRequest, pk: int) -> HttpResponse:
    """Let a worker compare the domain with mailcow."""
    provisioning.ask_for_check(access.domain(pk))
    return redirect("desk:provisioning", pk)


@staff_with("migration.change_domain")
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin, or begin again."""
    domain: Domain = access.domain(pk)
    try:
        number = provisioning.start(domain, actor=actor(request))
    except VerbRefused as refused:
        messages.error(request, str(refused))
    else:
        said = ngettext("%(n)d object is being made.", "%(n)d objects are being made.", number)
        messages.success(request, said % {"n": number})
    return redirect("desk:provisioning", pk)


def _stage(row: Provisioning | None) -> str:
    if row is None:
        return "new"
    if row.check_due_at:
        return "checking"
    if row.started_at and not row.finished_at:
        return "working"
    return "resting"


def _done(counts: dict[str, int]) -> int:
    return sum(counts.get(state, 0) for state in (*ProvisionedObject.DONE, State.BLOCKED))
