"""Compare the numbers of the desk with a plain count of the rows."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migration.counting import days, tally


class Command(BaseCommand):
    """`manage.py counts`, or `--rebuild` to count everything anew."""

    help = "Tell where the numbers that the database keeps differ from the rows; --rebuild counts them anew."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("--rebuild", action="store_true", help="count all anew; changes to mailboxes wait for it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with a line for each domain whose numbers differ."""
        if options["rebuild"]:
            tally.rebuild()
            days.count(everything=True)
            self.stdout.write("All numbers are counted anew.")
            return
        if found := tally.differences():
            raise CommandError("\n".join([*found, "Count them anew with manage.py counts --rebuild."]))
        self.stdout.write("The numbers agree with the rows.")
