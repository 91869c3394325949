"""What our mails say: one function per mail, three templates each (`templates/mail/<language>/<mail>_…`).

Imported names go into the prose as plain values on one line; no template is ever made from data.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, make_msgid

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from migration.addresses import domain_to_unicode
from migration.first_login import expires_at, show
from migration.models import Alias, Domain, FirstLogin, Mailbox, Mailing, Review

CATCH_ALL = "*"
MAX_NAME = 100
MAX_SUBJECT = 200

# Line ends and other control characters, and marks that turn the direction of writing.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail without its envelope. Text and HTML stay out of `repr`: an invitation carries a secret."""

    language: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


def invitation(first_login: FirstLogin, secret: str, *, language: str) -> Mail:
    """The mail with the first-login password `secret` and the link; worded for the kind of mailbox."""
    mailbox = first_login.mailbox
    return _mail(
        "invitation",
        language,
        address=str(mailbox),
        kind=mailbox.worded_as,
        name=one_line(mailbox.name),
        responsible=mailbox.responsible,
        contact=one_line(mailbox.domain.customer.contact_name),
        told=one_line(mailbox.domain.customer.name) if mailbox.domain.announced_at else "",
        secret=show(secret),
        link=f"{settings.BASE_URL}/s/{first_login.locator}",
        last_day=_last_day(first_login),
    )


def password_saved(mailbox: Mailbox, at: datetime, *, language: str) -> Mail:
    """The notice that a new password was saved at that time. It carries no secret and no link."""
    return _mail(
        "password_saved",
        language,
        address=str(mailbox),
        kind=mailbox.worded_as,
        name=one_line(mailbox.name),
        saved_at=timezone.localtime(at),
    )


def password_active(mailbox: Mailbox, at: datetime, *, language: str) -> Mail:
    """The notice, in the new mailbox, that its password works there since that time. No secret and no link."""
    return _mail(
        "password_active",
        language,
        address=str(mailbox),
        name=one_line(mailbox.name) if mailbox.worded_as == Mailbox.Kind.PERSONAL else "",
        active_at=timezone.localtime(at),
    )


def review(row: Review, code: str, *, language: str) -> Mail:
    """The mail to the contact with the code and the link to the list he is asked to check."""
    domains = [domain.display_name for domain in row.domains.order_by("name")]
    return _mail(
        "review",
        language,
        contact=one_line(row.customer.contact_name),
        domains=domains,
        first=domains[0] if domains else "",
        code=show(code),
        link=f"{settings.BASE_URL}/c/{row.locator}",
        last_day=timezone.localdate(row.expires_at),
    )


def announcement(subject: str, text: str, *, language: str) -> Mail:
    """The pre-announcement as an admin released it; see `draft`."""
    html = _rendered("announcement_html.html", language, {"subject": one_line(subject), "text": text})
    return Mail(language, one_line(subject, MAX_SUBJECT), _tidy(text), html)


def draft(domain: Domain) -> tuple[str, str]:
    """Subject and text of the pre-announcement to the customer's contact, in his language, for an admin to edit.

    It lists what would move: mailboxes with quota and last login as far as known, and aliases with marks for
    catch-alls, for mail that leaves the house and for who is invited on request only.
    """
    language = domain.customer.language
    mailboxes = [_mailbox_line(mailbox) for mailbox in domain.mailboxes.select_related("domain")]
    context: dict[str, object] = {
        "domain": domain.display_name,
        "contact": one_line(domain.customer.contact_name),
        "mailboxes": mailboxes,
        "on_request": any(line["on_request"] for line in mailboxes),
        "aliases": [_alias_line(alias) for alias in domain.aliases.select_related("domain")],
        "deadline": domain.deadline,
    }
    subject = _rendered("announcement_subject.txt", language, context)
    return one_line(subject, MAX_SUBJECT), _tidy(_rendered("announcement_text.txt", language, context))


def of(mailing: Mailing, secret: str) -> Mail:
    """What a queued mail says; `secret` is the one minted for it, empty for mails without one."""
    language = mailing.language
    if mailing.kind == Mailing.Kind.ANNOUNCEMENT:
        return announcement(mailing.subject, mailing.text, language=language)
    if mailing.kind == Mailing.Kind.INVITATION and mailing.first_login:
        return invitation(mailing.first_login, secret, language=language)
    if mailing.kind == Mailing.Kind.PASSWORD_SAVED and mailing.mailbox:
        return password_saved(mailing.mailbox, mailing.created_at, language=language)
    if mailing.kind == Mailing.Kind.PASSWORD_ACTIVE and mailing.mailbox:
        return password_active(mailing.mailbox, mailing.created_at, language=language)
    if mailing.kind == Mailing.Kind.REVIEW and mailing.review:
        return review(mailing.review, secret, language=language)
    raise ValueError(f"mailing {mailing.pk} is a {mailing.kind} without its row")


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


def one_line(text: str, longest: int = MAX_NAME) -> str:
    """The text without control characters and line ends, cut to `longest` characters: fit for a header or a line."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:longest]


def _mail(kind_of_mail: str, language: str, /, **context: object) -> Mail:
    subject = _rendered(f"{kind_of_mail}_subject.txt", language, context)
    text = _rendered(f"{kind_of_mail}_text.txt", language, context)
    html = _rendered(f"{kind_of_mail}_html.html", language, context | {"subject": one_line(subject, MAX_SUBJECT)})
    return Mail(language, one_line(subject, MAX_SUBJECT), _tidy(text), html)


def _rendered(name: str, language: str, context: dict[str, object]) -> str:
    provider = {
        "language": language,
        "provider": settings.PROVIDER_NAME,
        "phone": settings.PROVIDER_PHONE,
        "target_host": settings.TARGET_MAIL_HOST,
    }
    with translation.override(language):
        return render_to_string(f"mail/{language}/{name}", context | provider)


def _tidy(text: str) -> str:
    """Text with the gaps closed that template tags leave, and one line end at its end."""
    text = re.sub(r"[ \t\r]+(?=\n|$)", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _last_day(first_login: FirstLogin) -> date:
    """The day to name: the domain's deadline, or when that is over or none, the last whole day of the secret."""
    deadline = first_login.mailbox.domain.deadline
    if deadline and deadline >= timezone.localdate():
        return deadline
    return timezone.localdate(expires_at(first_login))


def _mailbox_line(mailbox: Mailbox) -> dict[str, object]:
    return {
        "address": str(mailbox),
        "name": one_line(mailbox.name),
        "kind": mailbox.kind,
        "quota_mib": mailbox.quota_mib,
        "used_mib": mailbox.used_mib,
        "forwards": shown(mailbox.forwards.split(",")) if mailbox.forwards else "",
        "outside": shown(mailbox.outside),
        "on_request": mailbox.on_request,
        "login_at": mailbox.source_login_at and timezone.localtime(mailbox.source_login_at),
    }


def _alias_line(alias: Alias) -> dict[str, object]:
    return {
        "catch_all": alias.local_part == CATCH_ALL,
        "address": f"{alias.local_part}@{alias.domain.display_name}",
        "targets": shown(alias.goto.split(",")),
        "outside": shown(alias.outside),
    }


def shown(addresses: Iterable[str]) -> str:
    """Addresses as people write them, separated by commas, each on one line."""
    parts = [address.strip().rpartition("@") for address in addresses]
    return ", ".join(one_line(f"{local_part}@{domain_to_unicode(domain)}") for local_part, _, domain in parts)
