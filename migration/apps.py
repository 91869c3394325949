"""The move itself: which mailboxes move, how far they are, and making mailcow agree."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MigrationConfig(AppConfig):
    """App `migration`; its models live one subject a file in `migration/models/`."""

    name = "migration"
    verbose_name = _("Move to mailcow")
