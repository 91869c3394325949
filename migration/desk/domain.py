"""The page of one domain, and the verbs on all or many of its mailboxes."""

import uuid
from datetime import timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from migration import bulk, plan, reports
from migration import domains as domain_verbs
from migration.models import BulkRun, Domain, Mailbox, Mailing, Provisioning
from migration.refusals import VerbRefused

from . import access, actors, listing, live, plan_lines, tables, timeline
from .access import actor, staff_with
from .bulk import ADMINS
from .carrying_out import carry_out
from .forms import InviteForm

STEPS_AT_MOST = 4
RUNS_AT_MOST = 3


@staff_with("migration.view_mailbox")
@require_safe
@live.page
def domain(request: HttpRequest, pk: int) -> HttpResponse:
    """One domain: its numbers, what is next, and its mailboxes."""
    found = access.domain(pk)
    form = listing.FilterForm(request.GET)
    wanted = listing.wanted(form)
    page = listing.page_of(found, wanted, request.GET.get("page", 1))
    known, today = plan.facts([found])[found.pk], timezone.localdate()
    steps = [line for line in plan_lines.lines(found, known, today) if line.state in ("waits", "ahead")]
    return render(
        request,
        "desk/domain.html",
        {
            "domain": found,
            "report": reports.completion(domain=found)[0],
            "steps": steps[:STEPS_AT_MOST],
            "to_invite": tables.to_invite(found),
            "announcement": found.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT).first(),
            "provisioning": Provisioning.objects.filter(domain=found).first(),
            "runs": _runs(found),
            "form": form,
            "wanted": wanted,
            "page": page,
            "rows": tables.listed(list(page)),
            "verbs": _verbs(request),
            "lines": timeline.lines(found.events.filter(mailbox=None)[:5]),
        },
    )


@staff_with("migration.invite_mailbox")
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how many invitations would go out to a whole domain and who is left out; on yes, send them."""
    found = access.domain(pk)
    announced, everybody = found.announced_at is not None, tables.to_invite(found)
    form = InviteForm(request.POST if request.method == "POST" else None, announced=announced)
    # Before the contact was told, inviting is a decision about the plan, and plans are an admin's.
    refused = not announced and not request.user.has_perm("migration.change_domain")
    if request.method == "POST" and not refused and form.is_valid():
        return _invite(request, found, everybody.number, form.cleaned_data.get("reason", ""))
    return render(
        request,
        "desk/invite.html",
        {"domain": found, "form": form, "refused": refused, "number": everybody.number, "to_invite": everybody},
        status=403 if refused and request.method == "POST" else 200,
    )


def _invite(request: HttpRequest, found: Domain, number: int, reason: str) -> HttpResponse:
    """A few at once, many by a worker: nobody waits minutes for a page."""
    if number <= bulk.AT_ONCE:
        carry_out(request, lambda: domain_verbs.start(found, actor=actor(request), reason=reason), _invited)
        return redirect("desk:domain", found.pk)
    imported = Mailbox.objects.filter(domain=found, state=Mailbox.State.IMPORTED)
    pks = list(imported.exclude(kind__in=Mailbox.ON_REQUEST).values_list("pk", flat=True))
    wish = bulk.Wish(BulkRun.Verb.INVITE, reason=reason)
    try:
        run = bulk.begin(found, pks, wish, actor=actor(request), key=uuid.uuid4())
    except VerbRefused as why:
        messages.error(request, str(why))
        return redirect("desk:domain", found.pk)
    return redirect("desk:bulk_run", run.pk)


def _runs(found: Domain) -> list[tuple[BulkRun, str]]:
    """The verbs on many mailboxes that go on, and those that ended within the last day; each with who began it."""
    lately = Q(ended_at=None) | Q(ended_at__gt=timezone.now() - timedelta(days=1))
    runs = list(found.bulk_runs.filter(lately)[:RUNS_AT_MOST])
    who = actors.words(run.actor for run in runs)
    return [(run, who[run.actor]) for run in runs]


def _verbs(request: HttpRequest) -> list[BulkRun.Verb]:
    """What this member of staff may do to many at once."""
    if not request.user.has_perm("migration.invite_mailbox"):
        return []
    may_change = request.user.has_perm("migration.change_mailbox")
    return [verb for verb in BulkRun.Verb if may_change or verb not in ADMINS]


def _invited(number: int) -> str:
    return ngettext("%(n)d invitation is on its way.", "%(n)d invitations are on their way.", number) % {"n": number}
