"""Read the old server's log: when was each mailbox last read there, and from where?"""

import sys
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from migration import logins
from migration.addresses import InvalidAddress, domain_to_ascii
from migration.imports import login_log


class Command(BaseCommand):
    """`manage.py import_logins /var/log/dovecot.log`, or `… | manage.py import_logins -`."""

    help = (
        "Read logins on the old server from Dovecot's log or from a table (address;time;ip;protocol). Keeps the newest "
        "login of each mailbox we know; where it came from for 30 days at most. The same file again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("file", metavar="FILE", help="the log or table; - reads it from stdin")
        parser.add_argument("--format", choices=login_log.FORMATS, default="", help="guessed when left out")
        parser.add_argument("--domain", default="", metavar="NAME", help="completes users written without a domain")
        parser.add_argument(
            "--time-zone",
            default=settings.TIME_ZONE,
            metavar="ZONE",
            help="of times without one, such as Europe/Vienna",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read and keep. Raises CommandError when nothing in the file tells of a login."""
        try:
            zone = ZoneInfo(options["time_zone"])
            domain = domain_to_ascii(options["domain"]) if options["domain"] else ""
        except (KeyError, ValueError) as error:
            name = "domain" if isinstance(error, InvalidAddress) else "time zone"
            raise CommandError(f"There is no such {name}.") from None

        def read(file: BinaryIO) -> login_log.LoginLog:
            lines = login_log.lines_of(file)
            return login_log.read(lines, zone=zone, now=timezone.now(), file_format=options["format"], domain=domain)

        try:
            if options["file"] == "-":
                found = read(sys.stdin.buffer)
            else:
                with Path(options["file"]).open("rb") as opened:
                    found = read(opened)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        self._tell(found, logins.record_source(found.newest))

    def _tell(self, found: login_log.LoginLog, recorded: logins.Recorded) -> None:
        self.stdout.write(f"{found.logins} logins of {len(found.newest)} addresses were read.")
        self.stdout.write(f"{recorded.newer} mailboxes have a newer login than we knew.")
        if recorded.unknown:
            self.stdout.write(f"{recorded.unknown} addresses are no mailboxes of ours.")
        if found.bad:
            self.stderr.write(
                f"{found.bad} lines could not be understood, the first of them is line {found.first_bad_line}."
            )
        if not found.logins:
            raise CommandError("Nothing in this file tells of a login.")
