"""What staff write down about a mailbox, and when somebody has to look again."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .mailboxes import Mailbox


class Note(models.Model):
    """A note of the staff on a mailbox, with or without a day to follow up. The owner does not see it.

    The text lives here alone: the audit trail tells that a note was written, not what it says.
    """

    LONGEST = 2000

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="notes", verbose_name=_("mailbox"))
    text = models.TextField(_("note"), max_length=LONGEST)
    written_at = models.DateTimeField(_("written"), auto_now_add=True)
    written_by = models.CharField(_("written by"), max_length=254)
    follow_up_on = models.DateField(_("follow up on"), null=True, blank=True)
    follow_up_by = models.CharField(_("who follows up"), max_length=254, blank=True)
    done_at = models.DateTimeField(_("followed up"), null=True, blank=True)
    done_by = models.CharField(_("followed up by"), max_length=254, blank=True)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["follow_up_on"],
                name="note_to_follow_up",
                condition=Q(follow_up_on__isnull=False, done_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id} #{self.pk}"
