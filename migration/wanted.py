"""How a domain of ours is to be on mailcow: its mailboxes and aliases, and limits they fit into."""

from django.conf import settings

from .addresses import InvalidAddress, parse
from .conflicts import Wanted, WantedMailbox
from .mailcow.provisioning import NewAlias, NewDomain, NewMailbox
from .models import Alias, Domain, Mailbox

# mailcow's own defaults for a new domain; raised where a domain needs more (MiB).
MAILBOXES, ALIASES, QUOTA = 10, 400, 10_240


def of(domain: Domain) -> Wanted:
    """Everything but what is excluded, mailboxes and aliases in the order of their addresses."""
    boxes = Mailbox.objects.filter(domain=domain).exclude(state=Mailbox.State.EXCLUDED).order_by("local_part")
    mailboxes = [mailbox(row) for row in boxes.select_related("domain").defer("legacy_hash")]
    aliases = [alias(row) for row in domain.aliases.select_related("domain").order_by("local_part")]
    quotas = [box.new.quota for box in mailboxes]
    most = max(QUOTA, settings.PROVISION_QUOTA_MIB, *quotas)
    new = NewDomain(
        name=domain.name,
        description=domain.display_name,
        mailboxes=max(MAILBOXES, len(mailboxes)),
        aliases=max(ALIASES, len(aliases)),
        default_quota=settings.PROVISION_QUOTA_MIB,
        max_quota=most,
        quota=max(most, sum(quotas)),
    )
    return Wanted(new, tuple(mailboxes), tuple(aliases))


def mailbox(row: Mailbox) -> WantedMailbox:
    """One mailbox; without a quota of its own it gets that of the settings, since none would be unlimited."""
    new = NewMailbox(row.address, row.name, row.quota_mib or settings.PROVISION_QUOTA_MIB)
    return WantedMailbox(new, has_quota=bool(row.quota_mib), forwards=bool(row.forwards))


def alias(row: Alias) -> NewAlias:
    """One alias; ours is `*@domain` where mailcow says `@domain`."""
    local_part = "" if row.local_part == "*" else row.local_part
    targets = sorted({_canonical(target) for target in row.goto.split(",") if target.strip()})
    return NewAlias(f"{local_part}@{row.domain.name}", tuple(targets))


def _canonical(target: str) -> str:
    """The address as mailcow keeps it; what is none stays as it was typed, and is a finding."""
    try:
        return str(parse(target))
    except InvalidAddress:
        return target.strip()
