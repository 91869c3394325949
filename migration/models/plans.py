"""What the clock did of each domain's plan, and the one switch for all domains together."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customers import Domain


class PlanStep(models.Model):
    """One step of a domain's plan that was carried out by the clock. The row is what keeps it from happening twice."""

    class Kind(models.TextChoices):
        """Which step."""

        INVITE = "invite", _("invitations")
        REMIND = "remind", _("reminder")
        SUMMARY = "summary", _("weekly summary for the contact")

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="plan_steps", verbose_name=_("domain"))
    kind = models.CharField(_("step"), max_length=10, choices=Kind)
    day = models.DateField(_("planned for"), help_text="The day in the plan, not the one on which it was made up for.")
    at = models.DateTimeField(_("carried out"), auto_now_add=True)
    number = models.PositiveIntegerField(_("mails"), default=0)

    class Meta:
        verbose_name = _("step of a plan")
        verbose_name_plural = _("steps of plans")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["domain", "kind", "day"], name="each_step_of_a_plan_once")]

    def __str__(self) -> str:
        return f"{self.domain}: {self.get_kind_display()} {self.day}"


class Campaign(models.Model):
    """The one row about all domains together: whether everything is paused."""

    ONLY = 1

    paused_at = models.DateTimeField(_("paused"), null=True, editable=False)
    paused_by = models.CharField(_("paused by"), max_length=254, blank=True, editable=False)
    paused_reason = models.CharField(_("why paused"), max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name = _("whole move")
        verbose_name_plural = _("whole move")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
