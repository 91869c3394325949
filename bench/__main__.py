"""`make bench`: measure, print the table, write build/bench.json. `python -m bench NAME…` measures only these rows."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from . import imports, invitations, journey, letters, pages, push_drain, table, versus

ROWS: dict[str, Callable[[], table.Row]] = {
    "journey_cpu": journey.cpu,
    "journey_vs_stock": partial(versus.stock, hasher="portal", name="journey_vs_stock"),
    "journey_vs_defaults": partial(versus.stock, hasher="default", name="journey_vs_defaults"),
    "push_drain": push_drain.drained,
    "invitations": invitations.sent,
    "invitations_cpu": invitations.sent_by_cpu,
    "letters": letters.printed,
    "import_bulk": imports.bulk,
    "import_memory": imports.memory,
    "import_vs_import_export": imports.versus_import_export,
    **pages.ROWS,
}

if __name__ == "__main__":
    measured = [ROWS[name]() for name in sys.argv[1:] or ROWS]
    print(table.show(measured))
    table.keep(measured, Path("build/bench.json"))
