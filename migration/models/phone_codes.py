"""Codes that support reads to an owner on the phone."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .mailboxes import Mailbox


class PhoneCode(models.Model):
    """One code of eight digits. Only the answer that shows it has the clear text; `mac` is all we keep."""

    class Checked(models.TextChoices):
        """How support made sure that the caller is the owner."""

        CALLED_BACK = "called_back", _("called back at the number on file")
        CONTACT = "contact", _("the customer's contact confirmed the caller")
        INVOICE = "invoice", _("knows the customer number and the last invoice")
        IN_PERSON = "in_person", _("in person")

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="phone_codes", verbose_name=_("mailbox"))
    mac = models.BinaryField(editable=False)
    checked = models.CharField(_("how the caller was checked"), max_length=12, choices=Checked)
    given_at = models.DateTimeField(_("given"), auto_now_add=True)
    tries = models.PositiveSmallIntegerField(_("wrong tries"), default=0)
    consumed_at = models.DateTimeField(_("used up"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("phone code")
        verbose_name_plural = _("phone codes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox"],
                condition=models.Q(consumed_at=None, revoked_at=None),
                name="one_unspent_phone_code",
            )
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id} #{self.pk}"
