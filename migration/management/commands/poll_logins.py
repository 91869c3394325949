"""Ask mailcow now who signed in there. Needs mailcow's key, so it runs where the worker runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migration import logins
from migration.addresses import InvalidAddress, domain_to_ascii
from migration.models import Domain


class Command(BaseCommand):
    """`manage.py poll_logins`, or for one domain `manage.py poll_logins kunde.example`."""

    help = (
        "Ask mailcow when owners last signed in there, and note who was seen. Beat does it by itself; a domain is "
        "asked about at most every ten minutes, and not at all once everybody was seen."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("domain", nargs="?", help="only this domain")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask. Raises CommandError for a domain we do not have."""
        if not options["domain"]:
            self.stdout.write(f"{logins.poll_due()} domains were asked about.")
            return
        try:
            domain = Domain.objects.get(name=domain_to_ascii(options["domain"]))
        except (InvalidAddress, Domain.DoesNotExist):
            raise CommandError("We have no such domain.") from None
        seen = logins.poll(domain)
        if seen is None:
            self.stdout.write("Nothing was asked or answered: all were seen, it is too soon, or mailcow is not there.")
        else:
            self.stdout.write(f"{seen} owners were seen on the new server for the first time.")
