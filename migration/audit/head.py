"""The end of the chain is told to the world outside the database: whoever cuts the chain cannot cut that too.

Once an hour it goes to the log, and into a file beside the restore guard's mark, on each machine with a worker. A
database whose chain does not hold what the file knows was cut, or is restored: then the file stays as it is, until an
operator confirms the restore.
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from migration.models import AuditHead, Event, Seal

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Head:
    """A seal as somebody outside knows it: its number, its link, and when that was noted down."""

    number: int
    link: bytes
    at: datetime

    def is_known(self) -> bool:
        """Whether the chain still holds it."""
        return Seal.objects.filter(number=self.number, link=self.link).exists()

    def was_given_up(self) -> bool:
        """Whether an operator confirmed a restore since: then the chain may be shorter."""
        return Event.objects.filter(action=Event.Action.RESTORE_CONFIRMED, at__gt=self.at).exists()


def parse(text: str) -> Head | None:
    """A head as the log and the file write it: number:link, then perhaps Unix seconds. None if it is none."""
    head, _, seconds = text.strip().partition(" ")
    number, _, link = head.partition(":")
    try:
        return Head(int(number), bytes.fromhex(link), datetime.fromtimestamp(int(seconds or 0), UTC))
    except (ValueError, OverflowError, OSError):
        return None


def path() -> Path:
    """The file beside the restore guard's mark."""
    return Path(f"{settings.MARK_FILE}.audit")


def kept() -> Head | None:
    """What this machine's file knows; None when there is none, or none that can be read."""
    try:
        return parse(path().read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def tell() -> None:
    """Once an hour, tell the log and this machine's file how far the chain is."""
    now = timezone.now()
    due = Q(told_at=None) | Q(told_at__lte=now - EVERY)
    end = AuditHead.objects.filter(number__gt=0).first()
    if end is None:
        return
    if AuditHead.objects.filter(due, pk=end.pk).update(told_at=now):
        log.info("audit_head", head=f"{end.number}:{bytes(end.link).hex()}")
    known = kept()
    if known and known.at > now - EVERY:
        return
    if known and not known.is_known() and not known.was_given_up():
        log.error("audit_chain_shorter", known=known.number, number=end.number)
        return
    _keep(f"{end.number}:{bytes(end.link).hex()} {int(now.timestamp())}\n")


def _keep(text: str) -> None:
    """Write the file whole or not at all."""
    place, draft = path(), ""
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f"{place.name}.", dir=place.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(place)
    except OSError as error:
        log.error("audit_head_not_kept", file=str(place), error=error.strerror)  # noqa: TRY400 - the sentence says it all
        with suppress(OSError):
            Path(draft).unlink(missing_ok=True)
