"""What Celery calls: ids only, and every task may come twice, late, or never."""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import QuerySet

from . import bans, bulk, clock, dns_checks, import_runs, logins, provisioning, pushes, restore_guard
from .audit import head, sealing
from .counting import days, tally
from .doorbell import Task, ring
from .imports import staging
from .mailings import imap_poll, outbox

log = structlog.get_logger(__name__)


@shared_task(name="migration.deliver_push")
def deliver_push(pk: int) -> None:
    """Deliver this push, then what else is due; the notices of what was saved leave as well."""
    pushes.work(pk)
    outbox.wake()


@shared_task(name="migration.send_mail")
def send_mail(pk: int) -> None:
    """Send this mail, if it is due and nobody else has it."""
    outbox.send(pk)


@shared_task(name="migration.send_mails")
def send_mails(pk: int) -> None:
    """Send what is due the way this mail goes, over one connection, and ring for what the pace leaves over."""
    outbox.work(pk)


@shared_task(name="migration.poll_bounces")
def poll_bounces() -> None:
    """Read what came back to the mailbox of the settings, if they name one."""
    imap_poll.poll()


@shared_task(name="migration.work_import")
def work_import(pk: int) -> None:
    """Compare or apply this import, if nobody else does."""
    import_runs.work(pk)


@shared_task(name="migration.lift_ban")
def lift_ban(pk: int) -> None:
    """Lift this ban, if it is still wished and nobody else does."""
    bans.lift(pk)


@shared_task(name="migration.check_target")
def check_target(pk: int) -> None:
    """Compare this domain with mailcow, if somebody waits for it."""
    provisioning.check(pk)


@shared_task(name="migration.provision")
def provision(pk: int) -> None:
    """Make on mailcow what is due of this domain."""
    provisioning.work(pk)


@shared_task(name="migration.work_bulk")
def work_bulk(pk: int) -> None:
    """Do what is left of this verb on many mailboxes, if nobody else does."""
    bulk.work(pk)


@shared_task(name="migration.check_dns")
def check_dns(pk: int) -> None:
    """Ask the name servers of a domain, if somebody waits for it."""
    dns_checks.work(pk)


def _pushes() -> None:
    pushes.reap_leases()
    first = pushes.due().values_list("pk", flat=True).first()
    if first:
        ring("deliver_push", first)


def _ring_each(task: Task, due: Callable[[], QuerySet[Any]]) -> None:
    for pk in due().values_list("pk", flat=True):
        ring(task, pk)


_SWEPT: dict[str, Callable[[], object]] = {
    "pushes": _pushes,
    "mails": outbox.wake,
    "import runs": partial(_ring_each, "work_import", import_runs.due),
    "bulk runs": partial(_ring_each, "work_bulk", bulk.due),
    "bans": partial(_ring_each, "lift_ban", bans.due),
    "dead makings": provisioning.reap_leases,
    "provisioning": provisioning.ring,
    "name servers, daily": dns_checks.ask_daily,
    "name servers": partial(_ring_each, "check_dns", dns_checks.due),
    "staged uploads": staging.forget_old,
    "counts": tally.fold,
    "days": days.count,
    "seals": sealing.seal,
    "head of the audit trail": head.tell,
}


@shared_task(name="migration.sweep")
def sweep() -> None:
    """Find what no message told of: dead claims, whatever is due, uploads nobody confirmed.

    A part that fails keeps no later one from its turn; the first error is raised at the end.
    """
    restore_guard.watch()
    failed: list[Exception] = []
    for name, part in _SWEPT.items():
        try:
            part()
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            log.exception("sweep_part_failed", part=name)
            failed.append(error)
    if failed:
        raise failed[0]


@shared_task(name="migration.carry_out_plans")
def carry_out_plans() -> None:
    """Do what is due of the domains' plans."""
    clock.tick()


@shared_task(name="migration.poll_logins")
def poll_logins() -> None:
    """Ask mailcow for the logins of the domains that have waited longest, one after another."""
    logins.poll_due()


@shared_task(name="migration.poll_bans")
def poll_bans() -> None:
    """Ask mailcow whom it keeps out."""
    bans.poll()
