"""What a domain's name servers say beside what they are to say, and what only people know of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from migration.dns.lines import VERDICTS, Line, Verdict

from .customers import Domain


class Zone(models.Model):
    """What nobody can look up about a domain's DNS: the key that is to stand there, and who changes it."""

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="zone", verbose_name=_("domain"))
    dkim_selector = models.CharField(_("DKIM selector"), max_length=63, blank=True)
    dkim_key = models.TextField(_("DKIM key"), max_length=2000, blank=True)
    contact_email = models.EmailField(_("address of who runs the DNS"), blank=True)

    class Meta:
        verbose_name = _("DNS of a domain")
        verbose_name_plural = _("DNS of domains")

    def __str__(self) -> str:
        return f"{self.domain_id}"


class DnsCheck(models.Model):
    """One question to the name servers. The row is the job: it is open until a worker has written what it found."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dns_checks", verbose_name=_("domain"))
    asked_at = models.DateTimeField(_("asked"), db_default=Now())
    asked_by = models.CharField(_("asked by"), max_length=254)
    checked_at = models.DateTimeField(_("checked"), null=True, db_index=True)
    verdict = models.CharField(_("verdict"), max_length=10, choices=list(VERDICTS.items()), blank=True)
    lines = models.JSONField(default=list, help_text="What was found of each record, as codes and values.")

    class Meta:
        verbose_name = _("check of the name servers")
        verbose_name_plural = _("checks of the name servers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["domain"], condition=Q(checked_at=None), name="one_open_check_a_domain")
        ]

    def __str__(self) -> str:
        return f"{self.domain_id} {self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def found(self) -> list[Line]:
        """The records, judged."""
        return [Line.of(kept) for kept in self.lines]

    @property
    def is_conflict(self) -> bool:
        """Whether a record is in the way of the cut-over."""
        return self.verdict == Verdict.CONFLICT
