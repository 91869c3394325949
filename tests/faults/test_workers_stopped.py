"""Real workers: one pool process killed in a push, and one worker that stands still until another has delivered."""

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import psutil
import psycopg
import pytest
import requests

from sandbox.stack import Stack
from tests.faults.owners import Owner, all_arrive, until
from tests.faults.processes import can_be_written

OF_HIM = "JOIN migration_mailbox m ON mailbox_id = m.id WHERE local_part = '{}'"
PUSH = f"SELECT p.state, attempts FROM migration_push p {OF_HIM}"
TOLD = f"SELECT action, 1 FROM migration_event e {OF_HIM}"


def rows(stack: Stack, query: str, owner: Owner) -> list[tuple[str, int]]:
    """What a query tells about the owner's mailbox."""
    query = query.format(owner.address.partition("@")[0])
    if stack.database_url:
        with psycopg.connect(stack.database_url) as server:
            return server.execute(query.encode()).fetchall()
    with closing(sqlite3.connect(stack.folder / "umzug.sqlite3")) as file:
        return file.execute(query).fetchall()


def stored(stack: Stack, owner: Owner) -> int:
    """How often mailcow stored a password for him."""
    journal = requests.get(f"{stack.mailcow}/sandbox/journal", timeout=5).json()
    return sum(entry["address"] == owner.address for entry in journal)


def saves_and_waits_at_mailcow(stack: Stack, owner: Owner) -> None:
    """The owner's push is at its first look, which takes some seconds."""
    slow = {"kind": "slow", "seconds": 4, "times": 1}
    requests.post(f"{stack.mailcow}/sandbox/faults", json=slow, timeout=5).raise_for_status()
    owner.saves()
    until(lambda: requests.get(f"{stack.mailcow}/sandbox/faults", timeout=5).json() == [], "the worker asks mailcow")


def freeze(stack: Stack, group: int) -> None:
    """Stop all processes of the group, on SQLite at a moment when none holds the one lock there is for writing."""
    os.killpg(group, signal.SIGSTOP)
    while not stack.database_url and not can_be_written(stack.folder / "umzug.sqlite3"):
        os.killpg(group, signal.SIGCONT)
        os.killpg(group, signal.SIGSTOP)


@pytest.mark.skipif("PORTAL_BROKER_URL" not in os.environ, reason="the embedded broker's workers have no pool process")
def test_a_pool_process_killed_in_the_middle_of_a_push_loses_nothing(
    stack: Stack, owners: Iterator[Owner], record_property: Callable[[str, object], None]
) -> None:
    owner = next(owners)
    saves_and_waits_at_mailcow(stack, owner)

    worker = psutil.Process(stack.processes["worker"].pid)
    for child in worker.children():
        child.kill()
    killed = time.monotonic()
    all_arrive([owner])

    record_property("F1", f"there {time.monotonic() - killed:.0f} s after kill -9, with a claim of 6 s")
    assert stack.dead() is None, "the worker itself has lived on"
    assert stored(stack, owner) == 1
    assert [attempts for _, attempts in rows(stack, PUSH, owner)] == [2]


def test_a_worker_stopped_past_its_claim_changes_nothing_when_it_goes_on(
    stack: Stack,
    owners: Iterator[Owner],
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    owner = next(owners)
    saves_and_waits_at_mailcow(stack, owner)
    frozen = stack.processes["worker"]
    request.addfinalizer(lambda: os.killpg(frozen.pid, signal.SIGCONT))
    freeze(stack, frozen.pid)
    before = len(stack.log("worker"))
    pool = ("-P", "prefork", "-c", "2") if stack.broker_url else ("-P", "threads", "-c", "4")
    command = ("celery", "-A", "portal", "worker", *pool, "--hostname", "second@localhost")
    request.addfinalizer(lambda: stack.kill("worker2"))
    stack.start("worker2", *command, "--without-gossip", "--without-mingle", environment=stack.environment(worker=True))
    all_arrive([owner])
    until(lambda: rows(stack, PUSH, owner) == [("delivered", 2)], "the second worker has delivered it")

    os.killpg(frozen.pid, signal.SIGCONT)
    until(lambda: "push_" in stack.log("worker")[before:], "the first one has seen that it came too late")

    told = Counter(action for action, _ in rows(stack, TOLD, owner))
    record_property("F3", f"stored {stored(stack, owner)} time, 0 rows changed by the one that went on")
    assert rows(stack, PUSH, owner) == [("delivered", 2)]
    assert (told["push_delivered"], told["active"], told["push_waiting"]) == (1, 1, 0)
    assert stored(stack, owner) == 1
