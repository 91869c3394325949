"""How fast and how lean an import is, against bare bulk_create and against django-import-export.

On SQLite, or on the PostgreSQL of PORTAL_DATABASE_URL: `python -m tests.servers .venv/bin/python -m bench import_bulk`.
"""

import base64
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.stack import ROOT, Stack
from tests.servers import new_database

from .table import Row

MANY = 100_000
FEW = 5_000
ROUNDS = 3
LIMIT_MIB = 300


def bulk() -> Row:
    """Row `import_bulk`: seconds for a CSV of 100,000 mailboxes with hashes, read, previewed and applied."""
    rounds = [(_once("umzug", MANY)[0], _once("bare", MANY)[0]) for _ in range(ROUNDS)]
    value, against = (statistics.median(column) for column in zip(*rounds, strict=True))
    return Row("import_bulk", value, against, "s", "bare bulk_create of the same 100,000 rows, made and sealed before")


def memory() -> Row:
    """Row `import_memory`: the most memory of the process that imports these 100,000, and then changes all of them."""
    return Row(
        "import_memory", _once("twice", MANY)[1], LIMIT_MIB, "MiB", "what we allow for 100,000 rows, new and changed"
    )


def versus_import_export() -> Row:
    """Row `import_vs_peer`: rows per second of 5,000 with preview, against django-import-export."""
    rounds = [(FEW / _once("umzug", FEW)[0], FEW / _once("peer", FEW)[0]) for _ in range(ROUNDS)]
    value, against = (statistics.median(column) for column in zip(*rounds, strict=True))
    return Row(
        "import_vs_import_export", value, against, "1/s", "django-import-export's dry run and import of 5,000 rows"
    )


def _once(way: str, count: int) -> tuple[float, float]:
    """Seconds and MiB of one import in a process and a database of its own."""
    with tempfile.TemporaryDirectory(prefix="umzug-bench-") as folder, Stack(Path(folder, "umzug")) as stack:
        stack.prepare()
        path = Path(folder, "mailboxes.csv")
        path.write_text(_table(count), encoding="utf-8")
        environment = stack.environment()
        if server := os.environ.get("PORTAL_DATABASE_URL"):
            environment["PORTAL_DATABASE_URL"] = new_database(server, "umzug_bench")
        done = subprocess.run(
            [sys.executable, "-m", "bench.import_rows", way, str(path)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    seconds, mib = done.stdout.split()[-2:]
    return float(seconds), float(mib)


def _table(count: int) -> str:
    """Mailboxes with a salted SHA-1 each, the same in every run."""
    chance = random.Random(count)
    lines = ["address;name;kind;quota_mib;last_login;password_hash"]
    for number in range(count):
        digest = base64.b64encode(chance.randbytes(28)).decode()
        lines.append(
            f"owner{number}@bench.example;Person Nummer {number};personal;5120;2026-11-20T08:15+01:00;{{SSHA}}{digest}"
        )
    return "\n".join(lines) + "\n"
