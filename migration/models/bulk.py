"""Verbs on many mailboxes: what was asked for, and how far it is."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customers import Domain
from .mailboxes import Mailbox


class BulkRun(models.Model):
    """One verb on several mailboxes of a domain, said yes to by a person and worked off part by part.

    `chosen` mailboxes were wanted; `done` of them were changed, and `refused` tells of the others how many there were
    by the reason's code. `key` comes with the form: the same form sent twice is one run. Whoever works holds the lease.
    """

    class Verb(models.TextChoices):
        """What is done to each."""

        INVITE = "invite", _("invite")
        REMIND = "remind", _("remind")
        RETRY = "retry", _("transfer again")
        EXCLUDE = "exclude", _("exclude")
        INCLUDE = "include", _("include again")
        SET_KIND = "set_kind", _("set the kind")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="bulk_runs", verbose_name=_("domain"))
    verb = models.CharField(_("what"), max_length=10, choices=Verb)
    kind = models.CharField(_("kind"), max_length=10, choices=Mailbox.Kind, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.CharField(_("who"), max_length=254)
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    chosen = models.PositiveIntegerField(_("chosen"))
    done = models.PositiveIntegerField(_("done"), default=0)
    refused = models.JSONField(_("refused"), default=dict)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    lease = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("verb on several mailboxes")
        verbose_name_plural = _("verbs on several mailboxes")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(ended_at__isnull=True), name="bulk_run_open"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()}: {self.domain} ({self.chosen})"

    @property
    def left_out(self) -> int:
        """How many were refused so far."""
        return sum(self.refused.values())

    @property
    def worked(self) -> int:
        """How many were looked at so far."""
        return self.done + self.left_out


class BulkPart(models.Model):
    """Some of a run's mailboxes, by their numbers. The row is the job: it goes in the transaction that did it."""

    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="parts")
    mailboxes = models.JSONField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.run_id}: {len(self.mailboxes)}"
