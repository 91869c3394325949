"""The high-water mark's two sides as a test wants them."""

from pathlib import Path

from django.conf import settings
from django.utils import timezone

from migration import restore_guard
from migration.models import HighWaterMark


def a_worker_ran(*, seconds_ago: int) -> int:
    """A worker of this machine was the last one, so long ago. Returns the mark."""
    mark = int(timezone.now().timestamp()) - seconds_ago
    HighWaterMark.objects.update_or_create(pk=HighWaterMark.ONLY, defaults={"at": mark})
    file().unlink(missing_ok=True)
    restore_guard.keep(mark)
    return mark


def file() -> Path:
    return Path(settings.MARK_FILE)
