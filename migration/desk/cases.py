"""Cases at the desk: what owners said, and what was done about it.

A case changes nothing by itself: whoever closes it has done what was to be done before, or says why not.
"""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from migration import cases as verbs
from migration.models import Case
from migration.refusals import VerbRefused

from .access import actor, staff_with

PER_PAGE = 50
OPEN, CLOSED, ALL = "open", "closed", "all"


class FilterForm(forms.Form):
    """Narrow the list of cases."""

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[(OPEN, gettext_lazy("open")), (CLOSED, gettext_lazy("closed")), (ALL, gettext_lazy("all"))],
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What the owner says"),
        required=False,
        choices=[("", gettext_lazy("all")), *Case.Kind.choices],
    )


class CloseForm(forms.Form):
    """What was done about it."""

    answer = forms.CharField(
        label=gettext_lazy("What was done"),
        max_length=Case.LONGEST_NOTE,
        help_text=gettext_lazy("It is kept with the case; the owner does not see it."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


@staff_with("migration.view_case")
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """The open cases, the longest waiting first; on request the closed ones too."""
    form = FilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {"state": "", "kind": ""}
    state = wanted["state"] or OPEN
    found = Case.objects.select_related("mailbox__domain__customer").defer("mailbox__legacy_hash")
    if state != ALL:
        found = found.filter(closed_at__isnull=state == OPEN)
    if wanted["kind"]:
        found = found.filter(kind=wanted["kind"])
    page = Paginator(found.order_by("id" if state == OPEN else "-id"), PER_PAGE).get_page(request.GET.get("page", 1))
    return render(request, "desk/cases.html", {"section": "cases", "form": form, "page": page, "state": state})


@staff_with("migration.view_case")
@require_safe
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """One case: what was said, about which mailbox, and what was done."""
    return _page(request, _found(pk), CloseForm())


@staff_with("migration.answer_case")
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it with a sentence on what was done."""
    found, form = _found(pk), CloseForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    try:
        verbs.close(found, actor=actor(request), answer=form.cleaned_data["answer"])
    except VerbRefused as refused:
        messages.error(request, str(refused))
        return redirect("desk:case", pk)
    messages.success(request, _("The case is closed."))
    return redirect("desk:cases")


def _found(pk: int) -> Case:
    found = Case.objects.select_related("mailbox__domain__customer").defer("mailbox__legacy_hash")
    return get_object_or_404(found, pk=pk)


def _page(request: HttpRequest, found: Case, form: CloseForm) -> HttpResponse:
    others = Case.objects.filter(mailbox=found.mailbox_id).exclude(pk=found.pk)
    return render(request, "desk/case.html", {"section": "cases", "case": found, "others": others, "form": form})
