"""Seal everything anew with the key ring's first key, or ask whether a key may be taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.keys import PLACES
from migration import keys
from migration.secrets import current_key_id


class Command(BaseCommand):
    """`manage.py rotate_keys`, and before a line leaves the ring `manage.py rotate_keys --check k2026`."""

    help = (
        "Seal anew, with the first key of the ring, everything that was sealed with another one, then tell how many "
        "values each key still has. May run while the portal works, and again at any time. --check KEYID changes "
        "nothing and exits with 1 while the key is in use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("--check", metavar="KEYID", help="may this key be taken from the ring?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate or check. Raises CommandError when a value cannot be opened or the key is in use."""
        if options["check"] is not None:
            self._check(options["check"])
            return
        done = keys.rotate(PLACES)
        self.stdout.write(f"{done.renewed} values were sealed anew with the key {current_key_id()}.")
        if done.changed_meanwhile:
            self.stdout.write(f"{done.changed_meanwhile} values were changed meanwhile by somebody else.")
        self._tell(keys.in_use(PLACES))
        if done.unreadable:
            rows = ", ".join(done.unreadable[:20])
            raise CommandError(f"{len(done.unreadable)} values are opened by no key of the ring: {rows}")

    def _check(self, key_id: str) -> None:
        if key_id == current_key_id():
            raise CommandError(f"{key_id} is the first key: everything new is sealed with it.")
        counts = keys.in_use(PLACES)
        left = {name: counted[key_id] for name, counted in counts.items() if counted[key_id]}
        if left:
            where = "; ".join(f"{name}: {number}" for name, number in left.items())
            raise CommandError(f"The key {key_id} is still in use, so it must stay on the ring. {where}")
        self.stdout.write(f"Nothing is left of the key {key_id}: its line may leave the ring.")

    def _tell(self, counts: dict[str, Any]) -> None:
        for name, counted in counts.items():
            self.stdout.write(name)
            for key_id, number in sorted(counted.items()):
                self.stdout.write(f"  {key_id:<16}  {number}")
        others = keys.total(counts.values())
        del others[current_key_id()]
        if others:
            self.stdout.write("Still named besides the first key: " + ", ".join(sorted(others)) + ".")
        else:
            self.stdout.write("Every value is sealed with the first key.")
