"""The door for owners with a code from the phone. It answers as the ordinary one: wrong, or too many from a network."""

from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from migration import mailboxes, phone_codes
from migration.addresses import Address
from migration.models import Event, Mailbox, PhoneCode

from . import owners
from .attempts import Bucket, address_bucket, count_failure, give_back, network, reset, spend
from .forms import ReadableSecretInput, VerbatimField, address_field
from .sign_in import Refusal, canonical


@sensitive_variables("typed")
def attempt(address: str, typed: str, *, ip: str) -> PhoneCode | Refusal:
    """Check an address and a phone code as they were typed; the living code or why not.

    Whoever asks, for whichever mailbox or none, gets the same work done. The budgets of network and address are spent
    first; then the code's own five tries, by one statement.
    """
    parsed, key = canonical(address)
    net, own = network(ip), Bucket("phone", address_bucket(key).subject)
    networks = Bucket("network", net), Bucket("network_long", net)
    if any(count > bucket.limit for bucket, count in spend(*networks).items()):
        count_failure()
        return Refusal.NETWORK_EXHAUSTED
    count = spend(own)[own]
    mailbox = Mailbox.objects.by_address(parsed or Address("", "")).first()
    answer = phone_codes.check(mailbox if count <= own.limit else None, typed)
    if answer.code:
        give_back(*networks)
        with transaction.atomic():
            reset(own)
            mailboxes.record_sign_in(answer.code.mailbox, ip=ip, way="phone")
        return answer.code
    count_failure()
    _note(mailbox, own, count, answer.reason, ip)
    return Refusal.WRONG


class PhoneForm(forms.Form):
    """Address and phone code. Valid means: `code` is who signed in."""

    address = address_field()
    digits = VerbatimField(
        label=gettext_lazy("Code from the phone"),
        error_messages={"required": gettext_lazy("Please enter the code that we told you.")},
        widget=ReadableSecretInput(
            attrs={
                "class": "secret",
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "aria-describedby": "digits-hint",
            }
        ),
    )

    def __init__(self, *args: Any, ip: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.ip = ip
        self.code: PhoneCode | None = None
        self.refusal: Refusal | None = None
        self.fields["digits" if self.data.get("address") else "address"].widget.attrs["autofocus"] = True

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Check both together. Every refused try is the same error, whatever the reason."""
        address, digits = self.cleaned_data.get("address", ""), self.cleaned_data.pop("digits", "")
        if address.strip() and digits.strip():
            answer = attempt(address, digits, ip=self.ip)
            if isinstance(answer, PhoneCode):
                self.code = answer
            else:
                self.refusal = answer
                raise forms.ValidationError("", code="refused")
        elif not self.errors:
            empty = "digits" if address.strip() else "address"
            self.add_error(empty, self.fields[empty].error_messages["required"])
        return self.cleaned_data


@sensitive_post_parameters("digits")
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Sign in with a code that support read out; on to the page for the new password."""
    if request.method != "POST":
        return render(request, "accounts/phone.html", {"form": PhoneForm()})
    form = PhoneForm(request.POST, ip=request.META["REMOTE_ADDR"])
    if form.is_valid() and form.code:
        owners.begin(request, form.code)
        return redirect("accounts:password")
    if form.refusal is Refusal.NETWORK_EXHAUSTED:
        response = render(request, "accounts/too_many.html", status=429)
        response["Retry-After"] = "900"
        return response
    return render(request, "accounts/phone.html", {"form": form}, status=422)


def _note(mailbox: Mailbox | None, own: Bucket, count: int, reason: str, ip: str) -> None:
    """Write the failed try down, and of those beyond the budget only the first. Unknown addresses cost the same."""
    if count > own.limit + 1:
        return
    if mailbox is None:
        spend(Bucket("unlisted", own.subject))
    elif count <= own.limit:
        Event.record(Event.Action.SIGN_IN_FAILED, actor="owner", mailbox=mailbox, ip=ip, reason=reason)
    else:
        Event.record(Event.Action.SIGN_IN_REFUSED, actor="owner", mailbox=mailbox, ip=ip)
