"""Help on the phone: say how the caller was checked, and read him a code. The code is shown once and kept nowhere."""

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from migration import phone_codes
from migration.models import Mailbox, PhoneCode
from migration.refusals import VerbRefused

from . import access
from .access import actor, staff_with

# Longer than elsewhere: who has a caller on the line must not have to look for his phone between two questions.
PROOF_SECONDS = 600


class CheckedForm(forms.Form):
    """How the caller was checked. `seen` is the newest code when the page was made."""

    checked = forms.ChoiceField(
        label=_("How did you make sure that the caller is the owner?"),
        choices=PhoneCode.Checked.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please say how the caller was checked; it is recorded.")},
    )
    note = forms.CharField(
        label=_("Note (optional)"),
        required=False,
        max_length=300,
        help_text=_("It is kept with the event. Never write the code down."),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)


@staff_with("migration.invite_mailbox")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("code")
def phone_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The question, and on its answer the code; sent twice, the second time gives none.

    Both ask for a fresh proof of who is signed in: the code opens a mailbox.
    """
    found = access.mailbox(pk)
    form = CheckedForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        access.ask_again_who_it_is(request, good_for=PROOF_SECONDS)
        try:
            code = phone_codes.give(found, actor=actor(request), **form.cleaned_data)
        except VerbRefused as refused:
            return _question(request, found, form, str(refused), status=409)
        response = render(
            request,
            "desk/phone_code.html",
            {
                "mailbox": found,
                "code": phone_codes.show(code),
                "page": settings.BASE_URL + reverse("accounts:phone"),
                "until": timezone.now() + phone_codes.VALID_FOR,
                "tries": phone_codes.TRIES,
            },
        )
        response["Cache-Control"] = "no-store"
        return response
    try:
        phone_codes.refuse(found)
    except VerbRefused as refused:
        return _question(request, found, None, str(refused))
    access.ask_again_who_it_is(request, good_for=PROOF_SECONDS)
    return _question(request, found, form, "", status=422 if form.errors else 200)


def _question(
    request: HttpRequest, found: Mailbox, form: CheckedForm | None, refused: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "mailbox": found,
        "form": form,
        "refused": refused,
        "seen": phone_codes.newest(found) or "",
        "living": phone_codes.living(found),
    }
    return render(request, "desk/phone.html", context, status=status)
