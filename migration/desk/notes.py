"""Notes on mailboxes at the desk, and the list of those that somebody has to follow up."""

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from migration import notes as verbs
from migration.models import Mailbox, Note

from . import access, actors
from .access import actor, staff_with
from .carrying_out import carry_out

PER_PAGE = 50


class NoteForm(forms.Form):
    """What to remember about a mailbox, and when to look again."""

    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=Note.LONGEST,
        help_text=gettext_lazy("For the staff. Never write a password or a code here; the owner may ask to see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    follow_up_on = forms.DateField(
        label=gettext_lazy("Follow up on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    follow_up_by = forms.ChoiceField(label=gettext_lazy("Who follows up"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = get_user_model()._default_manager.filter(is_active=True).order_by("name", "email")
        self.fields["follow_up_by"].choices = [  # type: ignore[attr-defined]
            ("", _("I myself")),
            *(
                (f"{actors.STAFF}{user.get_username()}", str(user))
                for user in staff
                if user.has_perm("migration.add_note")
            ),
        ]


@staff_with("migration.add_note")
@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a note."""
    found, form = access.mailbox(pk), NoteForm(request.POST)
    if not form.is_valid():
        return render(request, "desk/note.html", {"mailbox": found, "note_form": form}, status=422)
    told: dict[str, Any] = form.cleaned_data
    carry_out(request, lambda: verbs.write(found, actor=actor(request), **told), _("The note is kept."))
    return redirect("desk:mailbox", pk)


@staff_with("migration.add_note")
@require_POST
def done(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody has looked again."""
    note = get_object_or_404(Note.objects.select_related("mailbox__domain").defer("mailbox__legacy_hash"), pk=pk)
    carry_out(request, lambda: verbs.follow_up(note, actor=actor(request)), _("Followed up."))
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, None) and back.startswith("/staff/follow-ups/"):
        return redirect(back)
    return redirect("desk:mailbox", note.mailbox_id)


@staff_with("migration.view_note")
@require_safe
def follow_ups(request: HttpRequest) -> HttpResponse:
    """What has to be looked at again, the day that came first at the top; on request only one's own."""
    mine = request.GET.get("mine") == "1"
    found = verbs.to_follow_up().select_related("mailbox__domain__customer").defer("mailbox__legacy_hash")
    if mine:
        found = found.filter(follow_up_by=actor(request))
    page = Paginator(found.order_by("follow_up_on", "pk"), PER_PAGE).get_page(request.GET.get("page", 1))
    context = {
        "section": "follow_ups",
        "page": page,
        "rows": shown(list(page)),
        "mine": mine,
        "here": request.get_full_path(),
    }
    return render(request, "desk/follow_ups.html", context)


def shown(notes: list[Note]) -> list[dict[str, Any]]:
    """Notes with their people in words, and whether their day has come. One query."""
    who = actors.words(name for note in notes for name in (note.written_by, note.follow_up_by, note.done_by) if name)
    today = timezone.localdate()
    return [
        {
            "note": note,
            "author": who[note.written_by],
            "by": who.get(note.follow_up_by, ""),
            "done_by": who.get(note.done_by, ""),
            "is_due": _is_due(note, today),
        }
        for note in notes
    ]


def of(mailbox: Mailbox) -> list[dict[str, Any]]:
    """The newest notes of a mailbox; what is to be followed up first."""
    newest = list(mailbox.notes.all()[:20])
    newest.sort(key=lambda note: note.follow_up_on is None or note.done_at is not None)
    return shown(newest)


def _is_due(note: Note, today: date) -> bool:
    return note.follow_up_on is not None and note.done_at is None and note.follow_up_on <= today
