"""What a letter with a first-login password says, and the PDF file it becomes: one A4 page a mailbox.

The page is laid out by Typst in a process of its own, which gets everything as data and never as markup; with its end
the passwords are gone from its memory.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from migration.first_login import show
from migration.guides import qr
from migration.models import FirstLogin, Mailbox

from .layout import one_line
from .occasion import last_day

TYPESETTER = Path(__file__).with_name("typesetter.py")
TYPESET_SECONDS = 60
POSTAL_LINES = 4


class NotTypeset(Exception):
    """The file of letters could not be made. Says nothing of what would have been on them."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A first-login password on its way to paper. The secret stays out of `repr`."""

    first_login: FirstLogin
    secret: str = field(repr=False)


@sensitive_variables()
def typeset(letters: Sequence[Letter], *, number: int) -> bytes:
    """The PDF with these letters; `number` is the printing's and stands on each. Raises NotTypeset."""
    pages = [_page(letter, f"{number}/{place}") for place, letter in enumerate(letters, start=1)]
    data = json.dumps({"title": f"{settings.PROVIDER_NAME} {number}", "letters": pages}).encode()
    try:
        made = subprocess.run(  # noqa: S603 - our own program, and nothing of the data is an argument
            [sys.executable, "-I", str(TYPESETTER)],
            input=data,
            capture_output=True,
            timeout=TYPESET_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotTypeset(f"not done within {TYPESET_SECONDS} s") from None
    if made.returncode or not made.stdout.startswith(b"%PDF-"):
        raise NotTypeset(f"the typesetter ended with {made.returncode}")
    return made.stdout


@sensitive_variables()
def _page(letter: Letter, number: str) -> dict[str, object]:
    mailbox = letter.first_login.mailbox
    link = f"{settings.BASE_URL}/s/{letter.first_login.locator}"
    with translation.override(mailbox.mail_language):
        values = {
            "address": str(mailbox),
            "provider": one_line(settings.PROVIDER_NAME),
            "phone": settings.PROVIDER_PHONE,
            "day": formats.date_format(last_day(letter.first_login), "DATE_FORMAT"),
            "name": one_line(mailbox.name),
        }
        return {
            "language": mailbox.mail_language,
            "provider": values["provider"],
            "sender": one_line(settings.PROVIDER_POSTAL_ADDRESS) or values["provider"],
            "window": window(mailbox),
            "today": formats.date_format(letter.first_login.minted_at.date(), "DATE_FORMAT"),  # type: ignore[union-attr]
            "number": _("Letter %(number)s") % {"number": number},
            "secret": show(letter.secret),
            "link": link,
            "qr": _svg(link),
            **_words(mailbox, values),
        }


def window(mailbox: Mailbox) -> list[str]:
    """The lines in the window of the envelope: the owner, care of the customer, and the customer's address."""
    customer = mailbox.domain.customer
    owner, company = one_line(mailbox.name) or str(mailbox), one_line(customer.name)
    lines = [owner] if owner == company else [owner, f"c/o {company}"]
    postal = [one_line(line) for line in customer.postal_address.splitlines() if line.strip()]
    return [*lines, *postal[:POSTAL_LINES]]


def _words(mailbox: Mailbox, values: dict[str, str]) -> dict[str, object]:
    """The sentences, in the language that is active."""
    personal = mailbox.worded_as == Mailbox.Kind.PERSONAL and values["name"]
    return {
        "subject": _("Your mailbox is moving: please choose a new password by %(day)s") % values,
        "greeting": _("Good day %(name)s,") % values if personal else _("Good day,"),
        "opening": _(
            "%(provider)s is moving the mailbox %(address)s to a new mail server. So that you can go on sending and "
            "receiving mail there, please choose a new password for it by %(day)s. It takes a few minutes:"
        )
        % values,
        "steps": [
            _("Type this address into a browser, or point the camera of your phone at the square:"),
            _("Sign in with the address of the mailbox and this first-login password:"),
            _("Choose the new password. From then on this letter opens nothing any more."),
        ],
        "hint": _(
            "Capitals and dashes do not matter. There is no 0, 1, 2, 5 or 8 in it, and none of the letters a, e, i, l, "
            "o and u."
        ),
        "closing": _(
            "The first-login password opens only our page for the new password, not your mail. We never ask for a "
            "password by phone or mail. If you also have a mail from us with a first-login password, either works."
        ),
        "help": _("Any questions, or do you not know what this is about? Call us: %(phone)s") % values,
        "regards": _("Kind regards"),
        "address_label": _("Mailbox"),
        "mailbox": values["address"],
        "qr_label": _("QR code of the address"),
    }


def _svg(link: str) -> str:
    code = qr.code(link)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {code.size} {code.size}" shape-rendering="crispEdges">'
        f'<path d="{code.path}"/></svg>'
    )
