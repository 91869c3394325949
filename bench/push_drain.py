"""The push outbox against the bare calls: how fast a full outbox drains, with mailcow as the limit.

Every push costs mailcow three requests, and a stand-in takes 30 ms for each. Ours: two processes work the outbox off,
with claims, leases, events and settling in SQLite. Floor: two processes make the same requests and nothing else.
Both take turns, so that a busy minute hits both, and the round with the median ratio is told: one number that a second
run repeats. What was pushed before stays in the database.

`python -m bench.push_drain ROLE …` is what these processes run.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.stack import ROOT, free_port

from .table import Row

PUSHES = int(os.environ.get("BENCH_PUSHES", "350"))
ROUNDS = 5
EACH = PUSHES // ROUNDS
PROCESSES = 2
REQUEST_SECONDS = 0.03
KEY = "bench-key"
HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$ZmFrZSBkaWdlc3Qgb25seSBmb3IgdGVzdHMgMTIzNDU"


def address(number: int) -> str:
    """The address of the n-th mailbox."""
    return f"owner{number}@bench.example"


def drained() -> Row:
    """Row `push_drain`: pushes a second, against the bare calls, on a full outbox; the round with the median ratio."""
    rounds: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="umzug-bench-") as folder:
        url = f"http://127.0.0.1:{free_port()}"
        environment = _environment(Path(folder), url)
        for number in range(ROUNDS):
            _run("fill", environment, str(number))
            took = {role: _seconds(role, url, environment, number) for role in _in_turn(number)}
            rounds.append((EACH / took["worker"], EACH / took["caller"]))
    ours, floor = sorted(rounds, key=lambda rates: rates[0] / rates[1])[ROUNDS // 2]
    calls = f"the same three calls by bare requests, {REQUEST_SECONDS * 1000:.0f} ms each"
    return Row("push_drain", ours, floor, "/s", calls)


def _in_turn(number: int) -> tuple[str, str]:
    return ("caller", "worker") if number % 2 else ("worker", "caller")


def _seconds(role: str, url: str, environment: dict[str, str], number: int) -> float:
    """How long all processes of the role need for a round's pushes, from a common start; mailcow is new each time."""
    with ExitStack() as stack:
        stack.enter_context(_process("mailcow", environment, url.rpartition(":")[2]))
        workers = [
            stack.enter_context(_process(role, environment, str(number * EACH + one))) for one in range(PROCESSES)
        ]
        start = time.perf_counter()
        for worker in workers:
            _say(worker)
        for worker in workers:
            if worker.wait() != 0:
                raise RuntimeError(f"a {role} failed")
        return time.perf_counter() - start


@contextmanager
def _process(role: str, environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has said it is ready; it goes on when told."""
    command = [sys.executable, "-m", "bench.push_drain", role, *arguments]
    pipe = subprocess.PIPE
    with (
        Path(environment["PORTAL_DATA_DIR"], f"{role}.log").open("a") as log,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,
    ):
        try:
            if not process.stdout or process.stdout.readline().strip() != "ready":
                raise RuntimeError(f"a {role} did not start")
            yield process
        finally:
            process.kill()


def _say(process: subprocess.Popen[str]) -> None:
    if process.stdin:
        process.stdin.write("go\n")
        process.stdin.flush()


def _run(role: str, environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "bench.push_drain", role, *arguments], cwd=ROOT, env=environment, check=True)


def _environment(folder: Path, url: str) -> dict[str, str]:
    ours = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_SECRET_KEY": "only for the bench: on a throwaway database, never used anywhere else",
        "PORTAL_KEY_RING": "bench:YmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmU=",
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_MAILCOW_URL": url,
        "PORTAL_MAILCOW_API_KEY": KEY,
        "PORTAL_LOG_LEVEL": "INFO",
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | ours


def _ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def mailcow(port: str) -> None:
    """Be a mailcow with every mailbox, which takes its time."""
    from sandbox.mailcow import MailcowStandIn  # noqa: PLC0415

    stand_in = MailcowStandIn(int(port), api_key=KEY)
    for number in range(ROUNDS * EACH):
        stand_in.add_mailbox(address(number))
    stand_in.faults.slow(REQUEST_SECONDS, times=None)
    with stand_in:
        _ready()


def fill(number: str) -> None:
    """Queue a round's pushes; the first round makes the database."""
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from migration.models import Customer, Domain, Mailbox, Push  # noqa: PLC0415
    from migration.secrets import Purpose, seal  # noqa: PLC0415

    call_command("migrate", interactive=False, verbosity=0)
    customer, _ = Customer.objects.get_or_create(name="Bench", contact_email="bench@bench.example")
    domain, _ = Domain.objects.get_or_create(name="bench.example", customer=customer)
    state, first = Mailbox.State.PASSWORD_SET, int(number) * EACH
    mailboxes = Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=address(one).partition("@")[0], state=state, version=1)
        for one in range(first, first + EACH)
    )
    rows = [Push(mailbox=mailbox, version=1) for mailbox in mailboxes]
    for row in rows:
        row.payload = seal(Purpose.PENDING_HASH, row.sealed_for, HASH.encode())
    Push.objects.bulk_create(rows)


def worker(_first: str) -> None:
    """Work off the outbox as a Celery task does, again and again until nothing is due."""
    import django  # noqa: PLC0415

    django.setup()
    from migration import doorbell, pushes  # noqa: PLC0415
    from migration.models import Push  # noqa: PLC0415

    doorbell.ring("deliver_push", 0)  # a worker has long loaded what ringing needs
    _ready()
    while pushes.work():
        pass
    if Push.objects.filter(state__in=Push.OPEN).exists():
        sys.exit("some pushes are left")


def caller(first: str) -> None:
    """Make the same calls for every second mailbox of the round, and nothing else."""
    import requests  # noqa: PLC0415

    url = f"{os.environ['PORTAL_MAILCOW_URL']}/api/v1"
    session = requests.Session()
    session.headers["X-API-Key"] = KEY
    change = {"password": HASH, "password2": HASH, "attribute_hash": ""}
    _ready()
    for mailbox in range(int(first), (int(first) // EACH + 1) * EACH, PROCESSES):
        here = f"{url}/get/mailbox/{address(mailbox)}"
        before = session.get(here, timeout=10).json()["attributes"]["passwd_update"]
        document = {"items": [address(mailbox)], "attr": change}
        session.post(f"{url}/edit/mailbox", json=document, timeout=10).raise_for_status()
        if session.get(here, timeout=10).json()["attributes"]["passwd_update"] == before:
            sys.exit("not stored")


ROLES: dict[str, Callable[..., None]] = {"mailcow": mailcow, "fill": fill, "worker": worker, "caller": caller}

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
