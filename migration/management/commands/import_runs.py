"""The imports of the last thirty days, and a way on for one that was interrupted."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from migration import import_runs
from migration.models import ImportRun

from ._progress import Progress

NOT_POSSIBLE = 2
SHOWN = 50


class Command(BaseCommand):
    """`manage.py import_runs` lists them, newest first; `--resume 17` goes on with one."""

    help = "List the imports of files, or go on with one that was interrupted. Exit code 2: there is nothing to resume."

    def add_arguments(self, parser: CommandParser) -> None:
        """Arguments of the command line."""
        parser.add_argument(
            "--resume", type=int, metavar="NUMBER", help="go on with this import, here and now, whoever had it before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or resume. Raises CommandError when the import does not exist or has nothing left to do."""
        if options["resume"] is None:
            self._list()
            return
        run = ImportRun.objects.filter(pk=options["resume"], state__in=ImportRun.OPEN).defer("staged").first()
        if run is None:
            raise CommandError(
                _("There is no import of this number with anything left to do."), returncode=NOT_POSSIBLE
            )
        with Progress(self.stderr, run.rows) as told:
            import_runs.work(run.pk, told=told, take_over=True, tired_after=float("inf"))
        run.refresh_from_db(fields=["state", "summary"])
        if run.state in ImportRun.OPEN:
            sentence = _("Its rows are no longer there. Please import the file again; nothing is doubled.")
            raise CommandError(sentence, returncode=NOT_POSSIBLE)
        if run.state == ImportRun.State.APPLIED:
            counts = {key: run.summary["applied"][key] for key in ("new", "changed")}
            self.stdout.write(_("Imported: %(new)d new, %(changed)d changed.") % counts)
        else:
            self.stdout.write(_("Compared. It waits for a yes in the browser."))

    def _list(self) -> None:
        self.stdout.write("   NO  UPLOADED          STATE       FORMAT     NEW CHANGED REFUSED  DOMAIN  FILE  WHO")
        for run in ImportRun.objects.select_related("domain").defer("staged")[:SHOWN]:
            preview = run.summary.get("preview", {})
            counts = run.summary.get("applied", preview)
            refused = preview.get("errors", 0) + preview.get("conflicts", 0)
            self.stdout.write(
                f"{run.pk:>5}  {timezone.localtime(run.created_at):%Y-%m-%d %H:%M}  {run.state:<10}  "
                f"{run.file_format:<8} {counts.get('new', 0):>5} {counts.get('changed', 0):>7} {refused:>7}  "
                f"{run.domain}  {run.file_name}  {run.actor}"
            )
