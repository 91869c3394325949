"""The first page of the desk: all domains, how far each is, and the sums."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from migration import campaign, plan, reports, restore_guard
from migration.models import Push, Target

from .access import staff_with
from .forms import DomainsForm, PauseForm


@staff_with("migration.view_domain")
@require_safe
def domains(request: HttpRequest) -> HttpResponse:
    """All domains, how far each is, and the sums."""
    form = DomainsForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    all_paused = campaign.paused()
    problems = {} if all_paused else plan.attention()
    rows = [replace(row, plan_problem=problems.get(row.pk or 0, "")) for row in reports.completion(text)]
    stopped = Target.objects.filter(breaker_opened_at__isnull=False).first()
    return render(
        request,
        "desk/domains.html",
        {
            "section": "domains",
            "rows": rows,
            "sum": reports.together(rows),
            "form": form,
            "text": text,
            "stopped": stopped,
            "all_paused": all_paused,
            "pause_form": PauseForm(),
            "restored_at": restore_guard.stopped_since(),
            "why_stopped": dict(Push.Reason.choices).get(stopped.breaker_reason, "") if stopped else "",
        },
    )
