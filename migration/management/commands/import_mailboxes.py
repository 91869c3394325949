"""Import the mailboxes and aliases of one domain from a file."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from migration import import_runs, spreadsheets, target
from migration.addresses import InvalidAddress, domain_to_ascii, parse
from migration.import_runs import Source
from migration.imports import csv_file, mailcow_domain, report, run
from migration.imports.outcome import Conflict, Item, Preview
from migration.imports.rows import ParsedFile, RowError
from migration.mailcow.errors import MailcowError
from migration.models import Customer, Domain, ImportRun

from ._progress import Progress

ACTOR = "command:import_mailboxes"
MAILCOW = "mailcow:"
SHOWN = 20
LEFT_OUT, NOTHING, STOPPED = 1, 2, 130


class Command(BaseCommand):
    """`manage.py import_mailboxes mailboxes.csv --domain demo.example --dry-run`."""

    help = (
        "Import the mailboxes and aliases of one domain. Shows what changes, then changes it; rows with mistakes are "
        "named with their line and left out. A second run changes nothing. Exit codes: 0 all is in; 1 rows were left "
        "out, the others are in; 2 nothing could be imported; 130 stopped by Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument(
            "file",
            metavar="FILE",
            help="a CSV file, a passwd-file of Dovecot or a dump of PostfixAdmin or ViMbAdmin; - reads it from stdin, "
            "mailcow: asks the mailcow of the settings what it has",
        )
        parser.add_argument("--domain", required=True, metavar="NAME", help="the domain, with umlauts or not")
        parser.add_argument("--customer", default="", metavar="NAME", help="for a new domain: whose it is")
        parser.add_argument("--contact", default="", metavar="MAIL", help="for a new customer: the contact's address")
        parser.add_argument("--format", choices=run.FORMATS, help="guessed when left out")
        parser.add_argument("--encoding", choices=csv_file.ENCODINGS, default="utf-8")
        parser.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")
        parser.add_argument("--report", metavar="FILE", help="write what would change, row by row, as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show and apply. Raises CommandError when nothing could be read or some rows were left out."""
        file, domain = options["file"], _domain(options)
        content = _of_mailcow(domain) if file == MAILCOW else _content(file)
        file_format = options["format"] or run.guess_format(content, file)
        parsed = run.read(content, domain, file_name=file, file_format=file_format, encoding=options["encoding"])
        preview = run.preview(domain, parsed)
        self._tell(file, preview, SHOWN if options["verbosity"] < 2 else sys.maxsize)
        if options["report"]:
            _write(Path(options["report"]), preview)
        good = bool(parsed.rows or parsed.aliases)
        if options["dry_run"]:
            self.stdout.write(_("Dry run: nothing was written."))
        elif good:
            _save(domain)
            self._apply(domain, parsed, Source(Path(file).name, file_format, ACTOR), preview)
        left_out = len(preview.errors) + len(preview.conflicts)
        if left_out:
            sentence = ngettext("%(n)d mistake in the file.", "%(n)d mistakes in the file.", left_out)
            raise CommandError(sentence % {"n": left_out}, returncode=LEFT_OUT if good else NOTHING)

    def _apply(self, domain: Domain, parsed: ParsedFile, source: Source, preview: Preview) -> None:
        held = import_runs.begin(domain, parsed, source, preview=preview)
        import_runs.confirm(held, actor=ACTOR, by_worker=False)
        try:
            with Progress(self.stderr, held.rows) as told:
                import_runs.work(held.pk, told=told, tired_after=float("inf"))
        except KeyboardInterrupt:
            raise _stopped(held) from None
        held.refresh_from_db(fields=["state", "summary"])
        if held.state in ImportRun.OPEN:  # a worker, or somebody with --resume, has it now
            raise _stopped(held)
        counts = {key: held.summary["applied"][key] for key in ("new", "changed")}
        self.stdout.write(_("Imported: %(new)d new, %(changed)d changed.") % counts)

    def _tell(self, file: str, preview: Preview, shown: int) -> None:
        self._show(preview, shown)
        for note in preview.notes[:shown]:
            self.stdout.write(_located(file, note))
        self._more(len(preview.notes) - shown)
        problems: list[RowError | Conflict] = [*preview.conflicts, *preview.errors]
        for problem in problems:
            self.stderr.write(_located(file, problem))

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
        raise _refused(_("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}) from error


def _of_mailcow(domain: Domain) -> bytes:
    try:
        return mailcow_domain.kept(target.client().provisioned(domain.name), domain.name)
    except (MailcowError, ValueError) as error:
        raise _refused(_("mailcow does not tell: %(why)s") % {"why": error}) from None


def _refused(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=NOTHING)


def _stopped(held: ImportRun) -> CommandError:
    sentence = _("Stopped. A worker goes on with it within three minutes, or: manage.py import_runs --resume %(n)d")
    return CommandError(sentence % {"n": held.pk}, returncode=STOPPED)


def _write(path: Path, preview: Preview) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as opened:
            opened.writelines(spreadsheets.lines(report.rows_of(preview)))
    except OSError as error:
        raise _refused(_("%(file)s cannot be written: %(why)s") % {"file": path, "why": error.strerror}) from error


def _limited(opened: BinaryIO) -> bytes:
    return opened.read(csv_file.MAX_BYTES + 1)


def _domain(options: dict[str, Any]) -> Domain:
    """The domain of this name; one not saved yet if it is new and a customer is named."""
    try:
        name = domain_to_ascii(options["domain"])
    except InvalidAddress:
        raise _refused(_("%(name)s is no domain.") % {"name": options["domain"]}) from None
    customer = options["customer"].strip()
    domain = Domain.objects.select_related("customer").filter(name=name).first()
    if domain is None:
        if not customer:
            raise _refused(_("We have no domain %(name)s. --customer says whose it is.") % {"name": name})
        return Domain(name=name, customer=_customer(customer, options["contact"]))
    if customer and customer != domain.customer.name:
        raise _refused(
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
        raise _refused(_("A new customer needs --contact with a mail address.")) from None


def _save(domain: Domain) -> None:
    with transaction.atomic():
        for row in (domain.customer, domain):
            if row.pk is None:
                row.save()
