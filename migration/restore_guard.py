"""The restore guard: a database older than what the workers saw last does not push or mail by itself.

A mark rises as long as a worker runs: in the database, and in a file beside each machine's key ring, at most once a
minute. It is the time by the database's clock, so it never falls and is above every other machine's. A database is
older when

* its mark is below the one of the file, or
* its mark has stood still for `VOUCHED` and the file does not know it: nobody here can tell what came after.

Then both outboxes stand still until an operator confirms (`migration.restores`). Every claim asks for this itself, so
a database that is restored under running workers is not worked off either.
"""

import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from .mailcow.replies import MailboxFacts
from .models import Event, HighWaterMark, Mailing, Push

log = structlog.get_logger(__name__)

RAISE_EVERY = 60
# A machine's file may lag: its worker had nothing to do, or another machine's swept. Seconds.
VOUCHED = 600
# How far mailcow's clock may be behind ours before an older password counts as older.
CLOCK_SKEW = timedelta(minutes=10)


def is_open() -> RawSQL:
    """The condition of every claim: nobody has to confirm a restore, and the database is not below this file."""
    sql, parameters = condition()
    return RawSQL(sql, parameters, output_field=BooleanField())  # noqa: S611 - our own text, values beside it


def condition() -> tuple[str, tuple[int, ...]]:
    """The same as text with its parameters, for a claim that is one plain statement."""
    seen = _read()
    if seen is None:
        return "NOT EXISTS (SELECT 1 FROM migration_highwatermark WHERE restored_at IS NOT NULL)", ()
    return "EXISTS (SELECT 1 FROM migration_highwatermark WHERE restored_at IS NULL AND at >= %s)", (seen,)


def stopped_since() -> datetime | None:
    """Since when the outboxes wait for an operator's yes; None when they work."""
    return HighWaterMark.objects.filter(restored_at__isnull=False).values_list("restored_at", flat=True).first()


def watch() -> bool:
    """Raise the mark on both sides, or stop the outboxes when the database is older. Whether they may work."""
    HighWaterMark.objects.get_or_create(pk=HighWaterMark.ONLY)
    mark, restored_at, clock = HighWaterMark.objects.values_list("at", "restored_at", Now()).get(pk=HighWaterMark.ONLY)
    if restored_at:
        return False
    seen, now = _read(), int(clock.timestamp())
    why = _why_older(mark, seen, now)
    if why:
        _stop(mark, why)
        return False
    raised = mark
    if not mark <= now < mark + RAISE_EVERY or mark < (seen or 0):
        raised = max(now, mark + 1, seen or 0)
        if not HighWaterMark.objects.filter(at=mark, restored_at=None).update(at=raised):
            return stopped_since() is None  # another worker was faster
    keep(raised)
    return True


def keep(mark: int) -> None:
    """Write the mark into this machine's file, whole or not at all; a higher one stays."""
    if mark <= (_read() or 0):
        return
    path = Path(settings.MARK_FILE)
    draft = ""
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{mark}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError as error:
        log.error("mark_not_kept", file=str(path), error=error.strerror)  # noqa: TRY400 - the sentence says it all
        with suppress(OSError):
            Path(draft).unlink(missing_ok=True)


def highest(mark: int) -> int:
    """The higher of this mark and the file's."""
    return max(mark, _read() or 0)


def is_overtaken(push: Push, found: MailboxFacts) -> bool:
    """Whether somebody gave the mailbox a password after this one was saved, as far as can be told.

    mailcow tells local time without a zone. The later of two readings counts, UTC and the portal's zone: rather a
    person is asked than an old password stored.
    """
    if push.confirmed_update:
        return found.passwd_update != push.confirmed_update
    if found.passwd_update is None:
        return True
    told = datetime.fromisoformat(found.passwd_update)
    latest = max(told.replace(tzinfo=UTC), told.replace(tzinfo=ZoneInfo(settings.TIME_ZONE)))
    return latest > push.created_at - CLOCK_SKEW


def _why_older(mark: int, seen: int | None, now: int) -> str:
    if seen is not None and seen > mark:
        # A new database beside an old file has nothing that could be sent twice.
        return "" if mark == 0 and _is_empty() else "older than this machine's file"
    knows = seen is not None and seen >= mark - VOUCHED
    return "" if mark == 0 or knows or now - mark <= VOUCHED else "unknown to this machine's file"


def _is_empty() -> bool:
    return not (Push.objects.exists() or Mailing.objects.exists())


def _stop(mark: int, why: str) -> None:
    with transaction.atomic():
        if HighWaterMark.objects.filter(at=mark, restored_at=None).update(restored_at=Now()):
            Event.record(Event.Action.RESTORED, actor="worker", reason=why)
            log.error("database_restored", why=why)


def _read() -> int | None:
    """The file's mark; None when there is none, or none that can be read."""
    try:
        text = Path(settings.MARK_FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdecimal() and len(text) < 19 else None
