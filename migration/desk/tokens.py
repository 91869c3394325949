"""Tokens for the API: see them, make one, take one back. An admin proves anew who he is; a token is shown once."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from migration.api import tokens as verbs
from migration.models import ApiToken, Customer

from . import actors
from .access import actor, ask_again_who_it_is, staff_with

DAYS = ((30, gettext_lazy("30 days")), (90, gettext_lazy("90 days")), (365, gettext_lazy("one year")))


class TokenForm(forms.Form):
    """For which program, what it may read, of whom, and how long."""

    name = forms.CharField(
        label=gettext_lazy("What for"),
        max_length=80,
        help_text=gettext_lazy("The program that gets it, for example “wallboard in the office”."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May read"),
        choices=ApiToken.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    customer = forms.ModelChoiceField(
        label=gettext_lazy("Of this customer only"),
        queryset=Customer.objects.all(),
        required=False,
        empty_label=gettext_lazy("all customers"),
    )
    days = forms.TypedChoiceField(label=gettext_lazy("Ends after"), choices=DAYS, coerce=int, initial=90)

    def clean_scopes(self) -> list[str]:
        """Names are told with mailboxes only."""
        chosen: list[str] = self.cleaned_data["scopes"]
        if ApiToken.Scope.NAMES in chosen and ApiToken.Scope.MAILBOXES not in chosen:
            raise ValidationError(_("Names are told with the mailboxes: choose these too."))
        return chosen


@staff_with("migration.add_apitoken")
@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    """All of them, with what they may read and when they were used last. The tokens themselves are nowhere."""
    rows: list[Any] = list(ApiToken.objects.select_related("customer"))
    labels, who = dict(ApiToken.Scope.choices), actors.words(row.made_by for row in rows)
    for row in rows:
        row.made_by_words = who[row.made_by]
        row.scope_labels = [labels.get(scope, scope) for scope in row.scopes]
    return render(request, "desk/tokens.html", {"section": "tokens", "rows": rows})


@staff_with("migration.add_apitoken")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def new(request: HttpRequest) -> HttpResponse:
    """The question, and on its answer the token, this once."""
    ask_again_who_it_is(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "desk/token_new.html", {"form": form}, status=422 if form.errors else 200)
    asked = form.cleaned_data
    row, text = verbs.make(
        name=asked["name"],
        scopes=asked["scopes"],
        customer=asked["customer"],
        expires_at=timezone.now() + timedelta(days=asked["days"]),
        actor=actor(request),
    )
    address = request.build_absolute_uri("/api/v1/")
    response = render(request, "desk/token.html", {"token": row, "text": text, "address": address})
    response["Cache-Control"] = "no-store"
    return response


@staff_with("migration.change_apitoken")
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """From now on it opens nothing. No proof is asked for: whoever has seen one leak must be quick."""
    row = get_object_or_404(ApiToken, pk=pk)
    if verbs.revoke(row, actor=actor(request)):
        messages.success(request, _("The token “%(name)s” opens nothing any more.") % {"name": row.name})
    else:
        messages.warning(request, _("It was revoked already."))
    return redirect("desk:tokens")
