"""Which way a mail goes, and how fast that way may be used.

Mail to a mailbox that moves goes to the source's own SMTP host. Never by MX: after the cut-over the MX record points
at the new mailbox, which nobody can open before this mail was read. The one mail meant for the new mailbox goes to
the target's SMTP host, for before the cut-over MX points at the old one. Mail to everybody else, such as the
customer's contact, goes to the provider's smarthost if the settings name one, and the source's way if they do not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from migration.models import Domain, Mailbox, Mailing, Source
from migration.secrets import Purpose, seal, unseal

from .smtp import Route

TARGET = "target"
SMARTHOST = "smarthost"
SETTINGS = "settings"

_FOR_NEW_MAILBOX = Q(kind=Mailing.Kind.PASSWORD_ACTIVE)


@dataclass(frozen=True)
class Way:
    """A way mails go. `key` names it for good; `pace` is how many mails it takes a minute."""

    key: str
    source: Source | None = None

    @property
    def pace(self) -> int:
        """Mails a minute."""
        return (self.source and self.source.pace) or settings.MAILS_PER_MINUTE

    def route(self) -> Route | None:
        """Host and login; None when it is the target's and the settings name none.

        A login is offered over TLS only. Raises migration.secrets.SecretsError when a source's password cannot be
        opened.
        """
        if self.key == TARGET:
            return target()
        if self.key == SMARTHOST:
            return _with_login("SMARTHOST")
        if self.source is None:
            return _with_login("SOURCE_SMTP")
        return _of_source(self.source)

    def mails(self) -> Q:
        """The condition for a mail to go this way; `of` says the same of one mail."""
        if self.key == TARGET:
            return _FOR_NEW_MAILBOX
        inside = Q(to_domain__in=Domain.objects.values("name"))
        if self.key == SMARTHOST:
            return ~_FOR_NEW_MAILBOX & ~inside
        ours = Domain.objects.filter(source=self.source) if self.source else Domain.objects.filter(source=None)
        mails = Q(to_domain__in=ours.values("name"))
        if not settings.SMARTHOST_HOST:
            mails |= ~inside & Q(domain__in=ours)
        return ~_FOR_NEW_MAILBOX & mails


def ways() -> Iterator[Way]:
    """All ways there are."""
    yield Way(SETTINGS)
    for source in Source.objects.filter(domains__isnull=False).distinct():
        yield of_source(source)
    if settings.SMARTHOST_HOST:
        yield Way(SMARTHOST)
    yield Way(TARGET)


def of(mailing: Mailing) -> Way:
    """The way of one mail: by the domain of the address it goes to, not by the one it is about."""
    if mailing.kind == Mailing.Kind.PASSWORD_ACTIVE:
        return Way(TARGET)
    inside = Domain.objects.filter(name=mailing.to_domain).select_related("source").first()
    if inside is None and settings.SMARTHOST_HOST:
        return Way(SMARTHOST)
    return of_source((inside or mailing.domain).source)


def of_source(source: Source | None) -> Way:
    """The way to the mailboxes of a source; None is the one of the settings."""
    return Way(f"source:{source.pk}", source) if source else Way(SETTINGS)


def target() -> Route | None:
    """The way into the new mailboxes; None when the settings do not name one."""
    if not settings.TARGET_SMTP_HOST:
        return None
    return Route(settings.TARGET_SMTP_HOST, settings.TARGET_SMTP_PORT, settings.TARGET_SMTP_SECURITY)


def recipient(mailbox: Mailbox) -> str:
    """Who gets the mails about a mailbox: its owner in the old mailbox, or for a machine's the person behind it.

    Nobody reads a machine's mailbox; the responsible person decides about it, else the customer's contact.
    """
    if mailbox.kind == Mailbox.Kind.MACHINE:
        return mailbox.responsible or mailbox.domain.customer.contact_email
    return mailbox.address


def seal_password(source: Source, password: str) -> None:
    """Put the sealed password, or none, into the row, which has its number already; saving is the caller's."""
    source.sealed_password = seal(Purpose.SOURCE_LOGIN, sealed_for(source), password.encode()) if password else None


def sealed_for(source: Source) -> str:
    """What the seal of the password is bound to: with another host or user it has to be typed again."""
    return f"{source.pk}|{source.smtp_host}|{source.smtp_user}"


def _of_source(source: Source) -> Route:
    if source.security == Source.Security.NONE:
        return Route(source.smtp_host, source.smtp_port, source.security)
    if source.smtp_user:
        sealed = source.sealed_password
        password = unseal(Purpose.SOURCE_LOGIN, sealed_for(source), sealed).decode() if sealed else ""
        return Route(source.smtp_host, source.smtp_port, source.security, source.smtp_user, password)
    # The login of the settings belongs to the settings' host: no other one is offered it.
    own = source.smtp_host == settings.SOURCE_SMTP_HOST
    user, password = (settings.SOURCE_SMTP_USER, settings.SOURCE_SMTP_PASSWORD) if own else ("", "")
    return Route(source.smtp_host, source.smtp_port, source.security, user, password)


def _with_login(name: str) -> Route:
    """The host of the settings that begin with this name."""
    host, port, security, user, password = (
        getattr(settings, f"{name}_{part}") for part in ("HOST", "PORT", "SECURITY", "USER", "PASSWORD")
    )
    return Route(host, port, security, *((user, password) if user and security != "none" else ("", "")))
