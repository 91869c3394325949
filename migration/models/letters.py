"""Letters on paper that bring owners a first-login password."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customers import Domain


class Printing(models.Model):
    """One file of letters. Its number stands on each letter; the file itself is kept nowhere."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="printings", verbose_name=_("domain"))
    letters = models.PositiveIntegerField(_("number of letters"))
    printed_at = models.DateTimeField(_("printed"), auto_now_add=True)

    class Meta:
        verbose_name = _("printing of letters")
        verbose_name_plural = _("printings of letters")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk}: {self.letters} × {self.domain}"
