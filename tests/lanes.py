"""The whole suite in lanes side by side, each a pytest with a database of its own: `python -m tests.lanes [DATABASE…]`.

What waits for browsers and for killed workers runs beside what computes, as many lanes at once as there are cores. All
tests run on SQLite (`sqlite`), what touches the database also on a PostgreSQL and a Valkey (`servers`). After `--` come
options for pytest; then each database has one lane. What a lane said is printed when it has ended, the closing lines of
all at the end. Exits 0 if every lane did.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from tempfile import TemporaryFile

PYTEST = [sys.executable, "-m", "pytest"]
SERVERS = [sys.executable, "-m", "tests.servers"]

WAITING = ["tests/e2e", "tests/faults"]
# What the second run leaves out touches no database, or only shows pages.
WAITING_ON_SERVERS = ["tests/faults", "tests/e2e/test_journey.py", "tests/e2e/test_owner.py"]
COMPUTING_ON_SERVERS = ["tests/integration", "tests/property"]


@dataclass(frozen=True)
class Lane:
    """A part of the suite, and the command that runs it."""

    name: str
    command: list[str]

    def run(self) -> tuple[int, str]:
        """Run it to its end; returns its exit code and what it said."""
        say(f"{self.name}: begins")
        # A file and no pipe: a process that a test left behind would keep a pipe open for ever.
        with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            done = subprocess.run(
                self.command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, check=False
            )
            said.seek(0)
            return done.returncode, said.read()


def say(what: str) -> None:
    """Print it now: a whole run takes minutes."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def lanes(databases: list[str], options: list[str]) -> Iterator[Lane]:
    """In this order they begin. No test is in none: the second lane takes whatever the first does not name."""
    if "sqlite" in databases:
        if options:
            yield Lane("SQLite", [*PYTEST, *options])
        else:
            yield Lane("SQLite, waiting", [*PYTEST, *WAITING])
            yield Lane("SQLite, computing", [*PYTEST, "tests", *(f"--ignore={folder}" for folder in WAITING)])
    if "servers" in databases:
        if options:
            yield Lane("servers", [*SERVERS, *PYTEST, *WAITING_ON_SERVERS, *COMPUTING_ON_SERVERS, *options])
        else:
            yield Lane("servers, waiting", [*SERVERS, *PYTEST, *WAITING_ON_SERVERS])
            yield Lane("servers, computing", [*SERVERS, *PYTEST, *COMPUTING_ON_SERVERS])


def main() -> int:
    """Run the lanes; returns the exit code."""
    asked, options = sys.argv[1:], list[str]()
    if "--" in asked:
        at = asked.index("--")
        asked, options = asked[:at], asked[at + 1 :]
    chosen = list(lanes(asked or ["sqlite", "servers"], options))
    if not chosen:
        sys.exit("Name sqlite, servers, or both.")
    if len(chosen) == 1:
        return subprocess.run(chosen[0].command, check=False).returncode
    ended = []
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        running = {pool.submit(lane.run): lane for lane in chosen}
        for one in as_completed(running):
            code, said = one.result()
            name = running[one].name
            say(f"\n===== {name} =====\n{said}")
            ended.append((name, code, (said.splitlines() or [""])[-1]))
    for name, code, closing in ended:
        say(f"{name}: {closing}" + (f" (exit code {code})" if code else ""))
    return int(any(code for _name, code, _closing in ended))


if __name__ == "__main__":
    sys.exit(main())
