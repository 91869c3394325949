"""Add a member of staff, or give one who is locked out a new start."""

import base64
import binascii
from pathlib import Path
from typing import Any

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.new_staff import checked, password_for, save, told


class Command(BaseCommand):
    """`manage.py add_staff anna@provider.example --name "Anna Gruber" --role support`."""

    help = (
        "Add a member of staff. Asks for a password; left empty, or without a terminal, one is made and "
        "printed once. The second factor is set up at the first sign-in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("email", help="the address to sign in with")
        parser.add_argument("--name", default="", help="the name colleagues know")
        parser.add_argument("--role", choices=User.Role.values, default=User.Role.SUPPORT)
        parser.add_argument(
            "--renew",
            action="store_true",
            help="the address exists: set a new password and take the second factor away, to be set up anew",
        )
        parser.add_argument(
            "--totp-secret-file",
            type=Path,
            metavar="FILE",
            help="for automation (demo, tests), not for people: set up the second factor at once with the "
            "base32 secret in FILE; a missing file is written with a new secret",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the row. Raises CommandError for a bad address, a weak password or an unreadable secret."""
        email = checked(options["email"])
        user = self._user(email, options)
        secret = _totp_secret(options["totp_secret_file"]) if options["totp_secret_file"] else None
        password = password_for(user)
        save(user, password, actor="command:add_staff", totp_secret=secret)
        self.stdout.write(told(user, password))

    def _user(self, email: str, options: dict[str, Any]) -> User:
        user = User.objects.filter(email=email).first()
        if user is None:
            return User(email=email, name=options["name"], role=options["role"])
        if not options["renew"]:
            raise CommandError(f"{email} exists already. With --renew it gets a new password and second factor.")
        return user


def _totp_secret(file: Path) -> str:
    """The base32 secret in the file; a new one, readable only for us, when there is no file."""
    try:
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(generate_totp_secret() + "\n", encoding="ascii")
        secret = file.read_text(encoding="ascii").strip()
        if len(base64.b32decode(secret, casefold=True)) < 16:
            raise CommandError(f"{file} holds less than 16 bytes.")
    except OSError as error:
        raise CommandError(f"{file} cannot be used: {error.strerror}") from error
    except (binascii.Error, UnicodeError) as error:
        raise CommandError(f"{file} holds no base32 text.") from error
    return secret
