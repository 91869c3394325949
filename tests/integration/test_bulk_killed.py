"""A worker that is shot in the middle of many mailboxes: the next one goes on, and nobody is written to twice."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from django.utils import timezone

from migration import bulk
from migration.models import BulkRun, Event, FirstLogin, Mailbox
from tests.factories import make_domain
from tests.faults.secrecy import own_database_url

# Committed rows: the worker is another process.
pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
MANY = 1_200


def worker(run: BulkRun) -> subprocess.Popen[bytes]:
    work = f"from migration import bulk; bulk.work({run.pk})"
    environment = os.environ | {"PORTAL_DATABASE_URL": own_database_url()}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.manage", "shell", "-v0", "-c", work], cwd=ROOT, env=environment
    )


def await_parts(run: BulkRun, parts: int) -> None:
    deadline = time.monotonic() + 60
    while run.worked < parts * bulk.PART:
        assert time.monotonic() < deadline
        run.refresh_from_db()


def test_shot_in_the_middle_nobody_is_invited_twice_and_nobody_is_left_out() -> None:
    domain = make_domain("d.example")
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"m{number}") for number in range(MANY))
    wanted = list(Mailbox.objects.values_list("pk", flat=True))
    run = bulk.begin(domain, wanted, bulk.Wish(BulkRun.Verb.INVITE), actor="staff:eva", key=uuid.uuid4())

    for parts in (2, 6):
        process = worker(run)
        await_parts(run, parts)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        BulkRun.objects.update(lease_until=timezone.now() - bulk.LEASE)
    run.refresh_from_db()
    assert 6 * bulk.PART <= run.done < MANY
    assert FirstLogin.objects.count() == run.done
    bulk.work(run.pk)

    run.refresh_from_db()
    assert (run.done, run.left_out, run.ended_at is not None) == (MANY, 0, True)
    assert sorted(FirstLogin.objects.values_list("mailbox", flat=True)) == sorted(wanted)
    assert Event.objects.filter(action=Event.Action.INVITED).count() == MANY
