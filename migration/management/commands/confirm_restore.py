"""Say yes to a restored database: what its open pushes would do, and then let the outboxes work again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migration import restore_guard, restores

ACTOR = "command:confirm_restore"


class Command(BaseCommand):
    """`manage.py confirm_restore`, and when that reads well `manage.py confirm_restore --yes`."""

    help = (
        "After a backup was restored: show what its open pushes would do, and with --yes let pushes and mails go on. "
        "Run it where the worker runs: mailcow is asked which mailboxes were given a newer password since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("--yes", action="store_true", help="confirm; without it nothing is changed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show, and confirm if told so."""
        since = restore_guard.stopped_since()
        if since is None:
            self.stdout.write("Nothing waits for a yes: the database was not found to be older.")
            return
        self.stdout.write(f"Pushes and mails stand still since {since:%Y-%m-%d %H:%M} UTC: the database is older.")
        for push, verdict in restores.findings():
            saved = f"{push.created_at:%Y-%m-%d %H:%M}"
            self.stdout.write(f"{push.mailbox.address}  version {push.version}, saved {saved} UTC  {verdict.value}")
        self.stdout.write(f"{restores.open_mails().count()} mails were open in the backup; none is sent by itself.")
        if not options["yes"]:
            self.stdout.write("Nothing was changed. --yes lets pushes and mails go on.")
            return
        confirmed = restores.confirm(actor=ACTOR)
        if confirmed:
            self.stdout.write(
                f"Confirmed. {confirmed.pushes} pushes are compared with mailcow one by one; "
                f"{confirmed.mails} mails are left to people as unclear."
            )
