"""The move in the Django admin: customers and domains are kept here, everything that happened can be read.

States change at the desk, by verbs; no page here shows a hash, a MAC, a payload or a link.
"""

# ruff: noqa: ARG002 - Django decides what a method is given.
# Django's own classes take no parameters when the program runs.
# mypy: disable-error-code="type-arg"

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
from . import pushes
from .addresses import InvalidAddress, domain_to_ascii, parse
from .models import Alias, Customer, Domain, Event, FirstLogin, Mailbox, Mailing, Push, Target

NO_DOMAIN = gettext_lazy("This is no domain, for example müller.at or kunde.example.")
NO_LOCAL_PART = gettext_lazy("This cannot stand before the @ of an address.")


class Kept(admin.ModelAdmin):
    """Rows the portal writes: to be read, neither added, changed nor deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):
    """Whose domains move."""

    fields = ("name", "contact_name", "contact_email", "language")
    list_display = ("name", "contact_name", "contact_email", "language")
    search_fields = ("name", "contact_name", "contact_email", "domains__name")


class DomainForm(forms.ModelForm):
    """Takes the domain as people write it and keeps its xn-- form."""

    def clean_name(self) -> str:
        """The xn-- form. Umlauts are welcome."""
        return _ascii(self.cleaned_data["name"])

    def clean_source_smtp_host(self) -> str:
        """A host name, or nothing."""
        host = self.cleaned_data["source_smtp_host"].strip()
        return _ascii(host) if host else ""


@admin.register(Domain)
class DomainAdmin(admin.ModelAdmin):
    """One domain and its plan; the desk is where it is started."""

    form = DomainForm
    fields = (
        "customer",
        "name",
        "deadline",
        "source_smtp_host",
        "source_smtp_port",
        "paused_at",
        "cut_over_at",
        "created_at",
    )
    list_display = ("display_name", "customer", "deadline", "paused_at", "at_the_desk")
    list_select_related = ("customer",)
    search_fields = ("name", "customer__name")
    autocomplete_fields = ("customer",)

    def get_readonly_fields(self, request: HttpRequest, obj: Domain | None = None) -> tuple[str, ...]:
        """The name is part of every address and of every seal: once mailboxes stand under it, it stays."""
        fixed = ("paused_at", "cut_over_at", "created_at")
        return (*fixed, "name") if obj and obj.mailboxes.exists() else fixed

    @admin.display(description=gettext_lazy("desk"))
    def at_the_desk(self, domain: Domain) -> str:
        """A link."""
        return _to_desk("desk:domain", domain.pk)


class AddressForm(forms.ModelForm):
    """A local part in a domain, checked like every address."""

    def clean(self) -> dict[str, Any]:
        """Refuse a local part mailcow would refuse; write it in lower case."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        domain, local_part = cleaned.get("domain"), cleaned.get("local_part")
        if domain and local_part and not (local_part == "*" and self._meta.model is Alias):
            try:
                cleaned["local_part"] = parse(f"{local_part}@{domain.name}").local_part
            except InvalidAddress:
                self.add_error("local_part", str(NO_LOCAL_PART))
        return cleaned


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
        "responsible",
        "language",
        "quota_mib",
        "source_login_at",
        "created_at",
    )
    readonly_fields = ("state", "source_login_at", "created_at")
    list_display = ("__str__", "state", "kind", "name", "at_the_desk")
    list_filter = ("state", "kind", ("domain", admin.RelatedOnlyFieldListFilter))
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

    @admin.display(description=gettext_lazy("desk"))
    def at_the_desk(self, mailbox: Mailbox) -> str:
        """A link."""
        return _to_desk("desk:mailbox", mailbox.pk)


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


@admin.register(Push)
class PushAdmin(Kept):
    """Deliveries to the new server; what they carry is not shown."""

    fields = (
        "mailbox",
        "version",
        "state",
        "reason",
        "kept_old",
        "attempts",
        "created_at",
        "due_at",
        "delivered_at",
    )
    list_display = ("mailbox", "state", "reason", "attempts", "created_at", "delivered_at")
    list_filter = ("state", "reason")
    list_select_related = ("mailbox__domain",)
    search_fields = ("mailbox__local_part", "mailbox__domain__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Push]:
        """Without the sealed hash."""
        return super().get_queryset(request).defer("payload", "mailbox__legacy_hash")


@admin.register(Mailing)
class MailingAdmin(Kept):
    """Mails and what became of them."""

    fields = (
        "kind",
        "domain",
        "mailbox",
        "recipient",
        "language",
        "subject",
        "text",
        "state",
        "error",
        "attempts",
        "created_at",
        "due_at",
        "sent_at",
    )
    list_display = ("recipient", "kind", "state", "error", "created_at", "sent_at")
    list_filter = ("kind", "state", ("domain", admin.RelatedOnlyFieldListFilter))
    search_fields = ("recipient", "domain__name")


@admin.register(FirstLogin)
class FirstLoginAdmin(Kept):
    """Invitations: when, not with which password or link."""

    fields = ("mailbox", "number", "created_at", "minted_at", "consumed_at", "revoked_at")
    list_display = ("mailbox", "number", "created_at", "minted_at", "consumed_at", "revoked_at")
    list_select_related = ("mailbox__domain",)
    search_fields = ("mailbox__local_part", "mailbox__domain__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FirstLogin]:
        """Without what could be used."""
        return super().get_queryset(request).defer("mac", "locator", "mailbox__legacy_hash")


@admin.register(Event)
class EventAdmin(Kept):
    """The audit trail."""

    fields = ("at", "actor", "action", "domain", "mailbox", "ip", "detail")
    list_display = ("at", "actor", "action", "domain", "mailbox", "ip")
    list_filter = ("action", "at")
    list_select_related = ("domain", "mailbox__domain")
    search_fields = ("actor", "mailbox__local_part", "domain__name")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Without the old hash of the mailbox."""
        return super().get_queryset(request).defer("mailbox__legacy_hash")


@admin.register(Target)
class TargetAdmin(Kept):
    """The new server and its breaker."""

    fields = ("name", "breaker_opened_at", "breaker_reason")
    list_display = ("name", "breaker_opened_at", "breaker_reason")
    actions = ("close_breaker",)

    @admin.action(description=gettext_lazy("Allow transfers again (close the breaker)"), permissions=["close"])
    def close_breaker(self, request: HttpRequest, targets: QuerySet[Target]) -> None:
        """After a person has removed the cause, for example a wrong API key."""
        opened = list(targets.filter(breaker_opened_at__isnull=False))
        for target in opened:
            pushes.close_breaker(target, actor=f"staff:{request.user.get_username()}")
        number = len(opened)
        sentence = ngettext("%(n)d breaker is closed.", "%(n)d breakers are closed.", number) % {"n": number}
        self.message_user(request, sentence, messages.SUCCESS if number else messages.WARNING)

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Admins."""
        return request.user.has_perm("migration.change_target")


def _ascii(name: str) -> str:
    try:
        return domain_to_ascii(name)
    except InvalidAddress:
        raise ValidationError(NO_DOMAIN) from None


def _to_desk(page: str, pk: int) -> str:
    return format_html('<a href="{}">{}</a>', reverse(page, args=[pk]), _("desk"))
