"""Findings of the check before a domain is made on mailcow: how bad, a code, and what a person reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    STOP = "stop"  # the domain is not begun before a person has mended it
    LEFT = "left"  # this object stays as it is, the others are made
    NOTE = "note"


SEVERITIES: dict[str, str | Promise] = {
    Severity.STOP: _("must be mended first"),
    Severity.LEFT: _("is left as it is"),
    Severity.NOTE: _("to know"),
}

SENTENCES: dict[str, str | Promise] = {
    "alias_domain": _("On the new server this is an alias of the domain %(target)s. Remove the alias there."),
    "mailbox_count": _("%(need)s mailboxes are missing, the domain there may have %(left)s more. Raise its limit."),
    "alias_count": _("%(need)s aliases are missing, the domain there may have %(left)s more. Raise its limit."),
    "quota_sum": _("The missing mailboxes need %(need)s MiB, the domain there has %(left)s MiB left. Raise its quota."),
    "domain_inactive": _("The domain is switched off on the new server: nobody can sign in. Switch it on there."),
    "domain_relays": _("The new server hands the domain's mail on to another. Switch the relaying off there."),
    "mailbox_authsource": _(
        "The new server takes this mailbox's password from elsewhere (LDAP, Keycloak): no password can be set."
    ),
    "mailbox_inactive": _("The mailbox is switched off on the new server. Switch it on there if it is to move."),
    "mailbox_quota": _("The mailbox there has a quota of %(there)s MiB (0: unlimited), ours is %(ours)s MiB."),
    "mailbox_is_alias": _("On the new server this is an alias to %(goto)s, so the mailbox cannot be made."),
    "mailbox_too_big": _("The quota of %(ours)s MiB is more than the %(most)s MiB a mailbox of the domain may have."),
    "alias_goto": _("The alias there delivers to %(there)s, ours to %(ours)s."),
    "alias_inactive": _("The alias is switched off on the new server."),
    "alias_is_mailbox": _("On the new server this is a mailbox, so the alias cannot be made."),
    "alias_is_own_mailbox": _("We have a mailbox of this address too. The mailbox is made, the alias is not."),
    "alias_to_itself": _("The alias delivers to itself only, so it is not made."),
    "alias_case": _("The alias is spelled %(there)s there. Mail arrives all the same."),
    "domain_exists": _("The domain is on the new server already. Its limits stay as they are."),
    "domain_new": _(
        "The domain is not on the new server yet. From the moment it is made, mail from other mailboxes of the new "
        "server is delivered there and not to the old one."
    ),
    "idn": _("The new server calls the domain by this name; people write %(written)s."),
    "mailboxes_exist": _("Mailboxes that are there already and stay: %(n)s"),
    "mailboxes_only_there": _("Mailboxes that are there and not with us, and stay: %(n)s"),
    "no_quota": _("Mailboxes without a quota of their own, which get %(quota)s MiB if they are made: %(n)s"),
    "unlimited": _("Mailboxes there without a limit, which no sum counts: %(n)s"),
    "forwards": _("Mailboxes that forward on the old server. Forwarding is not set up by us: %(n)s"),
    "aliases_exist": _("Aliases that are there already: %(n)s"),
    "aliases_only_there": _("Aliases that are there and not with us, and stay: %(n)s"),
    "goto_invalid": _("It delivers to “%(target)s”, which is no address, so it is not made."),
    "goto_nowhere": _("It delivers to %(target)s, which is neither with us nor on the new server."),
    "catch_all": _("Catch-all: everything without an address of its own will go to %(goto)s."),
    "catch_all_there": _("The new server has a catch-all we do not know, to %(goto)s. It stays."),
}

# Why mailcow did not make an object: `mailcow.objects.Refusal` after this word.
NOT_MADE = "not_made_"
REFUSALS: dict[str, str | Promise] = {
    "exists": _("The new server says it exists and does not show it. Look at it there."),
    "is_alias": _("On the new server this is an alias, so the mailbox cannot be made."),
    "is_taken": _("On the new server this is a mailbox or another alias, so the alias cannot be made."),
    "no_domain": _("The new server does not know the domain."),
    "count": _("The domain may not have more of these on the new server. Raise its limit there."),
    "quota": _("The quota is more than the new server allows the domain. Raise it there."),
    "goto": _("The new server does not take where the alias delivers to."),
    "name": _("The new server does not take this name."),
    "other": _("The new server refused for a reason we do not know. Ask the operator."),
}


def words_for(reason: str, detail: Mapping[str, str | int]) -> str:
    """What a stored reason says that is the code of a finding or a refusal; empty for any other."""
    if reason in SENTENCES:
        return str(SENTENCES[reason]) % detail
    return str(REFUSALS.get(reason.removeprefix(NOT_MADE), "")) if reason.startswith(NOT_MADE) else ""


@dataclass(frozen=True)
class Finding:
    """One finding. `detail` fills the gaps of its sentence."""

    severity: Severity
    code: str
    address: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return str(SENTENCES[self.code]) % self.detail

    @property
    def severity_text(self) -> str:
        """How bad it is, in words."""
        return str(SEVERITIES[self.severity])

    @property
    def kept(self) -> list[Any]:
        """As it is stored: codes, the language comes when it is read."""
        return [self.severity.value, self.code, self.address, dict(self.detail)]

    @classmethod
    def of(cls, kept: list[Any]) -> "Finding":
        """Out of what was stored."""
        severity, code, address, detail = kept
        return cls(Severity(severity), code, address, detail)
