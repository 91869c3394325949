"""The pre-announcement to a customer's contact: drafted from what was imported, sent as an admin released it."""

from collections.abc import Iterable

from django.utils import timezone

from migration.addresses import domain_to_unicode
from migration.models import Alias, Domain, Mailbox

from . import layout
from .layout import Mail, one_line

CATCH_ALL = "*"


def announcement(subject: str, text: str, *, language: str) -> Mail:
    """The pre-announcement as an admin released it; see `draft`."""
    return layout.made(language, subject, layout.printable(text))


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
    subject, text = (
        layout.rendered(f"mail/{language}/announcement_{part}.txt", language, context) for part in ("subject", "text")
    )
    return one_line(subject, layout.MAX_SUBJECT), layout.tidy(text)


def shown(addresses: Iterable[str]) -> str:
    """Addresses as people write them, separated by commas, each on one line."""
    parts = [address.strip().rpartition("@") for address in addresses]
    return ", ".join(one_line(f"{local_part}@{domain_to_unicode(domain)}") for local_part, _, domain in parts)


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
