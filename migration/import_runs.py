"""The verbs on an import: begin, confirm, discard, and the work in between.

A file is compared, waits for a yes, and is applied batch by batch. What is small is done at once, in the request; the
rest by a worker, which is told by id. Whoever works holds a lease and notes in each batch's transaction how far it is,
so a killed worker's run goes on after the last whole batch, and two workers never write the same batch.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from . import doorbell
from .imports import report, staging
from .imports import run as imports
from .imports.outcome import Preview
from .imports.rows import ParsedFile
from .imports.run import Applied
from .models import Domain, ImportRun

log = structlog.get_logger(__name__)

# So many rows go in while somebody waits for the page; more are a worker's.
AT_ONCE = 5_000
LEASE = timedelta(minutes=2)
# A task that works on and on meets Celery's time limit in the middle of a batch.
TIRED_SECONDS = 120


@dataclass(frozen=True)
class Source:
    """Where an import comes from: the file's name and format, and who brought it."""

    file_name: str
    file_format: str
    actor: str


Told = Callable[[Applied], None]
"""Is told how far an import is, after each batch."""


def begin(domain: Domain, parsed: ParsedFile, source: Source, *, preview: Preview | None = None) -> ImportRun:
    """Keep a parsed file and compare it with what we have: at once, or by a worker if it is long.

    A `preview` that was made already is taken as it is.
    """
    rows = len(parsed.rows) + len(parsed.aliases)
    with transaction.atomic():
        run = ImportRun.objects.create(
            domain=domain,
            file_name=source.file_name[:200],
            file_format=source.file_format,
            actor=source.actor,
            rows=rows,
            state=ImportRun.State.COMPARING,
        )
        staging.hold(run, parsed)
        if preview:
            _show(run, preview)
        elif not is_small(run):
            doorbell.ring("work_import", run.pk)
    if preview is None and is_small(run):
        work(run.pk)
    run.refresh_from_db(fields=["state", "summary"])
    return run


def confirm(run: ImportRun, *, actor: str, by_worker: bool = True) -> bool:
    """Let what the run holds be applied. False when it is not waiting for that (any more).

    A small one is applied by the caller, and so is a long one if not `by_worker`.
    """
    waiting = _kept().filter(pk=run.pk, state=ImportRun.State.PREVIEW, staged__isnull=False)
    with transaction.atomic():
        confirmed = waiting.update(state=ImportRun.State.RUNNING, confirmed_by=actor, lease="", lease_until=None) == 1
        if confirmed and by_worker and not is_small(run):
            doorbell.ring("work_import", run.pk)
    return confirmed


def discard(run: ImportRun) -> bool:
    """Forget what the run holds. False when something was decided already."""
    with transaction.atomic():
        undecided = ImportRun.objects.filter(pk=run.pk, state__in=ImportRun.UNDECIDED)
        discarded = undecided.update(state=ImportRun.State.DISCARDED, staged=None, lease="", lease_until=None) == 1
        if discarded:
            run.pages.all().delete()
    return discarded


def call_worker(run: ImportRun) -> None:
    """Ring for a run that nobody works on; one that is worked on, or over, is left alone."""
    for pk in due().filter(pk=run.pk).values_list("pk", flat=True):
        doorbell.ring("work_import", pk)


def is_small(run: ImportRun) -> bool:
    """Whether it is done within the request."""
    return run.rows <= AT_ONCE


def due() -> QuerySet[ImportRun]:
    """The runs nobody works on although there is work."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return _kept().filter(free, state__in=ImportRun.OPEN, staged__isnull=False).order_by("pk")


def work(pk: int, *, told: Told | None = None, take_over: bool = False, tired_after: float = TIRED_SECONDS) -> None:
    """Compare or apply the run, if it is due; `take_over` does not wait for whoever was there before.

    After `tired_after` seconds the rest is left to the next call, which is rung for.
    """
    run = _claim(pk, take_over=take_over)
    if run is None:
        return
    parsed = staging.held(run)
    if parsed is None:
        log.warning("import_unreadable", run=pk)
        return
    try:
        if run.state == ImportRun.State.COMPARING:
            with transaction.atomic():
                _show(run, imports.preview(run.domain, parsed))
        else:
            _apply(run, parsed, told, time.monotonic() + tired_after)
    except LeaseLost:
        log.warning("import_taken_over", run=pk)


class LeaseLost(Exception):
    """Somebody else works on the run now, or it was discarded."""


def _kept() -> QuerySet[ImportRun]:
    return ImportRun.objects.filter(created_at__gte=timezone.now() - staging.KEPT)


def _claim(pk: int, *, take_over: bool) -> ImportRun | None:
    lease = uuid.uuid4().hex
    wanted = ImportRun.objects.filter(pk=pk, state__in=ImportRun.OPEN) if take_over else due().filter(pk=pk)
    if not wanted.order_by().update(lease=lease, lease_until=Now() + LEASE):
        return None
    return ImportRun.objects.select_related("domain").get(pk=pk)


def _note(run: ImportRun, **changes: object) -> None:
    """Write to the run, under its lease. Raises LeaseLost, which undoes the caller's transaction."""
    if not ImportRun.objects.filter(pk=run.pk, lease=run.lease, state=run.state).update(**changes):
        raise LeaseLost


def _show(run: ImportRun, preview: Preview) -> None:
    report.keep(run, preview)
    summary = {"preview": preview.summary, "compared": timezone.now().isoformat()}
    _note(run, state=ImportRun.State.PREVIEW, summary=summary | {"schemes": _schemes(preview)}, **_FREE)


def _schemes(preview: Preview) -> list[list[object]]:
    schemes = [[scheme.scheme, scheme.mailboxes, scheme.checkable] for scheme in preview.schemes]
    return [*schemes, ["", preview.without_password, False]] if preview.without_password else schemes


def _apply(run: ImportRun, parsed: ParsedFile, told: Told | None, tired_at: float) -> None:
    done = Applied(**run.summary.get("applied", {}))
    go_on = partial(_noted, run, told, tired_at)
    done = imports.apply(run.domain, parsed, actor=run.confirmed_by, applied=done, go_on=go_on)
    with transaction.atomic():
        if done.rows < run.rows:
            _note(run, **_FREE)
            doorbell.ring("work_import", run.pk)
        else:
            summary = run.summary | {"applied": asdict(done)}
            over = {"state": ImportRun.State.APPLIED, "staged": None, "applied_at": timezone.now()}
            _note(run, summary=summary, **over, **_FREE)


def _noted(run: ImportRun, told: Told | None, tired_at: float, done: Applied) -> bool:
    _note(run, summary=run.summary | {"applied": asdict(done)}, lease_until=Now() + LEASE)
    if told:
        told(done)
    return time.monotonic() < tired_at


_FREE = {"lease": "", "lease_until": None}
