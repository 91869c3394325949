"""One import in a process and a database of its own: `python -m bench.import_rows WAY FILE` prints seconds and MiB.

WAY is `umzug` (read, preview, apply), `twice` (the same, then once more with other names), `bare` (bulk_create of
the rows, made and sealed beforehand) or `peer` (django-import-export: a dry run for its preview, then the import).
"""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from migration.imports import run  # noqa: E402
from migration.models import Customer, Domain, Mailbox  # noqa: E402
from migration.secrets import Purpose, seal  # noqa: E402

COLUMNS = ("local_part", "name", "kind", "quota_mib", "source_login_at", "legacy_scheme")


def umzug(content: bytes, domain: Domain) -> Callable[[], None]:
    """What the command does, each row with its hash sealed and its event."""

    def bring_in() -> None:
        parsed = run.read(content, domain)
        run.preview(domain, parsed)
        run.apply(domain, parsed, actor="bench")

    return bring_in


def twice(content: bytes, domain: Domain) -> Callable[[], None]:
    """New mailboxes, then all of them changed."""

    def bring_in() -> None:
        umzug(content, domain)()
        umzug(content.replace(b"Person", b"Mensch"), domain)()

    return bring_in


def bare(content: bytes, domain: Domain) -> Callable[[], None]:
    """The floor: no file, no judgement, no sealing, no event."""
    mailboxes = [
        Mailbox(
            domain=domain,
            local_part=row.address.local_part,
            name=row.name,
            kind=row.kind,
            kind_reason=row.kind_reason,
            quota_mib=row.quota_mib,
            source_login_at=row.last_login,
            legacy_scheme=row.legacy_scheme,
            legacy_hash=seal(Purpose.LEGACY_HASH, str(row.address), row.legacy_hash.encode()),
        )
        for row in run.read(content, domain).rows
    ]

    def bring_in() -> None:
        Mailbox.objects.bulk_create(mailboxes, batch_size=run.BATCH)

    return bring_in


def peer(content: bytes, domain: Domain) -> Callable[[], None]:
    """django-import-export as its admin uses it: the same rows without hash, sealing and event."""
    from import_export.resources import ModelResource  # noqa: PLC0415 - only here
    from tablib import Dataset  # noqa: PLC0415

    class Mailboxes(ModelResource):  # type: ignore[misc]
        class Meta:
            model = Mailbox
            fields = COLUMNS
            import_id_fields = ("local_part",)

        def before_save_instance(self, instance: Mailbox, *_row: Any, **_options: Any) -> None:
            """The file is for one domain."""
            instance.domain = domain

    rows = run.read(content, domain).rows
    table = Dataset(headers=COLUMNS)
    for row in rows:
        login = row.last_login.strftime("%Y-%m-%d %H:%M:%S") if row.last_login else ""
        table.append((row.address.local_part, row.name, row.kind, row.quota_mib, login, row.legacy_scheme))

    def bring_in() -> None:
        for dry_run in (True, False):
            result = Mailboxes().import_data(table, dry_run=dry_run, raise_errors=True)
        if result.totals["new"] != len(rows):
            raise RuntimeError(f"the peer took {result.totals}")

    return bring_in


def measured(way: Callable[[bytes, Domain], Callable[[], None]], path: Path) -> tuple[float, float]:
    """Seconds, and the most MiB this process ever held."""
    call_command("migrate", interactive=False, verbosity=0)
    customer = Customer.objects.create(name="Bench", contact_email="bench@bench.example")
    bring_in = way(path.read_bytes(), Domain.objects.create(name="bench.example", customer=customer))
    # SQLite works within this process, so what the processor did tells all, however busy the machine is.
    clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter
    begun = clock()
    bring_in()
    seconds = clock() - begun
    expected = path.read_bytes().count(b"\n") - 1
    if Mailbox.objects.count() != expected:
        raise RuntimeError(f"{Mailbox.objects.count()} mailboxes instead of {expected}")
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(*measured({"umzug": umzug, "twice": twice, "bare": bare, "peer": peer}[sys.argv[1]], Path(sys.argv[2])))
