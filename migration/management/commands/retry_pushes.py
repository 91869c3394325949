"""Try the pushes that wait again now, after what was wrong is mended."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migration import mailboxes, pushes
from migration.addresses import InvalidAddress, parse
from migration.models import Mailbox
from migration.refusals import VerbRefused

ACTOR = "command:retry_pushes"


class Command(BaseCommand):
    """`manage.py retry_pushes anna@demo.example` or `--all`."""

    help = "Make the waiting or blocked push of one mailbox, or of all, due now."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("address", nargs="?", help="the mailbox whose push is tried again")
        parser.add_argument("--all", action="store_true", help="every waiting or blocked push")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ring for the pushes. Raises CommandError for an unknown mailbox or one without an open push."""
        if options["all"]:
            self.stdout.write(f"{pushes.retry_all(actor=ACTOR)} pushes are due now.")
            return
        try:
            mailbox = Mailbox.objects.by_address(parse(options["address"] or "")).get()
            mailboxes.retry_push(mailbox, actor=ACTOR)
        except (InvalidAddress, Mailbox.DoesNotExist) as error:
            raise CommandError("Name a mailbox that was imported, or say --all.") from error
        except VerbRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"The push of {mailbox} is due now.")
