"""Imports: what was read, what it would change, and what became of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customers import Domain


class ImportRun(models.Model):
    """One file, parsed, compared, and waiting for a yes or no. The file itself is not kept.

    `staged` holds the parsed rows, sealed because they carry hashes; it is blanked when all is in, and when the run is
    discarded or a day old. `summary` has the counts: `preview` what was shown, `applied` what was done so far. Whoever
    works on the run holds its lease.
    """

    class State(models.TextChoices):
        """What became of it."""

        COMPARING = "comparing", _("being compared")
        PREVIEW = "preview", _("waiting for confirmation")
        RUNNING = "running", _("being applied")
        APPLIED = "applied", _("applied")
        DISCARDED = "discarded", _("discarded")

    OPEN = (State.COMPARING, State.RUNNING)
    """There is work to do."""
    UNDECIDED = (State.COMPARING, State.PREVIEW)
    """Nothing was changed yet."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="imports", verbose_name=_("domain"))
    file_name = models.CharField(_("file"), max_length=200)
    file_format = models.CharField(_("format"), max_length=20, blank=True, editable=False)
    rows = models.PositiveIntegerField(_("rows that can go in"), default=0, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PREVIEW, editable=False)
    staged = models.BinaryField(null=True, editable=False)
    summary = models.JSONField(_("summary"), default=dict, editable=False)
    actor = models.CharField(_("who"), max_length=254, editable=False)
    confirmed_by = models.CharField(_("confirmed by"), max_length=254, blank=True, editable=False)
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    applied_at = models.DateTimeField(_("applied"), null=True, editable=False)
    lease = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.domain})"


class ImportPage(models.Model):
    """One page of what an import would change, sealed: addresses of people who may never be imported.

    `group` is a list of `imports.compare.Preview`, `number` counts from 0.
    """

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="pages")
    group = models.CharField(max_length=10)
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "group", "number"], name="one_page_per_number")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.group} {self.number}"

    @property
    def sealed_for(self) -> str:
        """What the seal is bound to."""
        return f"import:{self.run_id}:{self.group}:{self.number}"
