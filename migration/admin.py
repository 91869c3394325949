"""The move in the Django admin: customers, domains, mailboxes and aliases.

What happened stands in `admin_records`, imports in `admin_imports`. States change at the desk, by verbs; no page here
shows a hash, a MAC, a payload or a link.
"""

# ruff: noqa: ARG002 - Django decides what a method is given.
# Django's own classes take no parameters when the program runs.
# mypy: disable-error-code="type-arg"

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import admin_imports as _imports  # noqa: F401 - registers its own pages
from . import (
    admin_records,  # noqa: F401 - registers its pages
    admin_sources,  # noqa: F401 - registers its page
    kinds,
)
from .addresses import InvalidAddress, domain_to_ascii, parse
from .desk.access import actor
from .models import Alias, Customer, Domain, Mailbox

NO_DOMAIN = gettext_lazy("This is no domain, for example müller.at or kunde.example.")
NO_LOCAL_PART = gettext_lazy("This cannot stand before the @ of an address.")


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    """Whose domains move."""

    fields = ("name", "contact_name", "contact_email", "postal_address", "language")
    list_display = ("name", "contact_name", "contact_email", "language")
    search_fields = ("name", "contact_name", "contact_email", "domains__name")


class DomainForm(forms.ModelForm):
    """Takes the domain as people write it and keeps its xn-- form."""

    def clean_name(self) -> str:
        """The xn-- form. Umlauts are welcome."""
        return _ascii(self.cleaned_data["name"])


@admin.register(Domain)
class DomainAdmin(admin.ModelAdmin):
    """One domain and its plan; the desk is where it is started."""

    form = DomainForm
    fields = (
        "customer",
        "name",
        "deadline",
        "source",
        "paused_at",
        "cut_over_at",
        "created_at",
    )
    list_display = ("as_written", "customer", "deadline", "paused_at", "at_the_desk")
    list_select_related = ("customer",)
    search_fields = ("name", "customer__name")
    autocomplete_fields = ("customer",)

    def get_readonly_fields(self, request: HttpRequest, obj: Domain | None = None) -> tuple[str, ...]:
        """The name is part of every address and of every seal: once mailboxes stand under it, it stays."""
        fixed: tuple[str, ...] = ("paused_at", "cut_over_at", "created_at")
        if obj:  # the plan's page keeps what it was before
            fixed = (*fixed, "deadline")
        return (*fixed, "name") if obj and obj.mailboxes.exists() else fixed

    @admin.display(description=gettext_lazy("domain"), ordering="name")
    def as_written(self, domain: Domain) -> str:
        """With umlauts."""
        return domain.display_name

    @admin.display(description=gettext_lazy("desk"))
    def at_the_desk(self, domain: Domain) -> str:
        """A link."""
        return _to_desk("desk:domain", domain.pk)


class AddressForm(forms.ModelForm):
    """A local part in a domain, checked like every address."""

    def clean(self) -> dict[str, Any]:
        """Refuse a local part mailcow would refuse, and an address that is the other kind; write it in lower case."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        domain, local_part = cleaned.get("domain"), cleaned.get("local_part")
        if domain and local_part and not (local_part == "*" and self._meta.model is Alias):
            try:
                cleaned["local_part"] = parse(f"{local_part}@{domain.name}").local_part
            except InvalidAddress:
                self.add_error("local_part", str(NO_LOCAL_PART))
            if self._is_the_other_kind(cleaned):
                self.add_error("local_part", _("A mailbox or alias has this address already."))
        return cleaned

    def _is_the_other_kind(self, cleaned: dict[str, Any]) -> bool:
        other = Mailbox if self._meta.model is Alias else Alias
        return other.objects.filter(domain=cleaned["domain"], local_part=cleaned.get("local_part")).exists()


@admin.register(Mailbox)
class MailboxAdmin(admin.ModelAdmin):
    """What the import brought. Its state follows from what happens and is not edited."""

    form = AddressForm
    fields = (
        "domain",
        "local_part",
        "state",
        "name",
        "kind",
        "kind_reason",
        "responsible",
        "language",
        "quota_mib",
        "used_mib",
        "forwards",
        "source_login_at",
        "created_at",
    )
    readonly_fields = ("state", "kind_reason", "used_mib", "forwards", "source_login_at", "created_at")
    list_display = ("__str__", "state", "kind", "kind_reason", "name", "at_the_desk")
    list_filter = ("state", "kind", "kind_reason", ("domain", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("domain",)
    search_fields = ("local_part", "domain__name", "name")
    autocomplete_fields = ("domain",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mailbox]:
        """Without the old hash: what is not read cannot be shown."""
        return super().get_queryset(request).defer("legacy_hash")

    def get_readonly_fields(self, request: HttpRequest, obj: Mailbox | None = None) -> tuple[str, ...]:
        """The address of a mailbox is what it is: seals and mails are bound to it."""
        return (*self.readonly_fields, "domain", "local_part") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Mailbox, form: Any, change: bool) -> None:
        """A kind that a person set is no guess any more."""
        if "kind" in form.changed_data:
            obj.kind_reason = Mailbox.KindReason.CORRECTED
        super().save_model(request, obj, form, change)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Besides Django's: one for each kind, to put many right at once."""
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_change_permission(request):
            for kind in Mailbox.Kind:
                sentence = _("Set the kind: %(kind)s") % {"kind": kind.label}
                actions[f"kind_{kind.value}"] = (partial(_set_kind, kind), f"kind_{kind.value}", sentence)
        return actions

    @admin.display(description=gettext_lazy("desk"))
    def at_the_desk(self, mailbox: Mailbox) -> str:
        """A link."""
        return _to_desk("desk:mailbox", mailbox.pk)


def _set_kind(kind: Mailbox.Kind, page: MailboxAdmin, request: HttpRequest, chosen: QuerySet[Mailbox]) -> None:
    number = kinds.set_kind(chosen.select_related(None).only("pk"), kind, actor=actor(request))
    sentence = ngettext("%(n)d mailbox is of another kind now.", "%(n)d mailboxes are of another kind now.", number)
    page.message_user(request, sentence % {"n": number}, messages.SUCCESS)


class AliasForm(AddressForm):
    """An alias and where its mail goes."""

    def clean_goto(self) -> str:
        """Addresses, separated by commas."""
        try:
            return ",".join(str(parse(part)) for part in self.cleaned_data["goto"].split(","))
        except InvalidAddress:
            raise ValidationError(_("Write mail addresses, separated by commas.")) from None


@admin.register(Alias)
class AliasAdmin(admin.ModelAdmin):
    """Addresses that deliver elsewhere."""

    form = AliasForm
    fields = ("domain", "local_part", "goto")
    list_display = ("__str__",)
    list_select_related = ("domain",)
    search_fields = ("local_part", "domain__name", "goto")
    autocomplete_fields = ("domain",)


def _ascii(name: str) -> str:
    try:
        return domain_to_ascii(name)
    except InvalidAddress:
        raise ValidationError(NO_DOMAIN) from None


def _to_desk(page: str, pk: int) -> str:
    return format_html('<a href="{}">{}</a>', reverse(page, args=[pk]), _("desk"))
