"""What is needed to make a domain on mailcow: read domains and aliases, add domains, mailboxes and aliases.

Nothing here edits or deletes. Look first, and look again afterwards: mailcow's report alone proves nothing.
"""

import re
from dataclasses import dataclass

from . import logins
from .client import Client, check_address, path_segment
from .errors import Missing, Reason
from .objects import AliasFacts, DomainFacts, NotMade, Refusal, made, read_alias, read_aliases, read_domain

MAX_NAME = 255  # the column's width; longer is an empty 200 and nothing stored
_HASH = re.compile(r"\{(ARGON2ID|BLF-CRYPT)\}[!-~]{20,240}")


@dataclass(frozen=True, slots=True)
class NewDomain:
    """A domain to be made; quotas in MiB: of one mailbox unless told, at most of one, and of all."""

    name: str
    description: str
    mailboxes: int
    aliases: int
    default_quota: int
    max_quota: int
    quota: int


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """A mailbox to be made; quota in MiB, at least 1: mailcow takes none for unlimited."""

    address: str
    name: str
    quota: int


@dataclass(frozen=True, slots=True)
class NewAlias:
    """An alias to be made; the address `@domain` catches all."""

    address: str
    goto: tuple[str, ...]


def domain(client: Client, name: str) -> DomainFacts:
    """The domain (its xn-- form). Raises MailcowError: Missing when there is none."""
    check_address(f"a@{name}")
    return read_domain(client.call("GET", f"get/domain/{name}"))


def aliases(client: Client, domain: str) -> list[AliasFacts]:
    """The aliases of the domain (its xn-- form), of none if it does not know it. Raises MailcowError."""
    check_address(f"a@{domain}")
    return read_aliases(client.call("GET", f"get/alias/all/{domain}", limit=logins.MAX_BODY), domain)


def alias(client: Client, address: str) -> AliasFacts:
    """One alias. Raises MailcowError: Missing when there is none, also where there is a mailbox.

    Asked for an address that begins with digits mailcow may tell of the alias with that number, and for a catch-all
    nobody saw it asked: then the whole list is.
    """
    local_part, _, of = address.rpartition("@")
    check_address(f"{local_part or 'a'}@{of}")
    if local_part and not local_part[0].isdigit():
        return read_alias(client.call("GET", f"get/alias/{path_segment(address)}"), address)
    found = [row for row in aliases(client, of) if row.address.lower() == address]
    if not found:
        raise Missing(Reason.MISSING)
    return found[0]


def add_domain(client: Client, new: NewDomain) -> None:
    """Make the domain with a DKIM key. Raises MailcowError: NotMade when mailcow refuses."""
    check_address(f"a@{new.name}")
    _check_numbers(new.mailboxes, new.aliases, new.default_quota, new.max_quota, new.quota)
    attributes = {
        "domain": new.name,
        "description": new.description[:MAX_NAME],
        "mailboxes": new.mailboxes,
        "aliases": new.aliases,
        "defquota": new.default_quota,
        "maxquota": new.max_quota,
        "quota": new.quota,
        "active": 1,
        "rl_value": "",
        "rl_frame": "s",
        "restart_sogo": "0",
    }
    made(client.call("POST", "add/domain", attributes), "domain_added", new.name)


def add_mailbox(client: Client, new: NewMailbox, *, password_hash: str) -> None:
    """Make the mailbox with this hash for a password. Raises MailcowError: NotMade when mailcow refuses."""
    check_address(new.address)
    _check_numbers(new.quota)
    if not _HASH.fullmatch(password_hash):
        raise ValueError("a mailbox is made with an Argon2id or bcrypt hash only")
    local_part, _, of = new.address.rpartition("@")
    attributes = {
        "local_part": local_part,
        "domain": of,
        "name": new.name[:MAX_NAME],
        "quota": new.quota,
        "password": password_hash,
        "password2": password_hash,
        "active": 1,
        "force_pw_update": 0,
        "authsource": "mailcow",
    }
    made(client.call("POST", "add/mailbox", attributes), "mailbox_added", new.address)


def add_alias(client: Client, new: NewAlias) -> None:
    """Make the alias, switched on. Raises MailcowError: NotMade when mailcow refuses."""
    local_part, _, of = new.address.rpartition("@")
    for address in (f"{local_part or 'a'}@{of}", *new.goto):
        check_address(address)
    if not new.goto or new.goto == (new.address,):  # mailcow would answer "Task completed" and make nothing
        raise NotMade(Refusal.GOTO)
    attributes = {"address": new.address, "goto": ",".join(new.goto), "active": 1, "sogo_visible": 0}
    made(client.call("POST", "add/alias", attributes), "alias_added", new.address)


def _check_numbers(*numbers: int) -> None:
    if any(number < 1 for number in numbers):
        raise ValueError("mailcow takes numbers below 1 for unlimited")
