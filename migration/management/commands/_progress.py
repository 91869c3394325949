"""A progress bar for people at a terminal; nothing where the output goes into a file or a log."""

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from migration.imports.run import Applied


class Progress:
    """`with Progress(stream, rows) as told`: `told` is called with what was done so far."""

    def __init__(self, stream: Any, rows: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        terminal = bool(getattr(stream, "isatty", bool)())
        self._bar = Bar(*columns, console=Console(file=stream), transient=True, disable=not terminal)
        self._task = self._bar.add_task("", total=rows)

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, applied: Applied) -> None:
        self.count(applied.rows)

    def count(self, done: int) -> None:
        """So many are done so far."""
        self._bar.update(self._task, completed=done)
