"""Imports: what was read, what it would change, and whether it was confirmed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customers import Domain


class ImportRun(models.Model):
    """One file, parsed and waiting for a yes or no. The file itself is not kept.

    `staged` holds the parsed rows, sealed because they carry hashes; it is blanked when the run is confirmed,
    discarded or a day old.
    """

    class State(models.TextChoices):
        """What became of it."""

        PREVIEW = "preview", _("waiting for confirmation")
        APPLIED = "applied", _("applied")
        DISCARDED = "discarded", _("discarded")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="imports", verbose_name=_("domain"))
    file_name = models.CharField(_("file"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PREVIEW, editable=False)
    staged = models.BinaryField(null=True, editable=False)
    summary = models.JSONField(_("summary"), default=dict, editable=False)
    actor = models.CharField(_("who"), max_length=254, editable=False)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied"), null=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.domain})"
