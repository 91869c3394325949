"""What waits until all of it is in: a parsed file, sealed in its run. The file itself is never kept."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from migration.addresses import Address
from migration.models import ImportPage, ImportRun
from migration.secrets import Purpose, SecretsError, seal, unseal

from .rows import AliasRow, MailboxRow, ParsedFile, RowError

KEPT = timedelta(days=1)


def hold(run: ImportRun, parsed: ParsedFile) -> None:
    """Keep the parsed file in the run until it is decided and done, at most a day."""
    clear = json.dumps(parsed, default=_plain, separators=(",", ":")).encode()
    run.staged = seal(Purpose.STAGING, _row(run), clear)
    run.save(update_fields=["staged"])


def held(run: ImportRun) -> ParsedFile | None:
    """What the run holds; None when it is over, is older than a day or cannot be read any more."""
    if run.staged is None or run.created_at < timezone.now() - KEPT:
        return None
    try:
        return _read(json.loads(unseal(Purpose.STAGING, _row(run), run.staged)))
    except SecretsError:
        # Its key has left the ring meanwhile; the file can be uploaded again.
        return None


def forget_old() -> int:
    """Blank what is a day old, and what was told of it. Returns how many runs held something."""
    old = ImportRun.objects.filter(created_at__lt=timezone.now() - KEPT)
    ImportPage.objects.filter(run__in=old).delete()
    return old.filter(staged__isnull=False).update(staged=None)


def _row(run: ImportRun) -> str:
    return f"import:{run.pk}"


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Address):
        return [value.local_part, value.domain]
    return vars(value)


def _read(data: dict[str, Any]) -> ParsedFile:
    return ParsedFile(
        rows=[_mailbox(row) for row in data["rows"]],
        aliases=[AliasRow(row["line"], Address(*row["address"]), tuple(row["goto"])) for row in data["aliases"]],
        errors=[RowError(**error) for error in data["errors"]],
        notes=[RowError(**note) for note in data["notes"]],
    )


def _mailbox(row: dict[str, Any]) -> MailboxRow:
    last_login = datetime.fromisoformat(row["last_login"]) if row["last_login"] else None
    return MailboxRow(**row | {"address": Address(*row["address"]), "last_login": last_login})
