"""Make rows with defaults for everything, so that a test names only what matters to it."""

import itertools
import uuid
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from migration import first_login as first_logins
from migration import schemes
from migration.models import Alias, Customer, Domain, FirstLogin, Mailbox, Mailing, Push
from migration.secrets import Purpose, seal

_numbers = itertools.count(1)

TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$ZmFrZSBkaWdlc3Qgb25seSBmb3IgdGVzdHMgMTIzNDU"


def make_customer(**fields: Any) -> Customer:
    """A customer with a contact."""
    number = next(_numbers)
    defaults = {
        "name": f"Kunde {number}",
        "contact_name": "Eva Kontakt",
        "contact_email": f"kontakt{number}@kunde.example",
    }
    return Customer.objects.create(**(defaults | fields))


def make_domain(name: str | None = None, *, announced: bool = True, **fields: Any) -> Domain:
    """A domain, announced to its contact unless said otherwise."""
    domain = Domain.objects.create(
        name=name or f"d{next(_numbers)}.example",
        customer=fields.pop("customer", None) or make_customer(),
        **fields,
    )
    if announced:
        Mailing.objects.create(
            kind=Mailing.Kind.ANNOUNCEMENT,
            domain=domain,
            recipient=domain.customer.contact_email,
            language="de",
            state=Mailing.State.SENT,
            sent_at=timezone.now(),
        )
    return domain


def make_mailbox(local_part: str | None = None, *, legacy: str | None = None, **fields: Any) -> Mailbox:
    """A mailbox, in a domain of its own unless one is given. `legacy` is the old hash in clear."""
    domain = fields.pop("domain", None) or make_domain()
    mailbox = Mailbox.objects.create(domain=domain, local_part=local_part or f"m{next(_numbers)}", **fields)
    if legacy is not None:
        mailbox.legacy_hash = seal(Purpose.LEGACY_HASH, mailbox.address, legacy.encode())
        mailbox.legacy_scheme = schemes.identify(legacy) or ""
        mailbox.save(update_fields=["legacy_hash", "legacy_scheme"])
    return mailbox


def make_alias(local_part: str, *, goto: str, domain: Domain) -> Alias:
    """An alias."""
    return Alias.objects.create(domain=domain, local_part=local_part, goto=goto)


def make_first_login(mailbox: Mailbox, *, sent: bool = True) -> tuple[FirstLogin, str]:
    """An invitation that reached the mailbox, and the first-login password it carried."""
    number = mailbox.first_logins.count() + 1
    first_login = FirstLogin.objects.create(mailbox=mailbox, number=number, locator=first_logins.new_locator())
    secret = first_logins.mint(first_login)
    Mailing.objects.create(
        kind=Mailing.Kind.INVITATION,
        domain=mailbox.domain,
        mailbox=mailbox,
        first_login=first_login,
        recipient=mailbox.address,
        language="de",
        state=Mailing.State.SENT if sent else Mailing.State.QUEUED,
        sent_at=timezone.now() if sent else None,
    )
    if mailbox.state == Mailbox.State.IMPORTED:
        Mailbox.objects.filter(pk=mailbox.pk).update(state=Mailbox.State.INVITED)
        mailbox.refresh_from_db()
    return first_login, secret


def make_push(mailbox: Mailbox, *, password_hash: str = HASH, **fields: Any) -> Push:
    """A push of the mailbox's next version; the mailbox is `password_set` unless the push was delivered."""
    with transaction.atomic():
        mailbox.version += 1
        delivered = fields.get("state") == Push.State.DELIVERED
        mailbox.state = Mailbox.State.ACTIVE if delivered else Mailbox.State.PASSWORD_SET
        mailbox.save(update_fields=["version", "state"])
        blank = fields.get("state") in (Push.State.DELIVERED, Push.State.SUPERSEDED)
        push = Push(mailbox=mailbox, **({"version": mailbox.version, "submission": uuid.uuid4()} | fields))
        if not blank:
            push.payload = seal(Purpose.PENDING_HASH, push.sealed_for, password_hash.encode())
        push.save()
        return push


def make_staff(email: str | None = None, *, role: str = "support", second_factor: bool = True, **fields: Any) -> User:
    """A member of staff with the password `Staff-Password-1`, with a second factor unless said otherwise."""
    user = User.objects.create_user(
        email or f"staff{next(_numbers)}@provider.example", "Staff-Password-1", role=role, **fields
    )
    if second_factor:
        TOTP.activate(user, TOTP_SECRET)
    return user
