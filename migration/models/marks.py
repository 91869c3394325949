"""The high-water mark: how far this database has come."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class HighWaterMark(models.Model):
    """The one row that tells a restored database from the one that was running (`migration.restore_guard`)."""

    ONLY = 1

    at = models.BigIntegerField(default=0, help_text="Unix seconds by the database's clock; 0: no worker ever ran.")
    restored_at = models.DateTimeField(
        _("restored"), null=True, help_text="Since when the outboxes stand still, until an operator confirms."
    )

    class Meta:
        verbose_name = _("high-water mark")
        verbose_name_plural = _("high-water marks")

    def __str__(self) -> str:
        return str(self.at)
