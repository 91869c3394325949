"""Bans of the new server's Fail2ban as last told, and the wishes to lift one."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Ban(models.Model):
    """A network the new server keeps out. All rows are replaced by each answer."""

    network = models.CharField(_("network"), max_length=49, unique=True)
    until = models.DateTimeField(_("until"), null=True, help_text="Empty: for good, it is on mailcow's denylist.")
    is_queued = models.BooleanField(_("being lifted"), default=False)

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")
        ordering = ["network"]

    def __str__(self) -> str:
        return self.network


class BanPoll(models.Model):
    """The one row that says when the bans were asked for, and when there was an answer."""

    ONLY = 1

    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name = _("question for bans")
        verbose_name_plural = _("questions for bans")

    def __str__(self) -> str:
        return f"{self.asked_at}"


class Lifting(models.Model):
    """Somebody of the staff wants a ban lifted; a worker does it, since only he has mailcow's key."""

    class State(models.TextChoices):
        """How far it is."""

        ASKED = "asked", _("asked for")
        DONE = "done", _("lifted")
        FAILED = "failed", _("not lifted")

    network = models.CharField(_("network"), max_length=49)
    asked_by = models.CharField(_("who"), max_length=254, help_text="staff:<address>")
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=6, choices=State, default=State.ASKED)
    reason = models.CharField(_("reason"), max_length=20, blank=True)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)

    class Meta:
        verbose_name = _("lifting of a ban")
        verbose_name_plural = _("liftings of bans")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["network"], condition=Q(state="asked"), name="one_open_lifting"),
        ]

    def __str__(self) -> str:
        return self.network
