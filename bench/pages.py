"""The desk's pages with 10,000 domains and 1,000,000 mailboxes, held against the same pages with 10 and 1,000.

PostgreSQL as `tests.servers` starts it, with its own defaults. The pages are asked for by Django's test client within a
process for each size, without a web server; small and large in turns. What is told is the 95th percentile over all
addresses of a kind, of processor time: of this process and of its connection's at the database, so that a busy machine
matters little. On standard error the same of time on the clock.

`python -m bench.pages` is what the two processes run: a line in, a round out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from sandbox.stack import ROOT

from . import growth
from .table import Row

ROUNDS = 12
LIMIT_MS = 300.0

OVERVIEW = (
    "/staff/",
    "/staff/?sort=-completion",
    "/staff/?sort=-open&state=signed_in",
    "/staff/?sort=next&page=3",
    "/staff/?attention=on",
    "/staff/?overdue=on&sort=deadline",
    "/staff/?q=b%C3%A4ck&sort=customer",
)
DOMAIN = ("/staff/domains/{pk}/", "/staff/domains/{pk}/?state=attention", "/staff/domains/{pk}/?q=anna")
SEARCH = (
    "/staff/search/?q=anna.1",
    "/staff/search/?q=Gruber",
    "/staff/search/?q=clara.3%40firma7",
    "/staff/search/?q=firma9.example",
    "/staff/search/?q=nobody-at-all",
)
KINDS = {"overview_growth": OVERVIEW, "domain_growth": DOMAIN, "search_growth": SEARCH}


def grown(kind: str) -> Row:
    """One row: milliseconds with a million mailboxes, against those with a thousand."""
    small, large = _measured()[kind]
    what = f"the same with 1,000 mailboxes; p95, limits: {LIMIT_MS:.0f} ms and 2 times"
    return Row(kind, large, small, "ms", what)


ROWS = {kind: partial(grown, kind) for kind in KINDS}


@cache
def _measured() -> dict[str, tuple[float, float]]:
    from tests.servers import new_database, running  # noqa: PLC0415 - only here

    with tempfile.TemporaryDirectory(prefix="umzug-bench-") as folder, running() as servers, ExitStack() as stack:
        begun, both = time.perf_counter(), []
        for name, size in (("small", growth.SMALL), ("large", growth.LARGE)):
            environment = _environment(Path(folder), new_database(servers["PORTAL_DATABASE_URL"], name))
            seed = [sys.executable, "-m", "bench.growth", "seed", *map(str, size)]
            subprocess.run(seed, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)
            both.append(stack.enter_context(_asking(environment)))
        print(f"both seeded after {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        rounds = [[_round(process) for process in both] for _number in range(ROUNDS + 1)][1:]
    told = {kind: tuple([pair for one in rounds for pair in one[size][kind]] for size in (0, 1)) for kind in KINDS}
    for kind, (small, large) in told.items():
        print(f"{kind}: {_p95(small, 1):.0f} ms → {_p95(large, 1):.0f} ms on the clock", file=sys.stderr)
    return {kind: (_p95(small, 0), _p95(large, 0)) for kind, (small, large) in told.items()}


def _p95(pairs: list[list[float]], which: int) -> float:
    return sorted(pair[which] for pair in pairs)[round(0.95 * (len(pairs) - 1))]


@contextmanager
def _asking(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command, pipe = [sys.executable, "-m", "bench.pages"], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _round(process: subprocess.Popen[str]) -> dict[str, list[list[float]]]:
    if not process.stdin or not process.stdout:
        raise RuntimeError("no pipes")
    process.stdin.write("go\n")
    process.stdin.flush()
    told: dict[str, list[list[float]]] = json.loads(process.stdout.readline())
    return told


def _environment(folder: Path, url: str) -> dict[str, str]:
    ours = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_SECRET_KEY": "only for the bench: on a throwaway database, never used anywhere else",
        "PORTAL_KEY_RING": "bench:YmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmU=",
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_BASE_URL": "http://testserver",
        "PORTAL_STATIC_FROM_SOURCE": "1",
        "PORTAL_DATABASE_URL": url,
        "PORTAL_LOG_LEVEL": "ERROR",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | ours


def ask() -> None:
    """Sign an admin in; then, for each line that comes, ask once for every page and print how long each took."""
    import django  # noqa: PLC0415

    django.setup()
    from allauth.mfa.totp.internal.auth import TOTP  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from accounts.models import User  # noqa: PLC0415
    from migration.models import Domain  # noqa: PLC0415

    email = f"bench{time.time()}@provider.example"
    user = User.objects.create_user(email, "Staff-Password-1", role="admin")
    TOTP.activate(user, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    client = Client()
    client.force_login(user, backend="accounts.staff.RoleBackend")
    pk = Domain.objects.order_by("-pk").values_list("pk", flat=True)[3]
    for _line in sys.stdin:
        told = {kind: [_milliseconds(client, one.format(pk=pk)) for one in pages] for kind, pages in KINDS.items()}
        print(json.dumps(told), flush=True)


def _milliseconds(client: Any, address: str) -> tuple[float, float]:
    cpu, begun = _processor_seconds(), time.perf_counter()
    answer = client.get(address)
    took = time.perf_counter() - begun
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")
    return (_processor_seconds() - cpu) * 1000, took * 1000


def _processor_seconds() -> float:
    """What this process and the one of its connection have used so far; Linux tells the other's in nanoseconds."""
    from django.db import connection  # noqa: PLC0415 - after django.setup()

    connection.ensure_connection()
    at_database = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return time.process_time() + int(at_database.split()[0]) / 1e9


if __name__ == "__main__":
    ask()
