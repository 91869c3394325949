"""The move itself: which mailboxes move, how far they are, and making mailcow agree."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class MigrationConfig(AppConfig):
    """App `migration`; its models live one subject a file in `migration/models/`."""

    name = "migration"
    verbose_name = _("Move to mailcow")

    def ready(self) -> None:
        """Have the counting triggers taken down before schema migrations and put up after them."""
        from .counting import triggers  # noqa: PLC0415 - models exist from here on

        pre_migrate.connect(triggers.take_down, sender=self, dispatch_uid="counting")
        post_migrate.connect(triggers.put_up, sender=self, dispatch_uid="counting")
