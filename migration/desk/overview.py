"""The first page of the desk: the whole move in numbers, and all domains, narrowed, sorted and paged."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from migration import campaign, plan, restore_guard
from migration.counting import days, listing
from migration.counting.listing import Line, Wanted
from migration.counting.tally import Numbers
from migration.models import Mailbox, Push, Target
from migration.reports import Completion

from . import access, charts, live
from .access import staff_with
from .forms import FindForm, PauseForm

STEPS: dict[str, str | Promise] = {
    "announce_on": _("pre-announcement"),
    "invite_on": _("invitations"),
    "remind": _("reminder"),
    "deadline": _("deadline"),
    "cut_over_on": _("cut-over"),
    "ends_on": _("end of the move"),
}
ORDERS = (
    ("name", _("name")),
    ("customer", _("customer")),
    ("completion", _("completion, least first")),
    ("-completion", _("completion, most first")),
    ("-open", _("open, most first")),
    ("open", _("open, least first")),
    ("next", _("next date")),
    ("deadline", _("deadline")),
)


class DomainsForm(FindForm):
    """Narrow and sort the list of domains."""

    state = forms.ChoiceField(
        label=_("With mailboxes that are"), required=False, choices=[("", _("in any state")), *Mailbox.State.choices]
    )
    sort = forms.ChoiceField(label=_("Sorted by"), required=False, choices=ORDERS)
    overdue = forms.BooleanField(label=_("overdue"), required=False)
    attention = forms.BooleanField(label=_("needs attention"), required=False)
    paused = forms.BooleanField(label=_("paused"), required=False)
    customer = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"].label = _("Domain or customer")

    def wanted(self) -> Wanted:
        """What was asked for; a field that is no such thing is as if it was not sent."""
        self.is_valid()
        given = {name: self.cleaned_data[name] for name in self.fields if self.cleaned_data.get(name)}
        return Wanted(text=given.pop("q", ""), **given)


@dataclass(frozen=True)
class Row:
    """One domain as the list shows it."""

    line: Line
    report: Completion
    plan_problem: str

    @property
    def states(self) -> list[tuple[str, int, str]]:
        """Each state that some mailboxes are in: its code, how many, and its name."""
        return [(state.value, number, str(state.label)) for state, number in self.report.counts.items() if number]

    @property
    def next_step(self) -> str | Promise:
        """What is planned next."""
        return STEPS.get(self.line.next_step, "")


@staff_with("migration.view_domain")
@require_safe
@live.page
def domains(request: HttpRequest) -> HttpResponse:
    """All domains, how far each is, and the sums."""
    form = DomainsForm(request.GET)
    wanted = form.wanted()
    number = access.number(request.GET.get("page", "")) or 1
    found = listing.find(wanted, number)
    page = Paginator(range(found.sums.domains), listing.PER_PAGE).get_page(number)
    if page.number != number:
        found = listing.find(wanted, page.number)
    stopped, all_paused = Target.objects.filter(breaker_opened_at__isnull=False).first(), campaign.paused()
    planned = [] if all_paused else [line.pk for line in found.lines if line.clockwork]
    problems = plan.attention(planned) if planned else {}
    sum_ = _report(found.sums.numbers)
    return render(
        request,
        "desk/domains.html",
        {
            "section": "domains",
            "rows": [Row(line, _report(line.numbers, line), problems.get(line.pk, "")) for line in found.lines],
            "page": page,
            "sums": found.sums,
            "sum": sum_,
            "coming": [Row(line, _report(line.numbers, line), "") for line in found.coming],
            "open_work": charts.open_work(sum_),
            # What happened by day is known of the whole move only.
            "days": None if wanted.narrows else charts.completion_over_time(days.reached(), sum_.taking_part),
            "form": form,
            "wanted": wanted,
            "customer": next((line.customer for line in found.lines), "") if wanted.customer else "",
            "stopped": stopped,
            "all_paused": all_paused,
            "pause_form": PauseForm(),
            "restored_at": restore_guard.stopped_since(),
            "why_stopped": dict(Push.Reason.choices).get(stopped.breaker_reason, "") if stopped else "",
        },
    )


def _report(numbers: Numbers, line: Line | None = None) -> Completion:
    told = {"pk": line.pk, "name": line.name, "customer": line.customer} if line else {}
    return Completion(numbers.counts, numbers.blocked, numbers.undelivered, **told)  # type: ignore[arg-type]
