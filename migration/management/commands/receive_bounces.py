"""Take bounces from a mail server, by LMTP or SMTP."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migration.mailings.lmtp import Endpoint


class Command(BaseCommand):
    """`manage.py receive_bounces --listen 127.0.0.1:2424`."""

    help = "Listen for bounces of our mails until interrupted. Nothing else is taken."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("--listen", default="127.0.0.1:2424", metavar="ADDRESS:PORT", help="default %(default)s")
        parser.add_argument("--smtp", action="store_true", help="speak SMTP in place of LMTP")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve. Raises CommandError for an address that makes no sense or is taken."""
        host, _, port = options["listen"].rpartition(":")
        if not host or not port.isdecimal():
            raise CommandError("Write --listen as ADDRESS:PORT, for example 127.0.0.1:2424.")
        endpoint = Endpoint(host.strip("[]"), int(port), smtp=options["smtp"])
        try:
            endpoint.start()
        except OSError as error:
            raise CommandError(f"{options['listen']} cannot be listened on: {error.strerror}.") from None
        self.stdout.write(f"Bounces are taken at {options['listen']}.")
        over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_signal: over.set())
        over.wait()
        endpoint.stop()
