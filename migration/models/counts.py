"""Numbers the database derives from other rows by triggers, as it keeps an index. `migration.counting` tells how."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .customers import Domain


class DomainCount(models.Model):
    """A part of the numbers of one domain: all its rows together are how many mailboxes are in each state.

    Only triggers and the fold write it. `is_base` marks what was folded; its `undelivered` is null, on every other row
    too, when mails or states changed since, so that it has to be counted anew.
    """

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+", db_constraint=False)
    is_base = models.BooleanField(default=False)
    imported = models.IntegerField(default=0, db_default=0)
    invited = models.IntegerField(default=0, db_default=0)
    signed_in = models.IntegerField(default=0, db_default=0)
    password_set = models.IntegerField(default=0, db_default=0)
    active = models.IntegerField(default=0, db_default=0)
    moved = models.IntegerField(default=0, db_default=0)
    excluded = models.IntegerField(default=0, db_default=0)
    blocked = models.IntegerField(default=0, db_default=0)
    undelivered = models.IntegerField(null=True)

    class Meta:
        verbose_name = _("numbers of a domain")
        verbose_name_plural = _("numbers of domains")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["domain"], condition=Q(is_base=True), name="one_base_a_domain")]

    def __str__(self) -> str:
        return f"{self.domain_id}"


class DayCount(models.Model):
    """How many mailboxes became active for the first time on one local day, counted from the events."""

    day = models.DateField(primary_key=True)
    done = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField()

    class Meta:
        verbose_name = _("mailboxes done on a day")
        verbose_name_plural = _("mailboxes done by day")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day}: {self.done}"
