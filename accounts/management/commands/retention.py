"""Erase what was kept long enough, or show what would be erased."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import retention


class Command(BaseCommand):
    """`manage.py retention --dry-run`."""

    help = (
        "Erase what was kept long enough; beat does it once a day. Prints for each rule how many rows were due. "
        "--dry-run only counts. A second run finds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("--dry-run", action="store_true", help="count what would go and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all rules."""
        found = retention.run(dry_run=options["dry_run"])
        for rule in retention.RULES:
            days = f"{rule.after.days} days" if rule.after else "at once"
            self.stdout.write(f"{found[rule.code]:>8}  {rule.code:<14}  {days:<8}  {rule.what}")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was erased.")
