"""Make the first admin of a new installation."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.new_staff import checked, password_for, save, told


class Command(BaseCommand):
    """`manage.py create_admin anna@provider.example --name "Anna Gruber"`."""

    help = (
        "Make the first admin. Asks for a password; left empty, or without a terminal, one is made and printed once. "
        "The second factor is set up at the first sign-in. Refuses while an admin may sign in, unless told --another."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("email", help="the address to sign in with")
        parser.add_argument("--name", default="", help="the name colleagues know")
        parser.add_argument("--another", action="store_true", help="make one although there is one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the row. Raises CommandError for a bad or known address, a weak password, or a second first admin."""
        email = checked(options["email"])
        admins = User.objects.filter(role=User.Role.ADMIN, is_active=True)
        if admins.exists() and not options["another"]:
            raise CommandError("There is an admin already. With --another you make one more.")
        if User.objects.filter(email=email).exists():
            raise CommandError(f"{email} exists already. An admin changes the role; add_staff --renew a lost password.")
        user = User(email=email, name=options["name"], role=User.Role.ADMIN)
        password = password_for(user)
        save(user, password, actor="command:create_admin")
        self.stdout.write(told(user, password))
