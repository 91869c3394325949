"""What a domain's name servers say: wanted, found, verdict, and what to change in words ready to be mailed."""

from typing import Any

from django import forms
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from migration import dns_checks, dns_letter
from migration.dns.mail_records import key_of
from migration.models import DnsCheck, Domain, Mailing, Zone

from . import access, actors
from .access import actor, staff_with
from .carrying_out import carry_out

TONES = {"conflict": "bad", "missing": "warn", "unknown": "warn", "match": "good"}
_KEY_BEGINS = "MI"  # base64 of a DER sequence, as all RSA keys are; Ed25519 keys are 44 characters


class TellForm(forms.Form):
    """What nobody can look up: the key, and who runs the DNS."""

    dkim_selector = forms.CharField(
        label=gettext_lazy("DKIM selector"),
        required=False,
        max_length=63,
        help_text=gettext_lazy("Empty: the one of the settings."),
    )
    dkim_key = forms.CharField(
        label=gettext_lazy("DKIM key"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy(
            "Empty: the key the new server tells. Else copy it from there; the whole record will do."
        ),
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "false"}),
    )
    contact_email = forms.EmailField(
        label=gettext_lazy("Address of who runs the DNS"),
        required=False,
        help_text=gettext_lazy("What to change is mailed there. Empty: to the customer's contact."),
    )

    def clean_dkim_key(self) -> str:
        """The key out of whatever was pasted."""
        pasted: str = self.cleaned_data["dkim_key"]
        key = key_of(pasted)
        if pasted and not (key.startswith(_KEY_BEGINS) or len(key) == 44):
            raise forms.ValidationError(_("This is no public key. It begins with MI, after “p=”."), code="no_key")
        return key

    def clean_dkim_selector(self) -> str:
        """Letters, digits, dots and hyphens only: it becomes part of a name."""
        selector: str = self.cleaned_data["dkim_selector"].strip().lower()
        if not all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in selector):
            raise forms.ValidationError(_("A selector has letters, digits, dots and hyphens only."), code="selector")
        return selector


@staff_with("migration.view_domain")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest check, what to change, and the ones before it."""
    return _page(request, access.domain(pk))


@staff_with("migration.view_domain")
@require_safe
def progress(_request: HttpRequest, pk: int) -> JsonResponse:
    """Whether a worker is still asking, for the script of the page."""
    answer = {"state": "asking" if _is_asked(access.domain(pk)) else "resting", "done": 0}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})


@staff_with("migration.invite_mailbox")
@require_POST
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a worker ask the name servers now."""
    dns_checks.ask(access.domain(pk), actor=actor(request))
    return redirect("desk:checks", pk)


@staff_with("migration.change_domain")
@require_POST
def tell(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the key and who runs the DNS."""
    domain = access.domain(pk)
    form = TellForm(request.POST)
    if not form.is_valid():
        return _page(request, domain, form)
    who = actor(request)
    carry_out(request, lambda: dns_checks.tell(domain, actor=who, **form.cleaned_data), _("Saved. Now ask again."))
    return redirect("desk:checks", pk)


@staff_with("migration.change_domain")
@require_POST
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail what to change to whoever runs the DNS."""
    domain, who = access.domain(pk), actor(request)
    carry_out(request, lambda: dns_checks.mail_changes(domain, actor=who), _("The mail is on its way."))
    return redirect("desk:checks", pk)


def _page(request: HttpRequest, domain: Domain, form: TellForm | None = None) -> HttpResponse:
    checks = list(dns_checks.answered(domain))
    check = checks[0] if checks else None
    lines = check.found if check else []
    mx = next((line for line in lines if line.kind == "mx"), None)
    who = actors.words(row.asked_by for row in checks)
    context: dict[str, Any] = {
        "domain": domain,
        "asking": _is_asked(domain),
        "check": check,
        "who": who[check.asked_by] if check else "",
        "tone": TONES.get(check.verdict, "") if check else "",
        "lines": [(line, _tone(line.verdict, line.counts)) for line in lines],
        "ttl_hours": dns_letter.hours(mx.ttl) if mx and (mx.ttl or 0) > dns_letter.LOW_TTL else None,
        "low_ttl": dns_letter.LOW_TTL,
        "at_both": not domain.ended_at and dns_checks.at_both(domain),
        "letter": _letter(domain, check) if check else None,
        "recipient": dns_checks.contact_of(domain),
        "mailed": domain.mailings.filter(kind=Mailing.Kind.DNS).order_by("-pk").first(),
        "before": [(row, TONES.get(row.verdict, ""), who[row.asked_by]) for row in checks[1:]],
        "form": form or TellForm(initial=model_to_dict(_zone(domain), TellForm.base_fields)),
    }
    return render(request, "desk/checks.html", context)


def _letter(domain: Domain, check: DnsCheck) -> tuple[str, str] | None:
    """Subject and text in the customer's language, if there is something to change."""
    lines = check.found
    if not dns_letter.changes(lines):
        return None
    with translation.override(domain.customer.language):
        return dns_letter.draft(domain, lines, domain.customer.language)


def _tone(verdict: str, counts: bool) -> str:
    return TONES[verdict] if counts or verdict == "match" else ""


def _is_asked(domain: Domain) -> bool:
    return dns_checks.due().filter(domain=domain).exists()


def _zone(domain: Domain) -> Zone:
    return Zone.objects.filter(domain=domain).first() or Zone(domain=domain)
