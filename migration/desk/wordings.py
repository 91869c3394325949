"""A customer's wording of his mails: which are his own, edit one, see it, send it to oneself, back to the standard.

A mail is shown in a frame under a policy of its own: its styles stand in it, and nothing in it may run or load.
"""

from typing import Any

from csp.utils import build_policy
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from migration import wordings as verbs
from migration.mailings import wording as rules
from migration.models import Customer, Wording
from migration.refusals import VerbRefused

from .access import actor, staff_with

OF_A_MAIL = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
SHOWN_VERSIONS = 20


class WhichForm(forms.Form):
    """Which mail, in which language."""

    mail = forms.ChoiceField(choices=Wording.Mail.choices, widget=forms.HiddenInput)
    language = forms.ChoiceField(choices=settings.LANGUAGES, widget=forms.HiddenInput)


class WordingForm(WhichForm):
    """One wording, checked as a whole: an error names the variable and the field."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    subject = forms.CharField(label=gettext_lazy("Subject"), max_length=Wording.LONGEST_SUBJECT)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=Wording.LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono"}),
        help_text=gettext_lazy("Plain paragraphs, an empty line between them. Lines may begin with “1. ” or “- ”."),
    )

    def clean(self) -> dict[str, Any]:
        """Add what the rules say about it."""
        typed = super().clean() or self.cleaned_data
        if {"mail", "subject", "text"} <= set(typed):
            for complaint in rules.complaints(typed["mail"], typed["subject"], typed["text"]):
                self.add_error(complaint.field, complaint.sentence)
        return typed


@staff_with("migration.view_wording")
@require_safe
def wordings(request: HttpRequest, pk: int) -> HttpResponse:
    """Every mail in every language, and which of them this customer has words of his own for."""
    customer = get_object_or_404(Customer, pk=pk)
    newest: dict[tuple[str, str], Wording] = {}
    for found in Wording.objects.filter(customer=customer).defer("text").order_by("version"):
        newest[found.mail, found.language] = found
    rows = [
        (label, [(code, name, newest.get((mail, code))) for code, name in settings.LANGUAGES], mail)
        for mail, label in Wording.Mail.choices
    ]
    return render(request, "desk/wordings.html", {"section": "domains", "customer": customer, "rows": rows})


@staff_with("migration.view_wording")
@require_safe
def wording(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail in one language: its words, what may stand in them, and its versions. Asked for none: the first."""
    customer, which = get_object_or_404(Customer, pk=pk), WhichForm(request.GET)
    chosen = which.cleaned_data if which.is_valid() else {}
    mail, language = chosen.get("mail", Wording.Mail.INVITATION), chosen.get("language", customer.language)
    subject, text, version = verbs.current(customer, mail, language)
    initial = {"mail": mail, "language": language, "version": version, "subject": subject, "text": text}
    return _page(request, customer, WordingForm(initial=initial), mail, language)


@staff_with("migration.change_wording")
@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep it as the newest version."""
    customer, form = get_object_or_404(Customer, pk=pk), WordingForm(request.POST)
    if not form.is_valid():
        return _refused(request, customer, form)
    typed = form.cleaned_data
    where = typed["mail"], typed["language"]
    try:
        row = verbs.save(
            customer, *where, typed["subject"], typed["text"], actor=actor(request), after=typed["version"]
        )
    except VerbRefused as refused:
        form.add_error(None, str(refused))
        return _page(request, customer, form, *where)
    messages.success(request, _("Saved as version %(number)d.") % {"number": row.version})
    return _to(customer, *where)


@staff_with("migration.change_wording")
@require_POST
def standard(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the provider's standard again."""
    customer, which = get_object_or_404(Customer, pk=pk), WhichForm(request.POST)
    if not which.is_valid():
        return redirect("desk:wordings", pk)
    where = which.cleaned_data["mail"], which.cleaned_data["language"]
    verbs.back_to_standard(customer, *where, actor=actor(request))
    messages.success(request, _("The standard is in use again. The earlier versions are kept."))
    return _to(customer, *where)


@staff_with("migration.change_wording")
@require_POST
@xframe_options_sameorigin
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """How it looks with a made-up mailbox and secret, as HTML, or with `as=text` as plain text."""
    customer, form = get_object_or_404(Customer, pk=pk), WordingForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        mail = verbs.example(customer, typed["mail"], typed["language"], typed["subject"], typed["text"])
        as_text = request.POST.get("as") == "text"
        response = HttpResponse(f"{mail.subject}\n\n{mail.text}" if as_text else mail.html)
        response.headers["Content-Type"] = f"text/{'plain' if as_text else 'html'}; charset=utf-8"
    else:
        response = render(request, "desk/wording_unfit.html", {"form": form}, status=422)
    response.headers["Content-Security-Policy"] = f"{OF_A_MAIL}; sandbox"
    return response


@staff_with("migration.change_wording")
@require_POST
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it to whoever is signed in; nothing is saved, so the page comes back with what was typed."""
    customer, form = get_object_or_404(Customer, pk=pk), WordingForm(request.POST)
    if not form.is_valid():
        return _refused(request, customer, form)
    typed, to = form.cleaned_data, request.user.get_username()
    where = typed["mail"], typed["language"]
    try:
        verbs.trial(customer, *where, typed["subject"], typed["text"], to=to)
    except VerbRefused as refused:
        form.add_error(None, str(refused))
    else:
        messages.success(request, _("The trial mail is on its way to %(address)s.") % {"address": to})
    return _page(request, customer, form, *where)


def _page(request: HttpRequest, customer: Customer, form: WordingForm, mail: str, language: str) -> HttpResponse:
    versions = list(verbs.versions(customer, mail, language)[:SHOWN_VERSIONS])
    context = {
        "section": "domains",
        "customer": customer,
        "form": form,
        "mail": mail,
        "language": language,
        "title": Wording.Mail(mail).label,
        "language_name": dict(settings.LANGUAGES)[language],
        "variables": [(f"{{{name}}}", rules.MEANINGS[name]) for name in rules.variables(mail)],
        "versions": versions,
        "own": bool(versions) and not versions[0].is_standard,
    }
    response = render(request, "desk/wording.html", context, status=422 if form.errors else 200)
    # The frame with the preview is the only one of the portal.
    response.headers["Content-Security-Policy"] = build_policy(update={"frame-src": ["'self'"]})
    return response


def _refused(request: HttpRequest, customer: Customer, form: WordingForm) -> HttpResponse:
    which = WhichForm(request.POST)
    if not which.is_valid():
        return redirect("desk:wordings", customer.pk)
    return _page(request, customer, form, which.cleaned_data["mail"], which.cleaned_data["language"])


def _to(customer: Customer, mail: str, language: str) -> HttpResponse:
    query = urlencode({"mail": mail, "language": language})
    return redirect(f"{reverse('desk:wording', args=[customer.pk])}?{query}")
