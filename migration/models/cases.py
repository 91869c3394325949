"""What an owner had to say about his mailbox, for support to look at."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .mailboxes import Mailbox


class Case(models.Model):
    """One thing an owner said about a mailbox, open until somebody of support has closed it.

    It changes nothing by itself: no mailbox is deleted, handed over or taken out because somebody said so here.
    `note` is what he typed, as plain text; nothing in it is interpreted.
    """

    class Kind(models.TextChoices):
        """What is not right. The label is the owner's sentence."""

        NOT_MINE = "not_mine", _("This mailbox is not mine.")
        SHARED = "shared", _("Several of us share this mailbox.")
        DELETE = "delete", _("This mailbox is not needed any more. Please delete it.")
        NOT_DECIDER = "not_decider", _("I am not the one to decide about it.")

    LONGEST_NOTE = 1000

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="cases", verbose_name=_("mailbox"))
    kind = models.CharField(_("what the owner says"), max_length=12, choices=Kind)
    note = models.TextField(_("note"), max_length=LONGEST_NOTE, blank=True)
    created_at = models.DateTimeField(_("opened"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=254, blank=True)
    answer = models.TextField(_("what was done"), max_length=LONGEST_NOTE, blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["-id"]
        permissions = [("answer_case", "Can close a case with an answer")]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "kind"], condition=Q(closed_at__isnull=True), name="one_open_case_per_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mailbox}: {self.get_kind_display()}"
