"""What happened, in the Django admin: pushes, mails, invitations, events. Read, never written.

The one thing to do here is to close the breaker.
"""

# ruff: noqa: ARG002 - Django decides what a method is given.
# Django's own classes take no parameters when the program runs.
# mypy: disable-error-code="type-arg"

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from . import pushes
from .models import Event, FirstLogin, Mailing, Push, Target


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
    list_display = ("name", "breaker_opened_at", "breaker_reason", "probe_after")
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
