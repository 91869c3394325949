"""The mail outbox against bare SMTP: how fast one worker sends the invitations of a large domain.

Ours: one worker works the outbox off, with claims, fresh secrets, three templates a mail, marks before each final dot,
settling and events in SQLite. Floor: the same finished messages by smtplib over one kept connection. The sink is a
process of its own and takes 30 ms to say yes, as a server with a queue on a disk and a filter does; each mail is on the
disk by then. `BENCH_SINK_SECONDS=0` takes the 30 ms away: then the worker's own time is all there is.

`python -m bench.invitations ROLE …` is what these processes run.
"""

import asyncio
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.stack import ROOT, free_port

from .table import Row

MAILS = int(os.environ.get("BENCH_MAILS", "5000"))
ROUNDS = 5
SINK_SECONDS = float(os.environ.get("BENCH_SINK_SECONDS", "0.03"))
SENDER = "portal@bench.example"


@dataclass(frozen=True)
class Round:
    """As many mails, sent by us and handed in by the floor: seconds on the clock, and of the processor.

    Of our processor time only what the server had to wait for: not what was done while it thought about a mail.
    """

    ours: float
    our_cpu: float
    floor: float
    floor_cpu: float


def sent() -> Row:
    """Row `invitations`: mails a second of one worker, against bare SMTP."""
    rounds, each = _rounds(), MAILS // ROUNDS
    ours, floor = (statistics.median(getattr(one, name) for one in rounds) for name in ("ours", "floor"))
    against = f"the same messages by smtplib, one kept connection, {SINK_SECONDS * 1000:.0f} ms each"
    return Row("invitations", each / ours, each / floor, "/s", against)


def sent_by_cpu() -> Row:
    """Row `invitations_cpu`: the same, were each side slowed down by the server and its own processor time alone."""
    rounds, each = _rounds(), MAILS // ROUNDS
    floor = statistics.median(one.floor for one in rounds)
    more = statistics.median(one.our_cpu - one.floor_cpu for one in rounds)
    against = "as above; ours is the floor's time and the processor time that ours has more"
    return Row("invitations_cpu", each / (floor + more), each / floor, "/s", against)


@cache
def _rounds() -> list[Round]:
    """One after the other in turns, so that a busy minute hits both."""
    with tempfile.TemporaryDirectory(prefix="umzug-bench-") as folder:
        port = free_port()
        environment = _environment(Path(folder), port)
        _run("fill", environment)
        rounds = []
        for _ in range(ROUNDS):
            with _sink(environment, port):
                ours = _run("worker", environment, str(MAILS // ROUNDS))
            with _sink(environment, port):
                floor = _run("caller", environment, str(port))
            rounds.append(Round(*ours, *floor))
    return rounds


def _run(role: str, environment: dict[str, str], *arguments: str) -> list[float]:
    """Run a role to its end. Returns the seconds it says it took, if it says so."""
    command = [sys.executable, "-m", "bench.invitations", role, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.split()]


@contextmanager
def _sink(environment: dict[str, str], port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.invitations", "sink", str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            if not process.stdout or process.stdout.readline().strip() != "ready":
                raise RuntimeError("the sink did not start")
            yield
        finally:
            process.kill()


def _environment(folder: Path, port: int) -> dict[str, str]:
    ours = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_SECRET_KEY": "only for the bench: on a throwaway database, never used anywhere else",
        "PORTAL_KEY_RING": "bench:YmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmU=",
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_SOURCE_SMTP_HOST": "127.0.0.1",
        "PORTAL_SOURCE_SMTP_PORT": str(port),
        "PORTAL_SOURCE_SMTP_SECURITY": "none",
        "PORTAL_MAIL_FROM": SENDER,
        "PORTAL_LOG_LEVEL": "WARNING",
        "BENCH_MAILS": str(MAILS),
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | ours


def sink(port: str) -> None:
    """Take every mail; keep them in one file, which is on the disk before the answer."""
    from aiosmtpd.controller import Controller  # noqa: PLC0415

    with Path(os.environ["PORTAL_DATA_DIR"], f"sink-{os.getpid()}").open("wb") as file:

        class Handler:
            """Writes."""

            async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
                """Have it on the disk, then say yes."""
                file.write(envelope.original_content)
                file.flush()
                os.fdatasync(file.fileno())
                await asyncio.sleep(SINK_SECONDS)
                return "250 2.0.0 ok"

        controller = Controller(Handler(), hostname="127.0.0.1", port=int(port))
        controller.start()
        print("ready", flush=True)
        sys.stdin.read()


def fill() -> None:
    """Make the database, with every invitation queued."""
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from migration import mailboxes  # noqa: PLC0415
    from migration.models import Customer, Domain, Mailbox, Mailing  # noqa: PLC0415

    call_command("migrate", interactive=False, verbosity=0)
    customer = Customer.objects.create(name="Bench", contact_email="bench@bench.example", contact_name="Eva Muster")
    domain = Domain.objects.create(name="bench.example", customer=customer)
    sent = {"state": Mailing.State.SENT, "sent_at": timezone.now()}
    Mailing.objects.create(
        kind=Mailing.Kind.ANNOUNCEMENT, domain=domain, recipient="bench@bench.example", language="de", **sent
    )
    Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"owner{number}", name=f"Anna Gruber {number}") for number in range(MAILS)
    )
    mailboxes.invite_all(domain, actor="command:bench")


def worker(count: str) -> None:
    """Work off so many mails of the outbox as Celery tasks do; says how long it took, and see `Round`."""
    import django  # noqa: PLC0415

    django.setup()
    from django.conf import settings  # noqa: PLC0415

    from migration.mailings import outbox  # noqa: PLC0415
    from migration.models import Mailing  # noqa: PLC0415

    left = int(count)
    Path(os.environ["PORTAL_DATA_DIR"], "messages").write_bytes(pickle.dumps(_messages(left)))
    settings.MAILS_PER_MINUTE = 10_000_000  # as fast as it goes
    outbox.ring = lambda *_arguments, **_options: None  # type: ignore[attr-defined]  # no broker here
    prepare, ahead = outbox._Run._prepare, [0.0]

    def counted(*arguments: Any) -> None:
        start = time.process_time()
        prepare(*arguments)
        ahead[0] += time.process_time() - start

    outbox._Run._prepare = counted  # type: ignore[method-assign, assignment]
    start, start_cpu = time.perf_counter(), time.process_time()
    while left and (first := Mailing.objects.filter(state=Mailing.State.QUEUED).order_by("pk").first()):
        outbox.RUN_AT_MOST = left
        left -= outbox.work(first.pk)
    took, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    if left or Mailing.objects.exclude(state__in=(Mailing.State.SENT, Mailing.State.QUEUED)).exists():
        sys.exit("some mails are left")
    print(took, cpu - ahead[0])


def _messages(count: int) -> list[tuple[str, str, bytes]]:
    """The next finished messages, for the floor: envelope and content of each."""
    from migration import first_login  # noqa: PLC0415
    from migration.mailings import compose, verp  # noqa: PLC0415
    from migration.models import Mailing  # noqa: PLC0415

    queued = Mailing.objects.filter(state=Mailing.State.QUEUED).select_related(
        "domain__customer", "mailbox__domain__customer", "first_login__mailbox__domain__customer"
    )
    finished = []
    for row in queued.order_by("pk")[:count]:
        mail = compose.of(row, first_login.new_secret())
        content = compose.message(mail, to=row.recipient, mailing_id=row.pk).as_bytes()
        finished.append((verp.sender(row.pk), row.recipient, content))
    return finished


def caller(port: str) -> None:
    """Hand in the same messages, and nothing else; says how long it took."""
    import smtplib  # noqa: PLC0415

    messages = pickle.loads(Path(os.environ["PORTAL_DATA_DIR"], "messages").read_bytes())
    start, start_cpu = time.perf_counter(), time.process_time()
    with smtplib.SMTP("127.0.0.1", int(port)) as smtp:
        for sender, to, content in messages:
            smtp.sendmail(sender, [to], content)
    print(time.perf_counter() - start, time.process_time() - start_cpu)


ROLES: dict[str, Callable[..., None]] = {"sink": sink, "fill": fill, "worker": worker, "caller": caller}

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
