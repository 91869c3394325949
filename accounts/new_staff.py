"""A new member of staff, or a new start for one who is locked out; for the commands of the command line."""

import getpass
import secrets
import sys
from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts import staff_sessions
from accounts.models import User
from migration.models import Event

# How long a password from the command line opens the sign-in while there is no second factor.
FIRST_PASSWORD = timedelta(hours=24)


@dataclass(frozen=True)
class Password:
    """What to sign in with first; `made` by us, so that it must be shown, once."""

    text: str
    made: bool


def checked(email: str) -> str:
    """The address as we keep it. Raises CommandError if it is none."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(f"{email} is no mail address.") from error
    return email


def password_for(user: User) -> Password:
    """Ask for one; left empty, or without a terminal, one is made. Raises CommandError for one that is too weak."""
    typed = getpass.getpass("Password (empty: make one): ") if sys.stdin.isatty() else ""
    if not typed:
        return Password(secrets.token_urlsafe(15), made=True)
    if getpass.getpass("Once more: ") != typed:
        raise CommandError("The two passwords differ.")
    try:
        validate_password(typed, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return Password(typed, made=False)


def save(user: User, password: Password, *, actor: str, totp_secret: str | None = None) -> None:
    """Write the row, without a second factor unless its secret is given. Sessions of before end.

    Until a second factor is set up, the password is good for FIRST_PASSWORD.
    """
    is_new = user.pk is None
    with transaction.atomic():
        user.set_password(password.text)
        user.first_password_until = None if totp_secret else timezone.now() + FIRST_PASSWORD
        user.save()
        Authenticator.objects.filter(user=user).delete()
        if totp_secret:
            TOTP.activate(user, totp_secret)
        if is_new:
            Event.record(Event.Action.STAFF_ADDED, actor=actor, staff=user.email, role=user.role)
        else:
            fields = ["password", "second factor"]
            Event.record(Event.Action.STAFF_CHANGED, actor=actor, staff=user.email, fields=fields, role=user.role)
            staff_sessions.end_all(user, why="new start", actor=actor)


def told(user: User, password: Password) -> str:
    """What the command prints: the role, the password if we made it, and how long it is good."""
    lines = [f"{user.email} may sign in as {user.get_role_display()}."]
    if user.first_password_until:
        hours = round(FIRST_PASSWORD.total_seconds() / 3600)
        lines.append(f"The second factor has to be set up within {hours} hours; later the password opens nothing.")
    if password.made:
        lines.append(f"Password, shown only now: {password.text}")
    return "\n".join(lines)
