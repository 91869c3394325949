"""What a customer's wording may say: a closed set of variables, replaced in one pass, and nothing else is interpreted.

`{deadline}` is a variable; `{{ 7*7 }}` and `{% if %}` are letters like all others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migration.models import Mailbox, Wording

M = Wording.Mail

WITH_SECRET = (M.INVITATION, M.INVITATION_SHARED, M.INVITATION_MACHINE, M.REMINDER, M.REMINDER_LATE)

MEANINGS: dict[str, str | Promise] = {
    "greeting": gettext_lazy("“Hello Anna Gruber,”, or without a name where none is known"),
    "name": gettext_lazy("name of the mailbox; may be empty"),
    "address": gettext_lazy("address of the mailbox"),
    "domain": gettext_lazy("the domain"),
    "customer": gettext_lazy("name of the customer"),
    "provider": gettext_lazy("our name"),
    "phone": gettext_lazy("phone number of support"),
    "link": gettext_lazy("link to the portal"),
    "secret": gettext_lazy("the first-login password; alone on its line it is printed in a box"),
    "deadline": gettext_lazy("last day"),
    "server": gettext_lazy("name of the new mail server"),
    "day": gettext_lazy("day on which it happened"),
    "hour": gettext_lazy("time at which it happened, like 14:30"),
}
_ALWAYS = ("greeting", "name", "address", "domain", "customer", "provider", "phone")

_VARIABLE = re.compile(r"(?<!\{)\{([a-z]+)\}(?!\})")
# What somebody may have meant as one.
_MEANT = re.compile(r"(?<!\{)\{(\s*[A-Za-z_][\w.\[\]-]*\s*)\}(?!\})")
_ADDRESS = re.compile(r"https?:|www\.|mailto:|tel:", re.IGNORECASE)


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a wording, and in which field: `subject` or `text`."""

    field: str
    sentence: str


def variables(mail: str) -> tuple[str, ...]:
    """The variables of a mail, in the order in which people are told of them."""
    if mail in WITH_SECRET:
        return (*_ALWAYS, "link", "secret", "deadline", "server")
    return (*_ALWAYS, "day", "hour")


def complaints(mail: str, subject: str, text: str) -> list[Complaint]:
    """Everything that is wrong with this wording; nothing if it may be saved."""
    used, secrets = _VARIABLE.findall(text), ("link", "secret") if mail in WITH_SECRET else ()
    needed = ("address", "phone", *(("deadline",) if mail in WITH_SECRET else ()))
    once = _("{%(name)s} must be in the text exactly once; it is there %(times)d times.")
    return [
        *(Complaint("subject", sentence) for sentence in _in_any_field(mail, subject)),
        *(Complaint("text", sentence) for sentence in _in_any_field(mail, text)),
        *(
            Complaint("subject", _("{%(name)s} must not be in the subject.") % {"name": name})
            for name in secrets
            if name in _VARIABLE.findall(subject)
        ),
        *(
            Complaint("text", once % {"name": name, "times": used.count(name)})
            for name in secrets
            if used.count(name) != 1
        ),
        *(
            Complaint("text", _("{%(name)s} is missing in the text.") % {"name": name})
            for name in needed
            if name not in used
        ),
    ]


def filled(content: str, values: Mapping[str, str]) -> str:
    """The content with its variables replaced, in one pass: a value that looks like a variable stays as it is."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), content)


def mail_for(kind: str, mailbox: Mailbox, *, late: bool = False) -> str:
    """Which wording a mail to this mailbox takes; empty if it always has the standard's words.

    What is said of reminders and notices is worded for one person: several people and machines are told more.
    """
    if kind == "invitation":
        worded = {Mailbox.Kind.SHARED: M.INVITATION_SHARED, Mailbox.Kind.MACHINE: M.INVITATION_MACHINE}
        return str(worded.get(Mailbox.Kind(mailbox.kind), M.INVITATION))
    if mailbox.worded_as != Mailbox.Kind.PERSONAL:
        return ""
    return str(M.REMINDER_LATE if late else M(kind))


def newest(customer_id: int, mail: str, language: str) -> Wording | None:
    """The customer's own wording of this mail, None where it is the standard."""
    if not mail:
        return None
    sql = """
        SELECT * FROM migration_wording WHERE customer_id = %s AND mail = %s AND language = %s
        ORDER BY version DESC LIMIT 1
    """
    found = next(iter(Wording.objects.raw(sql, [customer_id, mail, language])), None)
    return found if found and not found.is_standard else None


def _in_any_field(mail: str, content: str) -> Iterator[str]:
    known = variables(mail)
    for meant in dict.fromkeys(_MEANT.findall(content)):
        if (name := meant.strip()) not in known:
            everything = ", ".join(f"{{{one}}}" for one in known)
            yield _("{%(name)s} is no variable of this mail. There are: %(known)s.") % {
                "name": name,
                "known": everything,
            }
        elif name != meant:
            yield _("Please write {%(name)s} without blanks.") % {"name": name}
    if _ADDRESS.search(content):
        yield _("Please write no address of a page: the only link in our mails is the one to the portal.")
