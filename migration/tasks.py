"""What Celery calls: ids only, and every task may come twice, late, or never."""

from celery import shared_task

from . import bans, bulk, clock, dns_checks, import_runs, logins, provisioning, pushes, restore_guard
from .audit import head, sealing
from .counting import days, tally
from .doorbell import ring
from .imports import staging
from .mailings import imap_poll, outbox


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


@shared_task(name="migration.sweep")
def sweep() -> None:
    """Find what no message told of: dead claims, whatever is due, uploads nobody confirmed."""
    restore_guard.watch()
    pushes.reap_leases()
    first = pushes.due().values_list("pk", flat=True).first()
    if first:
        ring("deliver_push", first)
    outbox.wake()
    for pk in import_runs.due().values_list("pk", flat=True):
        ring("work_import", pk)
    for pk in bulk.due().values_list("pk", flat=True):
        ring("work_bulk", pk)
    for pk in bans.due().values_list("pk", flat=True):
        ring("lift_ban", pk)
    provisioning.reap_leases()
    provisioning.ring()
    dns_checks.ask_daily()
    for pk in dns_checks.due().values_list("pk", flat=True):
        ring("check_dns", pk)
    staging.forget_old()
    tally.fold()
    days.count()
    sealing.seal()
    head.tell()


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
