"""Seal what is new in the audit trail, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migration.audit import head, sealing


class Command(BaseCommand):
    """`manage.py seal_audit`; the worker does it every minute."""

    help = (
        "Seal every event that is not sealed yet; the worker does so every minute. --over-any-end goes on although no "
        "key of the ring vouches for the chain's end: only after a key was lost, or when a forged chain is kept as "
        "evidence elsewhere."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("--over-any-end", action="store_true", help="go on behind an end nobody vouches for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal all."""
        number = sealing.seal_all(over_any_end=options["over_any_end"])
        head.tell()
        self.stdout.write(f"{number} events were sealed.")
