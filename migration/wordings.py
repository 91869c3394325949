"""The verbs on a customer's wordings: save, back to the standard, try; and how one looks with made-up values."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from .first_login import show
from .mailings import compose, occasion, outbox, wording
from .mailings.layout import Mail, printable
from .models import Customer, Domain, Event, Mailbox, Mailing, Wording
from .refusals import VerbRefused

M = Wording.Mail
# A first-login password and a link that open nothing: no row has them.
MADE_UP_SECRET = "kfp7mrt4xwd9hc3q"  # noqa: S105
MADE_UP_LINK = "/s/example"

_KINDS = {M.INVITATION_SHARED: Mailbox.Kind.SHARED, M.INVITATION_MACHINE: Mailbox.Kind.MACHINE}
_TEMPLATES = {
    M.INVITATION_SHARED: "invitation",
    M.INVITATION_MACHINE: "invitation",
    M.REMINDER_LATE: "reminder",
}


def save(
    customer: Customer, mail: str, language: str, subject: str, text: str, *, actor: str, after: int | None = None
) -> Wording:
    """Keep a new version. `after` is the number of the version that was edited, if it must still be the newest.

    Raises VerbRefused.
    """
    subject, text = compose.one_line(subject, Wording.LONGEST_SUBJECT), printable(text).strip()
    if not subject or wording.complaints(mail, subject, text):
        raise VerbRefused("unfit_wording")
    return _keep(customer, mail, language, subject, text, actor=actor, after=after)


def back_to_standard(customer: Customer, mail: str, language: str, *, actor: str) -> Wording | None:
    """Take the provider's standard again; what was is kept as a version. None if it is the standard already."""
    if wording.newest(customer.pk, mail, language) is None:
        return None
    return _keep(customer, mail, language, "", "", actor=actor, after=None)


def current(customer: Customer, mail: str, language: str) -> tuple[str, str, int]:
    """Subject and text as they may be edited, and the number of the newest version: 0 if there never was one."""
    newest = versions(customer, mail, language).first()
    if newest and not newest.is_standard:
        return newest.subject, newest.text, newest.version
    subject, text = standard(mail, language)
    return subject, text, newest.version if newest else 0


def versions(customer: Customer, mail: str, language: str) -> QuerySet[Wording]:
    """All versions, the newest first."""
    return Wording.objects.filter(customer=customer, mail=mail, language=language)


def standard(mail: str, language: str) -> tuple[str, str]:
    """The provider's standard with variables in the place of values."""
    names = {name: f"{{{name}}}" for name in wording.MEANINGS}
    values: occasion.Values = {
        **names,
        "last_day": names["deadline"],
        "target_host": names["server"],
        "kind": str(_KINDS.get(M(mail), Mailbox.Kind.PERSONAL)),
        "late": mail == M.REMINDER_LATE,
    }
    subject, text = compose.standard(_TEMPLATES.get(M(mail), mail), language, values)
    return subject, text.strip()


def example(customer: Customer, mail: str, language: str, subject: str, text: str) -> Mail:
    """The mail as the owner of a made-up mailbox would get it."""
    return compose.in_own_words(subject, printable(text), language, _made_up(customer, mail, language))


def filled(customer: Customer, mail: str, language: str, subject: str, text: str) -> tuple[str, str]:
    """Subject and text of the same."""
    return compose.filled(subject, printable(text), language, _made_up(customer, mail, language))


def trial(customer: Customer, mail: str, language: str, subject: str, text: str, *, to: str) -> Mailing:
    """Send the example to a member of staff. The secret and the link in it open nothing. Raises VerbRefused."""
    if wording.complaints(mail, subject, text):
        raise VerbRefused("unfit_wording")
    domain = customer.domains.first()
    if domain is None:
        raise VerbRefused("no_domain_of_customer")
    subject, text = filled(customer, mail, language, subject, text)
    with transaction.atomic():
        return outbox.enqueue(
            Mailing.Kind.TEST, domain=domain, recipient=to, language=language, subject=subject, text=text
        )


def _keep(
    customer: Customer, mail: str, language: str, subject: str, text: str, *, actor: str, after: int | None
) -> Wording:
    with transaction.atomic():
        # Whoever saves at the same time waits here, and then sees this version.
        Customer.objects.select_for_update().get(pk=customer.pk)
        newest = versions(customer, mail, language).values_list("version", flat=True).first() or 0
        if after is not None and after != newest:
            raise VerbRefused("worded_meanwhile")
        row = Wording.objects.create(
            customer=customer,
            mail=mail,
            language=language,
            version=newest + 1,
            subject=subject,
            text=text,
            made_by=actor,
        )
        told: dict[str, Any] = {"mail": mail, "language": language, "version": row.version}
        for domain in customer.domains.all():
            Event.record(Event.Action.WORDING_CHANGED, actor=actor, domain=domain, **told)
    return row


def _made_up(customer: Customer, mail: str, language: str) -> occasion.Values:
    known, today = customer.domains.first(), timezone.localdate()
    domain = Domain(name=known.name if known else "example.org", customer=customer)
    name = "" if mail == M.INVITATION_MACHINE else "Erika Muster"
    kind = _KINDS.get(M(mail), Mailbox.Kind.PERSONAL)
    mailbox = Mailbox(domain=domain, local_part="erika.muster", name=name, kind=kind)
    return occasion.of_mailbox(mailbox, language) | {
        "secret": show(MADE_UP_SECRET),
        "link": f"{settings.BASE_URL}{MADE_UP_LINK}",
        "last_day": occasion.day(today + timedelta(days=14), language),
        "day": occasion.day(today, language),
        "hour": occasion.hour(timezone.now()),
    }
