"""First-login passwords: one-use secrets mailed by us, valid only in the portal."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .letters import Printing
from .mailboxes import Mailbox


class FirstLogin(models.Model):
    """One first-login password. The clear text exists only in the worker that mails it; `mac` is all we keep.

    The row is made by `invite` with no secret yet; the mail worker mints one just before SMTP. `locator` stands in the
    mailed link: it finds the row and is no secret. One that went out on paper names the `printing` instead of a mail.
    """

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="first_logins", verbose_name=_("mailbox"))
    number = models.PositiveIntegerField(_("invitation number"))
    printing = models.ForeignKey(
        Printing, models.SET_NULL, null=True, related_name="first_logins", verbose_name=_("printing of letters")
    )
    locator = models.CharField(max_length=16, unique=True, editable=False)
    mac = models.BinaryField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    minted_at = models.DateTimeField(_("minted"), null=True, editable=False)
    consumed_at = models.DateTimeField(_("used up"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("first-login password")
        verbose_name_plural = _("first-login passwords")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["mailbox", "number"], name="one_first_login_per_number")]

    def __str__(self) -> str:
        return f"{self.mailbox_id} #{self.number}"
