"""The plan of a domain: its dates, what happened and what comes, and each step by hand; the switch for all domains."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from migration import campaign, dns_checks, domains, plan, reminders, reports
from migration.models import Domain
from migration.refusals import VerbRefused

from . import access, plan_lines, tables
from .access import actor, staff_with
from .forms import PauseForm
from .plan_form import PlanForm


@staff_with("migration.view_domain")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan; who may not change it reads it."""
    found = access.domain(pk)
    return _page(request, found, PlanForm(domain=found))


@staff_with("migration.change_domain")
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it other dates."""
    found = access.domain(pk)
    form = PlanForm(request.POST, domain=found)
    if not form.is_valid():
        return _page(request, found, form)
    verb = _verb(domains.change_plan, found, request, **form.cleaned_data)
    return _carried_out(request, verb, _("The plan is saved."), "desk:plan", pk)


@staff_with("migration.invite_mailbox")
@require_POST
def remind(request: HttpRequest, pk: int) -> HttpResponse:
    """Remind everybody who is not done, now."""
    return _carried_out(request, _verb(reminders.remind_all, access.domain(pk), request), _reminded, "desk:plan", pk)


@staff_with("migration.invite_mailbox")
@require_POST
def remind_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Remind one owner, now."""
    found = access.mailbox(pk)
    done = _("The reminder is on its way.")
    return _carried_out(request, lambda: reminders.remind(found, actor=actor(request)), done, "desk:mailbox", pk)


@staff_with("migration.change_domain")
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold back mails and transfers of the domain."""
    verb = _verb(domains.pause, access.domain(pk), request, reason=_reason(request))
    return _carried_out(request, verb, _("The domain is paused."), "desk:domain", pk)


@staff_with("migration.change_domain")
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let them go on."""
    verb = _verb(domains.resume, access.domain(pk), request)
    return _carried_out(request, verb, _("The domain goes on."), "desk:domain", pk)


@staff_with("migration.change_domain")
@require_POST
def cut_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark that mail arrives at the new server."""
    found = access.domain(pk)
    before = found.cut_over_at
    verb = _verb(domains.cut_over, found, request, reason=_reason(request))
    answer = _carried_out(request, verb, _("The cut-over is marked."), "desk:plan", pk)
    if found.cut_over_at != before and (doubt := dns_checks.doubt(found)):
        messages.warning(request, doubt)
    return answer


@staff_with("migration.change_domain")
@require_POST
def undo_cut_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the mark back."""
    verb = _verb(domains.undo_cut_over, access.domain(pk), request, reason=_reason(request))
    return _carried_out(request, verb, _("The cut-over is taken back."), "desk:plan", pk)


@staff_with("migration.change_domain")
@require_POST
def finish(request: HttpRequest, pk: int) -> HttpResponse:
    """End the move of the domain."""
    verb = _verb(domains.finish, access.domain(pk), request, reason=_reason(request))
    return _carried_out(request, verb, _("The move of the domain is finished."), "desk:plan", pk)


@staff_with("migration.change_domain")
@require_POST
def pause_all(request: HttpRequest) -> HttpResponse:
    """Hold back everything, of every domain."""
    who, why = actor(request), _reason(request)
    return _carried_out(request, lambda: campaign.pause(actor=who, reason=why), _("Everything is paused."))


@staff_with("migration.change_domain")
@require_POST
def resume_all(request: HttpRequest) -> HttpResponse:
    """Let everything go on that is not paused by itself."""
    return _carried_out(request, lambda: campaign.resume(actor=actor(request)), _("The move goes on."))


def _page(request: HttpRequest, found: Domain, form: PlanForm) -> HttpResponse:
    known, today = plan.facts([found])[found.pk], timezone.localdate()
    context = {
        "domain": found,
        "form": form,
        "known": known,
        "plan_from": settings.PLAN_FROM_HOUR,
        "plan_until": settings.PLAN_UNTIL_HOUR,
        "cut_over_share": settings.CUT_OVER_SHARE,
        "report": reports.completion(domain=found)[0],
        "lines": plan_lines.lines(found, known, today),
        "to_invite": tables.to_invite(found),
        "pause_form": PauseForm(auto_id="pause_%s"),
        "cut_over_form": PauseForm(auto_id="cut_over_%s"),
        "finish_form": PauseForm(auto_id="finish_%s"),
    }
    return render(request, "desk/plan.html", context)


def _verb(verb: Callable[..., object], domain: Domain, request: HttpRequest, **values: object) -> Callable[[], object]:
    return lambda: verb(domain, actor=actor(request), **values)


def _carried_out(
    request: HttpRequest,
    verb: Callable[[], object],
    done: "str | Callable[[int], str]",
    to: str = "desk:domains",
    *args: int,
) -> HttpResponse:
    try:
        result = verb()
    except VerbRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done(result) if callable(done) and isinstance(result, int) else str(done))
    return redirect(to, *args)


def _reason(request: HttpRequest) -> str:
    form = PauseForm(request.POST)
    return form.cleaned_data["reason"] if form.is_valid() else ""


def _reminded(number: int) -> str:
    if not number:
        return _("Nobody to remind: everybody is done or was written to in the last hours.")
    return ngettext("%(n)d reminder is on its way.", "%(n)d reminders are on their way.", number) % {"n": number}
