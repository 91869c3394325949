"""The page of one mailbox, and the verbs on it. No page shows or takes a password, a hash or a secret."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from migration import mailboxes as verbs
from migration import phone_codes
from migration.models import Mailbox
from migration.states import may

from . import access, live, notes, possible, situation, story, tables
from .access import actor, staff_with
from .carrying_out import carry_out
from .cases import CloseForm
from .forms import ReasonForm


@staff_with("migration.view_mailbox")
@require_safe
@live.page
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
    invitations, pushes = tables.invitations(found), tables.pushes(found)
    works = any(valid for _row, valid in invitations) or phone_codes.living(found) is not None
    refused = possible.refusals(
        found,
        newest=invitations[0][0] if invitations else None,
        push=pushes[0] if pushes else None,
        works=works,
    )
    not_now = {refusal.verb for refusal in refused}
    context = {
        "row": tables.one(found.pk),
        "mailbox": found,
        "situation": situation.of(found, works=works),
        "form": form,
        "may": {verb: may(found, verb) for verb in allowed},
        "may_mail": "invite" not in not_now,
        "may_reopen": "reopen" not in not_now,
        "refused": refused,
        "announced": found.domain.announced_at is not None,
        "may_help_by_phone": "phone" not in not_now,
        "invitations": invitations,
        "usable": works,
        "cases": list(found.cases.filter(closed_at=None)),
        "close_form": CloseForm(),
        "notes": notes.of(found),
        "note_form": notes.NoteForm() if request.user.has_perm("migration.add_note") else None,
        "mails": found.mailings.defer("text").all()[:50],
        "pushes": pushes,
        "story": story.of(
            found, chosen=request.GET.get("show", ""), before=access.number(request.GET.get("before", ""))
        ),
        "filters": story.FILTERS,
    }
    return render(request, "desk/mailbox.html", context)


def _on_mailbox(request: HttpRequest, found: Mailbox, verb: Callable[[], object], done: str) -> HttpResponse:
    carry_out(request, verb, done)
    if request.POST.get("back") == "domain":
        return redirect("desk:domain", found.domain_id)
    return redirect("desk:mailbox", found.pk)
