"""The page of one domain, and the verbs on all or many of its mailboxes."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from migration import domains as domain_verbs
from migration import mailboxes as verbs
from migration import reports
from migration.mailings import compose
from migration.models import Mailbox, Mailing
from migration.refusals import VerbRefused
from migration.states import may

from . import access, tables, timeline
from .access import actor, staff_with
from .carrying_out import carry_out
from .forms import AnnounceForm, FilterForm, InviteForm


@staff_with("migration.view_mailbox")
@require_safe
def domain(request: HttpRequest, pk: int) -> HttpResponse:
    """One domain: its numbers and its mailboxes."""
    found = access.domain(pk)
    form = FilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {"q": "", "state": ""}
    page = tables.mailboxes_of(found, text=wanted["q"], state=wanted["state"], page=request.GET.get("page", 1))
    return render(
        request,
        "desk/domain.html",
        {
            "domain": found,
            "report": reports.completion(domain=found)[0],
            "to_invite": tables.to_invite(found),
            "announcement": found.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT).first(),
            "form": form,
            "page": page,
            "rows": tables.rows(page),
            "lines": timeline.lines(found.events.filter(mailbox=None)[:5]),
        },
    )


@staff_with("migration.invite_mailbox")
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how many invitations would go out and who is left out; on yes, send them: the selected ones, or all."""
    found = access.domain(pk)
    sent = request.POST if request.method == "POST" else request.GET
    chosen = access.selected(found, access.numbers(sent.getlist("mailbox")))
    invitable = [mailbox for mailbox in chosen if may(mailbox, "invite") or may(mailbox, "re_invite")]
    if "selected" in sent and not invitable:
        messages.warning(request, _("Select mailboxes that are not done and not excluded."))
        return redirect("desk:domain", pk)
    announced, everybody = found.announced_at is not None, tables.to_invite(found)
    form = InviteForm(request.POST if request.method == "POST" else None, announced=announced)
    # Before the contact was told, inviting is a decision about the plan, and plans are an admin's.
    refused = not announced and not request.user.has_perm("migration.change_domain")
    if request.method == "POST" and not refused and form.is_valid():
        reason = form.cleaned_data.get("reason", "")
        if "selected" in sent:
            _invite_selected(request, invitable, reason)
        else:
            carry_out(request, lambda: domain_verbs.start(found, actor=actor(request), reason=reason), _invited)
        return redirect("desk:domain", pk)
    return render(
        request,
        "desk/invite.html",
        {
            "domain": found,
            "form": form,
            "refused": refused,
            "selected": invitable if "selected" in sent else None,
            "number": len(invitable) if "selected" in sent else everybody.number,
            "to_invite": everybody,
            "skipped": len(chosen) - len(invitable),
        },
        status=403 if refused and request.method == "POST" else 200,
    )


@staff_with("migration.change_domain")
@require_http_methods(["GET", "HEAD", "POST"])
def announce(request: HttpRequest, pk: int) -> HttpResponse:
    """The pre-announcement to the customer's contact: read it, edit it, send it."""
    found = access.domain(pk)
    subject, text = compose.draft(found)
    form = AnnounceForm(request.POST or None, initial={"subject": subject, "text": text})
    if request.method == "POST" and form.is_valid():
        carry_out(
            request,
            lambda: domain_verbs.announce(found, actor=actor(request), **form.cleaned_data),
            _("The pre-announcement is on its way to %(address)s.") % {"address": found.customer.contact_email},
        )
        return redirect("desk:domain", pk)
    earlier = found.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT)
    return render(request, "desk/announce.html", {"domain": found, "form": form, "earlier": earlier})


def _invite_selected(request: HttpRequest, mailboxes: list[Mailbox], reason: str) -> None:
    invited, refusals = 0, dict[str, int]()
    for found in mailboxes:
        try:
            if may(found, "invite"):
                verbs.invite(found, actor=actor(request), reason=reason)
            else:
                verbs.re_invite(found, actor=actor(request))
            invited += 1
        except VerbRefused as refused:
            refusals[str(refused)] = refusals.get(str(refused), 0) + 1
    if invited or not refusals:
        messages.success(request, _invited(invited))
    for sentence, number in refusals.items():
        messages.error(request, f"{number} × {sentence}")


def _invited(number: int) -> str:
    return ngettext("%(n)d invitation is on its way.", "%(n)d invitations are on their way.", number) % {"n": number}
