"""Import the mailboxes and aliases of one domain from a file."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from migration.addresses import InvalidAddress, domain_to_ascii, parse
from migration.imports import csv_file, run
from migration.imports.compare import Conflict, Item, Preview
from migration.imports.rows import RowError
from migration.models import Customer, Domain

ACTOR = "command:import_mailboxes"
SHOWN = 20


class Command(BaseCommand):
    """`manage.py import_mailboxes mailboxes.csv --domain demo.example --dry-run`."""

    help = (
        "Import the mailboxes and aliases of one domain. Shows what changes, then changes it; rows with mistakes "
        "are named with their line and left out, and the exit code is 1. A second run changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument(
            "file", metavar="FILE", help="a CSV file or a passwd-file of Dovecot; - reads it from stdin"
        )
        parser.add_argument("--domain", required=True, metavar="NAME", help="the domain, with umlauts or not")
        parser.add_argument("--customer", default="", metavar="NAME", help="for a new domain: whose it is")
        parser.add_argument("--contact", default="", metavar="MAIL", help="for a new customer: the contact's address")
        parser.add_argument("--format", choices=run.FORMATS, help="guessed when left out")
        parser.add_argument("--encoding", choices=csv_file.ENCODINGS, default="utf-8")
        parser.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show and apply. Raises CommandError when nothing could be read or some rows were left out."""
        file, domain = options["file"], _domain(options)
        parsed = run.read(
            _content(file), domain, file_name=file, file_format=options["format"], encoding=options["encoding"]
        )
        preview = run.preview(domain, parsed)
        shown = SHOWN if options["verbosity"] < 2 else sys.maxsize
        self._show(preview, shown)
        for note in preview.notes[:shown]:
            self.stdout.write(_located(file, note))
        self._more(len(preview.notes) - shown)
        problems: list[RowError | Conflict] = [*preview.conflicts, *preview.errors]
        for problem in problems:
            self.stderr.write(_located(file, problem))
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))
        elif parsed.rows or parsed.aliases:
            _save(domain)
            applied = run.apply(domain, parsed, actor=ACTOR)
            counts = {"new": applied.new, "changed": applied.changed}
            self.stdout.write(_("Imported: %(new)d new, %(changed)d changed.") % counts)
        left_out = len(preview.errors) + len(preview.conflicts)
        if left_out:
            raise CommandError(
                ngettext("%(n)d mistake in the file.", "%(n)d mistakes in the file.", left_out) % {"n": left_out}
            )

    def _show(self, preview: Preview, shown: int) -> None:
        self._line(_("mailboxes in the file"), preview.mailboxes)
        self._line(_("aliases in the file"), preview.aliases)
        self._line(_("sum of quotas"), f"{preview.quota_mib} MiB")
        self._line(_("mailboxes without a quota"), preview.without_quota)
        self.stdout.write(_("Old passwords"))
        for scheme in preview.schemes:
            verdict = _("can be checked") if scheme.checkable else _("cannot be checked")
            self._line(f"  {scheme.scheme}", f"{scheme.mailboxes}  {verdict}")
        self._line("  " + _("none"), preview.without_password)
        self._group(_("new"), preview.new, shown)
        self._group(_("changed"), preview.changed, shown)
        self._group(_("unchanged"), preview.unchanged, 0)
        self._group(_("already done: the owner has set a new password"), preview.done, shown)
        self._group(_("not in the file (nothing is deleted)"), preview.gone, shown)
        self._line(_("in conflict with what we have"), len(preview.conflicts))
        self._line(_("mistakes"), len(preview.errors))
        self._line(_("notes"), len(preview.notes))

    def _line(self, label: str, value: object) -> None:
        self.stdout.write(f"{label:<46}  {value}")

    def _group(self, label: str, items: Sequence[Item], shown: int) -> None:
        self._line(label, len(items))
        for item in items[:shown]:
            line = f"{item.line:>6}" if item.line else " " * 6
            kind = " " + _("(alias)") if item.is_alias else ""
            self.stdout.write(f"{line}  {item.address}{kind}" + (f": {item.labels}" if item.columns else ""))
        if shown:
            self._more(len(items) - shown)

    def _more(self, number: int) -> None:
        if number > 0:
            self.stdout.write(" " * 8 + _("… and %(n)d more (--verbosity 2 shows all)") % {"n": number})


def _located(file: str, problem: RowError | Conflict) -> str:
    """FILE:LINE: column: sentence, as compilers write it, so that editors can jump there."""
    column = problem.column if isinstance(problem, RowError) else "address"
    place = _("column “%(column)s”: ") % {"column": column} if column else ""
    return f"{file}:{problem.line}: {place}{problem.text}"


def _content(file: str) -> bytes:
    """The file, or as much of it as shows that it is too big."""
    try:
        if file == "-":
            return _limited(sys.stdin.buffer)
        with Path(file).open("rb") as opened:
            return _limited(opened)
    except OSError as error:
        raise CommandError(_("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}) from error


def _limited(opened: BinaryIO) -> bytes:
    return opened.read(csv_file.MAX_BYTES + 1)


def _domain(options: dict[str, Any]) -> Domain:
    """The domain of this name; one not saved yet if it is new and a customer is named."""
    try:
        name = domain_to_ascii(options["domain"])
    except InvalidAddress:
        raise CommandError(_("%(name)s is no domain.") % {"name": options["domain"]}) from None
    customer = options["customer"].strip()
    domain = Domain.objects.select_related("customer").filter(name=name).first()
    if domain is None:
        if not customer:
            raise CommandError(_("We have no domain %(name)s. --customer says whose it is.") % {"name": name})
        return Domain(name=name, customer=_customer(customer, options["contact"]))
    if customer and customer != domain.customer.name:
        raise CommandError(
            _("%(name)s belongs to the customer %(customer)s.") % {"name": name, "customer": domain.customer}
        )
    return domain


def _customer(name: str, contact: str) -> Customer:
    known = Customer.objects.filter(name=name).first()
    if known:
        return known
    try:
        return Customer(name=name, contact_email=str(parse(contact)))
    except InvalidAddress:
        raise CommandError(_("A new customer needs --contact with a mail address.")) from None


def _save(domain: Domain) -> None:
    with transaction.atomic():
        for row in (domain.customer, domain):
            if row.pk is None:
                row.save()
