"""Does the audit trail still say what it said?"""

import json
from dataclasses import asdict
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from migration.audit import head, verifying
from migration.audit.verifying import Report
from migration.models import AuditHead

from ._progress import Progress


class Command(BaseCommand):
    """`manage.py verify_audit --json`."""

    help = (
        "Check every event against the chain of seals. Exits with 0 when all is well, with 1 at the first seal that "
        "does not hold, naming the event and what is wrong: changed, missing, extra, reordered, truncated end. "
        "--since checks what was sealed from then on. --head compares with a line of the log (audit_head), besides "
        "this machine's own file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("--since", metavar="DATE", help="2026-11-24, or 2026-11-24T18:00")
        parser.add_argument("--head", metavar="NUMBER:LINK", help="an end of the chain that was noted elsewhere")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and tell. Raises CommandError when the chain is broken or an argument is not understood."""
        since, known = _since(options["since"]), _known(options["head"])
        end = AuditHead.objects.values_list("number", flat=True).first() or 0
        with Progress(self.stderr, end) as bar:
            report = verifying.verify(since=since, known=known, told=bar.count)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report) | {"ok": report.broken is None}))
        else:
            self._tell(report)
        if report.broken:
            raise CommandError(f"The audit trail does not hold. The first: {report.broken}.")

    def _tell(self, report: Report) -> None:
        self.stdout.write(f"{report.checked} seals checked, the newest is number {report.last}.")
        for number, what in (
            (report.erased, "were erased in part, each when its time had come"),
            (report.unsealed, "are not sealed yet"),
            (report.backdated, "were written more than an hour after the time they carry"),
            (report.old_keys, "were sealed with a key that is not on the ring; later seals vouch for them"),
            (report.given_up, "were lost with a restore that an operator confirmed"),
        ):
            if number:
                self.stdout.write(f"  {number} {what}")
        if report.broken is None:
            self.stdout.write("All is well.")


def _since(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        day = parse_date(text)
        found = datetime.combine(day, time()) if day else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"--since {text}: write a date such as 2026-11-24, or 2026-11-24T18:00.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _known(text: str | None) -> head.Head | None:
    known = head.parse(text) if text else None
    if text and known is None:
        raise CommandError("--head: write it as the log has it, the number, a colon and the link.")
    return known
