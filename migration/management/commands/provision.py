"""Make a domain of ours on mailcow. Needs mailcow's key, so it runs where the worker runs."""

import time
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _

from migration import breaker, conflicts, provisioning
from migration.addresses import InvalidAddress, domain_to_ascii
from migration.conflicts import Kind
from migration.findings import Finding, Severity
from migration.mailcow.errors import MailcowError, Refused
from migration.models import Domain, ProvisionedObject, Provisioning, Target
from migration.models.provisioning import why_no_call
from migration.refusals import VerbRefused
from migration.target import client

from ._progress import Progress

ACTOR = "command:provision"
SHOWN = 20
TO_SEE, NOTHING, STOPPED = 1, 2, 130
State = ProvisionedObject.State


class Command(BaseCommand):
    """`manage.py provision kunde.example --dry-run`, then without it."""

    help = (
        "Make the domain, its mailboxes and aliases on mailcow. What is there already is never changed or deleted. "
        "Shows the findings first. May be stopped and begun again at any time; a worker goes on by itself. Exit codes: "
        "0 all is there as wanted; 1 something is left to see or to wait for; 2 nothing could be begun; 130 Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument("domain", help="the domain, with umlauts or not")
        parser.add_argument("--dry-run", action="store_true", help="show the findings and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, begin, work. Raises CommandError with the exit code."""
        domain = _domain(options["domain"])
        what, found = _compared(domain)
        findings = conflicts.check(what, found)
        self._tell(findings, SHOWN if options["verbosity"] < 2 else len(findings))
        missing = conflicts.to_make(what, found)
        sentence = _("To be made: %(domains)d domain, %(mailboxes)d mailboxes, %(aliases)d aliases.")
        kinds = {"domains": Kind.DOMAIN, "mailboxes": Kind.MAILBOX, "aliases": Kind.ALIAS}
        self.stdout.write(sentence % {name: missing[kind] for name, kind in kinds.items()})
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))
            if any(finding.severity is Severity.STOP for finding in findings):
                raise CommandError(_("Something must be mended first."), returncode=NOTHING)
            return
        row, _new = Provisioning.objects.update_or_create(
            domain=domain,
            defaults=provisioning.note(what, found) | {"problem": "", "check_due_at": None},
        )
        try:
            number = provisioning.start(domain, actor=ACTOR)
        except VerbRefused as refused:
            raise CommandError(str(refused), returncode=NOTHING) from None
        self._work(domain, row.pk, number)

    def _tell(self, findings: list[Finding], shown: int) -> None:
        """The findings, those of one sentence together."""
        for severity in Severity:
            group = [finding for finding in findings if finding.severity is severity]
            for finding in group[:shown]:
                self.stdout.write(f"{finding.severity_text}: {finding.address}: {finding}")
            if len(group) > shown:
                more = _("… and %(n)d more (--verbosity 2 shows all)") % {"n": len(group) - shown}
                self.stdout.write(f"{group[0].severity_text}: {more}")

    def _work(self, domain: Domain, pk: int, number: int) -> None:
        try:
            with Progress(self.stderr, number) as told:
                for settled in _settled(domain, pk):
                    told.count(settled)
        except KeyboardInterrupt:
            sentence = _("Stopped. A worker goes on with it, or begin again: nothing is made twice.")
            raise CommandError(sentence, returncode=STOPPED) from None
        counts = provisioning.counts(domain)
        for state in State:
            if counts.get(state.value):
                self.stdout.write(f"{state.label}: {counts[state.value]}")
        to_see = provisioning.part(domain).exclude(state__in=(State.MADE, State.THERE))
        for thing in to_see.select_related("domain", "mailbox__domain", "alias__domain").defer(*provisioning.HASHES):
            self.stderr.write(f"{thing.address}: {thing.get_state_display()}. {thing.why}".rstrip())
        if counts.keys() - {State.MADE, State.THERE}:
            raise CommandError(_("Not everything is there as wanted; see above."), returncode=TO_SEE)


def _settled(domain: Domain, pk: int) -> Iterable[int]:
    """How many objects are settled, again and again until nothing can be done now."""
    still = (State.QUEUED, State.WAITING, State.IN_FLIGHT)
    while True:
        taken = provisioning.work(pk, tired_after=1)
        rows = provisioning.part(domain)
        yield rows.exclude(state__in=still).count()
        if not rows.filter(state__in=still).exists():
            return
        if not taken and not rows.filter(state=State.IN_FLIGHT).exists():
            return
        if not taken:  # a worker has one in hand
            time.sleep(1)


def _domain(name: str) -> Domain:
    try:
        return Domain.objects.get(name=domain_to_ascii(name))
    except (InvalidAddress, Domain.DoesNotExist):
        raise CommandError(_("We have no such domain."), returncode=NOTHING) from None


def _compared(domain: Domain) -> tuple[conflicts.Wanted, conflicts.Found]:
    opened = Target.objects.filter(breaker_opened_at__isnull=False).first()
    if opened:
        raise CommandError(why_no_call(opened.breaker_reason), returncode=NOTHING)
    try:
        return provisioning.compare(domain, client())
    except Refused as error:
        with transaction.atomic():
            breaker.locked_target()
            breaker.trip(error.reason)
        raise CommandError(why_no_call(error.reason), returncode=NOTHING) from None
    except MailcowError as error:
        raise CommandError(why_no_call(error.reason), returncode=NOTHING) from None
    except ValueError as error:
        sentence = _("mailcow cannot be asked from here (the worker has its key): %(why)s") % {"why": error}
        raise CommandError(sentence, returncode=NOTHING) from None
