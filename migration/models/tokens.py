"""Tokens for the API: who may read what, until when. The token itself is shown once and kept nowhere."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .customers import Customer


class ApiToken(models.Model):
    """A program's right to read. `lookup` is how a token's row is found and no secret; `mac` tells whether it is it.

    The counter of requests stands in the row itself: the statement that notes the use also counts it.
    """

    class Scope(models.TextChoices):
        """What a token may read."""

        CAMPAIGN = "campaign:read", _("the numbers of the whole move, and its health")
        DOMAINS = "domains:read", _("domains, with their plans and numbers")
        MAILBOXES = "mailboxes:read", _("mailboxes, with their addresses")
        NAMES = "names:read", _("the names of owners, with their mailboxes")
        EVENTS = "events:read", _("events, without names, IP addresses or typed text")

    LOOKUP_CHARACTERS = 8

    name = models.CharField(_("what for"), max_length=80, help_text=_("The program that gets it."))
    lookup = models.CharField(max_length=LOOKUP_CHARACTERS, unique=True, editable=False)
    mac = models.BinaryField(editable=False)
    scopes = models.JSONField(_("may read"), default=list)
    # Not SET_NULL: a token of one customer must never become one for all.
    customer = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="api_tokens", verbose_name=_("customer")
    )
    made_by = models.CharField(_("made by"), max_length=254)
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("ends"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    revoked_by = models.CharField(_("revoked by"), max_length=254, blank=True)
    last_used_on = models.DateField(_("last used"), null=True)
    counted_since = models.DateTimeField(null=True)
    counted = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("token for the API")
        verbose_name_plural = _("tokens for the API")
        ordering = ["-id"]
        # An admin's business: nothing that the right to see mailboxes brings along.
        default_permissions = ("add", "change")

    def __str__(self) -> str:
        return self.name

    @property
    def is_valid(self) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and timezone.now() < self.expires_at

    @property
    def ended_at(self) -> datetime:
        """When it stopped, or will stop, to open anything."""
        return min(self.revoked_at or self.expires_at, self.expires_at)
