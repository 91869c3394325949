"""What a customer's mails say instead of the provider's standard; each save is a version of its own."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .customers import Customer


class Wording(models.Model):
    """Subject and paragraphs of one mail to one customer's people. Never changed, never deleted: saved anew.

    A version with neither subject nor text takes the customer back to the standard.
    """

    class Mail(models.TextChoices):
        """Which mail can be worded. An invitation and a reminder have one for each way a mailbox is read."""

        INVITATION = "invitation", _("invitation: one person")
        INVITATION_SHARED = "invitation_shared", _("invitation: several people")
        INVITATION_MACHINE = "invitation_machine", _("invitation: a machine")
        REMINDER = "reminder", _("reminder before the cut-over")
        REMINDER_LATE = "reminder_late", _("reminder after the cut-over")
        PASSWORD_SAVED = "password_saved", _("notice: new password saved")
        PASSWORD_ACTIVE = "password_active", _("notice: new password active")

    LONGEST_TEXT = 5000
    LONGEST_SUBJECT = 120

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="wordings", verbose_name=_("customer"))
    mail = models.CharField(_("mail"), max_length=20, choices=Mail)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    version = models.PositiveIntegerField(_("version"))
    subject = models.CharField(_("subject"), max_length=LONGEST_SUBJECT, blank=True)
    text = models.TextField(_("text"), blank=True)
    made_by = models.CharField(_("who"), max_length=254)
    made_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "mail", "language", "version"], name="one_wording_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.get_mail_display()} ({self.language}), {self.version}"

    @property
    def is_standard(self) -> bool:
        """Whether this version takes the customer back to the provider's standard."""
        return not self.text
