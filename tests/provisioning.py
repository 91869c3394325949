"""A domain to be made on the stand-in, and the worker's hand."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import F

from migration import provisioning
from migration.models import Alias, Domain, Mailbox, ProvisionedObject, Provisioning
from sandbox.mailcow import MailcowStandIn
from tests import factories

NAME = "demo.example"
STAFF = "staff:admin@provider.example"


def make_domain(mailboxes: int = 1, aliases: int = 1, name: str = NAME) -> Domain:
    """A domain with mailboxes m0, m1, … of 100 MiB and aliases a0, a1, … to the first of them."""
    domain = factories.make_domain(name)
    Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"m{n}", name=f"Owner {n}", quota_mib=100) for n in range(mailboxes)
    )
    Alias.objects.bulk_create(Alias(domain=domain, local_part=f"a{n}", goto=f"m0@{name}") for n in range(aliases))
    return domain


def checked(domain: Domain) -> Provisioning:
    """What a worker does when somebody asks for a check."""
    provisioning.ask_for_check(domain)
    row = Provisioning.objects.get(domain=domain)
    provisioning.check(row.pk)
    row.refresh_from_db()
    return row


def started(domain: Domain) -> Provisioning:
    """Checked and begun, nothing made yet."""
    row = checked(domain)
    provisioning.start(domain, actor=STAFF)
    row.refresh_from_db()
    return row


def time_passes(**how_long: float) -> None:
    """What is due later, and leases, come nearer by that much."""
    past = timedelta(**how_long)
    ProvisionedObject.objects.update(due_at=F("due_at") - past, lease_until=F("lease_until") - past)


def work_until_done(row: Provisioning, sweeps: int = 200) -> int:
    """A worker and its sweeps, a quarter of an hour apart. Returns how many sweeps it took."""
    for sweep in range(1, sweeps):
        provisioning.reap_leases()
        provisioning.work(row.pk)
        row.refresh_from_db()
        if row.finished_at:
            return sweep
        time_passes(minutes=15)
    return sweeps


def state_of(address: str) -> tuple[str, str]:
    """State and reason of one object."""
    found = {thing.address: thing for thing in ProvisionedObject.objects.all()}[address]
    return found.state, found.reason


def added(mailcow: MailcowStandIn) -> Counter[str]:
    """How often each mailbox was stored with a password."""
    return Counter(entry.address for entry in mailcow.journal)


def writes(mailcow: MailcowStandIn) -> list[Any]:
    """The writing calls that reached mailcow."""
    return [call for call in mailcow.calls if call.is_write]
