"""What our mails say: one function per mail, two templates each (`templates/mail/<language>/<mail>_…`).

Subject and text are the mail; the HTML is made of the text by `layout`. A customer may have words of his own for some
mails (`wording`). Imported names go into the prose as plain values on one line; no template is ever made from data.
"""

from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, make_msgid

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from migration.first_login import show
from migration.models import Domain, FirstLogin, Mailbox, Mailing, Review

from . import layout, occasion, wording
from .announcing import announcement, draft, shown
from .layout import MAX_SUBJECT, Mail, one_line
from .occasion import Values, day, greeting, hour, last_day

__all__ = ["MAX_SUBJECT", "Mail", "announcement", "draft", "last_day", "one_line", "shown"]

NAMED_IN_A_SUMMARY = 100
S = Mailbox.State


def invitation(first_login: FirstLogin, secret: str, *, language: str) -> Mail:
    """The mail with the first-login password `secret` and the link; worded for the kind of mailbox.

    A further one says that somebody asked for it, and whether the earlier one still works.
    """
    values = occasion.of_first_login(first_login, secret, language)
    mail = wording.mail_for("invitation", first_login.mailbox)
    return _worded("invitation", mail, first_login.mailbox, language, values)


def reminder(first_login: FirstLogin, secret: str, *, language: str) -> Mail:
    """The same once more: when we wrote before, until when, and what happens then, or has since the cut-over."""
    values = occasion.of_first_login(first_login, secret, language) | occasion.of_reminder(first_login, language)
    mail = wording.mail_for("reminder", first_login.mailbox, late=bool(values["late"]))
    return _worded("reminder", mail, first_login.mailbox, language, values)


def password_saved(mailbox: Mailbox, at: datetime, *, language: str) -> Mail:
    """The notice that a new password was saved at that time. It carries no secret and no link."""
    return _notice("password_saved", mailbox, at, language)


def password_active(mailbox: Mailbox, at: datetime, *, language: str) -> Mail:
    """The notice, in the new mailbox, that its password works there since that time. No secret and no link."""
    return _notice("password_active", mailbox, at, language)


def summary(domain: Domain, language: str) -> Mail:
    """How far a domain is, for the customer's contact: numbers, who is still open, dates, what he can do."""
    taking_part = domain.mailboxes.exclude(state=S.EXCLUDED)
    numbers = dict(taking_part.order_by().values_list("state").annotate(Count("pk")))
    open_ones = taking_part.filter(state__in=(S.INVITED, S.SIGNED_IN)).order_by("local_part")
    named = [
        {"address": f"{local_part}@{domain.display_name}", "name": one_line(name)}
        for local_part, name in open_ones.values_list("local_part", "name")[:NAMED_IN_A_SUMMARY]
    ]
    open_number = numbers.get(S.INVITED, 0) + numbers.get(S.SIGNED_IN, 0)
    today = timezone.localdate()
    deadline = domain.deadline if domain.deadline and domain.deadline >= today else None
    ahead = domain.cut_over_on if domain.cut_over_on and domain.cut_over_on >= today else None
    values: Values = {
        "greeting": greeting(one_line(domain.customer.contact_name), language),
        "domain": domain.display_name,
        "today": day(today, language),
        "total": sum(numbers.values()),
        "done": sum(numbers.get(state, 0) for state in Mailbox.DONE),
        "set": numbers.get(S.PASSWORD_SET, 0),
        "waiting": numbers.get(S.IMPORTED, 0),
        "open": named,
        "open_number": open_number,
        "more": open_number - len(named),
        "last_day": day(deadline, language),
        "late": domain.cut_over_at is not None,
        "cut_over_at": day(domain.cut_over_at, language),
        "cut_over_on": day(ahead, language),
    }
    return _standard("summary", language, values)


def review(row: Review, code: str, *, language: str) -> Mail:
    """The mail to the contact with the code and the link to the list he is asked to check."""
    domains = [domain.display_name for domain in row.domains.order_by("name")]
    values: Values = {
        "contact": one_line(row.customer.contact_name),
        "domains": domains,
        "first": domains[0] if domains else "",
        "code": show(code),
        "link": f"{settings.BASE_URL}/c/{row.locator}",
        "last_day": day(row.expires_at, language),
    }
    return _standard("review", language, values)


def trial(subject: str, text: str, *, language: str) -> Mail:
    """A wording filled with made-up values, for the member of staff who asked; it says so itself."""
    return _standard("test", language, {"subject": subject, "text": text})


def of(mailing: Mailing, secret: str) -> Mail:
    """What a queued mail says; `secret` is the one minted for it, empty for mails without one."""
    kind, language = mailing.kind, mailing.language
    if mailing.first_login and kind in (Mailing.Kind.INVITATION, Mailing.Kind.REMINDER):
        composed = invitation if kind == Mailing.Kind.INVITATION else reminder
        return composed(mailing.first_login, secret, language=language)
    if mailing.mailbox and kind in (Mailing.Kind.PASSWORD_SAVED, Mailing.Kind.PASSWORD_ACTIVE):
        return _notice(kind, mailing.mailbox, mailing.created_at, language)
    if kind in (Mailing.Kind.ANNOUNCEMENT, Mailing.Kind.DNS):
        return announcement(mailing.subject, mailing.text, language=language)
    if kind == Mailing.Kind.REVIEW and mailing.review:
        return review(mailing.review, secret, language=language)
    if kind == Mailing.Kind.SUMMARY:
        return summary(mailing.domain, language)
    if kind == Mailing.Kind.TEST:
        return trial(mailing.subject, mailing.text, language=language)
    raise ValueError(f"mailing {mailing.pk} is a {kind} without its row")


def message(mail: Mail, *, to: str, mailing_id: int) -> EmailMessage:
    """The mail with its headers. `to` is a canonical address (ASCII).

    `Auto-Submitted` (RFC 3834) and its Exchange sibling keep absence notes from answering.
    """
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = HeaderAddress(one_line(settings.PROVIDER_NAME), addr_spec=settings.MAIL_FROM)
    message["To"] = HeaderAddress(addr_spec=to)
    message["Reply-To"] = HeaderAddress(addr_spec=settings.PROVIDER_EMAIL)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(timezone.localtime())
    message["Message-ID"] = make_msgid(f"m{mailing_id}", domain=settings.MAIL_FROM.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = mail.language  # last: setting the content drops every Content-… header
    return message


def standard(name: str, language: str, values: Values) -> tuple[str, str]:
    """Subject and text of a mail in the provider's own words."""
    subject, text = (
        layout.rendered(f"mail/{language}/{name}_{part}.txt", language, values) for part in ("subject", "text")
    )
    return one_line(subject, MAX_SUBJECT), layout.tidy(text)


def in_own_words(subject: str, text: str, language: str, values: Values, *, number: int | None = None) -> Mail:
    """The mail in a customer's words. What only facts can tell of an earlier mail follows his first paragraph."""
    return layout.made(language, *filled(subject, text, language, values), strong=_strong(values), wording=number)


def filled(subject: str, text: str, language: str, values: Values) -> tuple[str, str]:
    """Subject and text of a customer's words with their values, not laid out yet."""
    strings = {name: value for name, value in values.items() if isinstance(value, str)} | {
        "deadline": str(values.get("last_day", "")),
        "server": settings.TARGET_MAIL_HOST,
        "provider": one_line(settings.PROVIDER_NAME),
        "phone": settings.PROVIDER_PHONE,
    }
    # A reminder was not asked for; what it says of the earlier mail, the customer says himself.
    again = "" if "late" in values else layout.rendered(f"mail/{language}/parts/again.txt", language, values).strip()
    first, _gap, rest = layout.tidy(text).partition("\n\n")
    whole = "\n\n".join(part for part in (first.strip(), again, rest) if part)
    return wording.filled(subject, strings), wording.filled(whole, strings)


def _notice(kind: str, mailbox: Mailbox, at: datetime, language: str) -> Mail:
    values = occasion.of_mailbox(mailbox, language) | {"day": day(at, language), "hour": hour(at)}
    return _worded(kind, wording.mail_for(kind, mailbox), mailbox, language, values)


def _worded(name: str, mail: str, mailbox: Mailbox, language: str, values: Values) -> Mail:
    own = wording.newest(mailbox.domain.customer_id, mail, language)
    if own is None:
        return _standard(name, language, values)
    return in_own_words(own.subject, own.text, language, values, number=own.pk)


def _standard(name: str, language: str, values: Values) -> Mail:
    subject, text = standard(name, language, values)
    return layout.made(language, subject, text, strong=_strong(values))


def _strong(values: Values) -> list[str]:
    """What the HTML prints bold: which mailbox, and until when."""
    return [str(values[name]) for name in ("address", "last_day") if values.get(name)]
