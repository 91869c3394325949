"""The staff desk: see how far the move is, find a mailbox, help its owner on the phone.

Every view that changes something is form → verb → redirect. No page shows or takes a password, a hash or a
first-login password.
"""

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from migration import campaign, phone_codes, plan, reports, restore_guard
from migration import domains as domain_verbs
from migration import mailboxes as verbs
from migration.mailings import compose
from migration.models import Mailbox, Mailing, Push, Target
from migration.refusals import VerbRefused
from migration.states import handed_over, may

from . import access, tables, timeline
from .access import actor, staff_with
from .forms import AnnounceForm, DomainsForm, FilterForm, FindForm, InviteForm, PauseForm, ReasonForm


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
            _carry_out(request, lambda: domain_verbs.start(found, actor=actor(request), reason=reason), _invited)
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
        _carry_out(
            request,
            lambda: domain_verbs.announce(found, actor=actor(request), **form.cleaned_data),
            _("The pre-announcement is on its way to %(address)s.") % {"address": found.customer.contact_email},
        )
        return redirect("desk:domain", pk)
    earlier = found.mailings.filter(kind=Mailing.Kind.ANNOUNCEMENT)
    return render(request, "desk/announce.html", {"domain": found, "form": form, "earlier": earlier})


@staff_with("migration.view_mailbox")
@require_safe
def mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """One mailbox: where it is, what happened, what can be done."""
    return _mailbox_page(request, access.mailbox(pk), ReasonForm())


@staff_with("migration.invite_mailbox")
@require_POST
def invite_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Invite for the first time, or again."""
    found = access.mailbox(pk)
    verb = verbs.invite if may(found, "invite") else verbs.re_invite
    return _on_mailbox(request, found, lambda: verb(found, actor=actor(request)), _("The invitation is on its way."))


@staff_with("migration.invite_mailbox")
@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Start again with a new invitation."""
    found = access.mailbox(pk)
    done = _("Reopened. A new invitation is on its way.")
    return _on_mailbox(request, found, lambda: verbs.reopen(found, actor=actor(request)), done)


@staff_with("migration.invite_mailbox")
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the mailed first-login passwords worthless."""
    found = access.mailbox(pk)
    done = _("The mailed first-login passwords no longer work.")
    return _on_mailbox(request, found, lambda: verbs.revoke(found, actor=actor(request)), done)


@staff_with("migration.invite_mailbox")
@require_POST
def retry_push(request: HttpRequest, pk: int) -> HttpResponse:
    """Transfer the saved password again."""
    found = access.mailbox(pk)
    done = _("The transfer starts again.")
    return _on_mailbox(request, found, lambda: verbs.retry_push(found, actor=actor(request)), done)


@staff_with("migration.change_mailbox")
@require_POST
def exclude(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a mailbox out of the move, with a reason."""
    return _with_reason(request, pk, verbs.exclude, _("The mailbox is excluded."))


@staff_with("migration.change_mailbox")
@require_POST
def include(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it in again, with a reason."""
    return _with_reason(request, pk, verbs.include, _("The mailbox takes part again."))


def _with_reason(request: HttpRequest, pk: int, verb: Callable[..., None], done: str) -> HttpResponse:
    found, form = access.mailbox(pk), ReasonForm(request.POST)
    if not form.is_valid():
        return _mailbox_page(request, found, form)
    reason = form.cleaned_data["reason"]
    return _on_mailbox(request, found, lambda: verb(found, actor=actor(request), reason=reason), done)


def _mailbox_page(request: HttpRequest, found: Mailbox, form: ReasonForm) -> HttpResponse:
    allowed = ("invite", "re_invite", "print_letter", "reopen", "exclude", "include")
    invitations = tables.invitations(found)
    context = {
        "row": tables.one(found.pk),
        "mailbox": found,
        "form": form,
        "may": {verb: may(found, verb) for verb in allowed},
        "announced": found.domain.announced_at is not None,
        "may_help_by_phone": found.state != Mailbox.State.EXCLUDED and not handed_over(found),
        "invitations": invitations,
        "usable": any(valid for _row, valid in invitations) or phone_codes.living(found),
        "mails": found.mailings.defer("text").all()[:50],
        "pushes": tables.pushes(found),
        "lines": timeline.lines(found.events.all()[: timeline.AT_MOST]),
    }
    return render(request, "desk/mailbox.html", context)


def _on_mailbox(request: HttpRequest, found: Mailbox, verb: Callable[[], object], done: str) -> HttpResponse:
    _carry_out(request, verb, done)
    if request.POST.get("back") == "domain":
        return redirect("desk:domain", found.domain_id)
    return redirect("desk:mailbox", found.pk)


def _carry_out(request: HttpRequest, verb: Callable[[], object], done: "str | Callable[[int], str]") -> None:
    """Do it and say so, or say why not. A callable makes the sentence from the verb's number."""
    try:
        result = verb()
    except VerbRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done(result) if callable(done) and isinstance(result, int) else str(done))


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
