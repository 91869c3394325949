"""Yesterday's backup is put back under running processes: no old password reaches mailcow."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from bench.journey import sign_in_and_save
from migration import schemes
from migration.mailcow.client import Client
from sandbox.demo import bring_up
from sandbox.stack import Ports, Stack
from tests.e2e.pages import invitation

ANNA = "anna.gruber@sonnleitner.example"
OLD, NEWER = "Nussbaum-Kipferl-7x", "Marillen-Knoedel-33x"
PATIENCE_SECONDS = 60


@pytest.fixture
def own_stack() -> Iterator[Stack]:
    """Umzug on SQLite, whose backup is a file; a sweep every second."""
    folder = Path(tempfile.mkdtemp(prefix="umzug-restore-"))
    with Stack(folder, Ports.free(), settings={"PORTAL_SWEEP_SECONDS": "1"}) as running:
        bring_up(running, say=False)
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"


def opens(stack: Stack, password: str) -> bool:
    answer = requests.post(f"{stack.mailcow}/sandbox/verify", json={"address": ANNA, "password": password}, timeout=5)
    return bool(answer.json()["success"])


def database(stack: Stack) -> sqlite3.Connection:
    return sqlite3.connect(stack.folder / "umzug.sqlite3", timeout=20)


def ask(stack: Stack, query: str) -> list[tuple[object, ...]]:
    with database(stack) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def back_up(stack: Stack, to: Path) -> None:
    """The backup as `docs/operations.md` makes it, with the times of an hour ago."""
    live, copy = database(stack), sqlite3.connect(to)
    live.backup(copy)
    copy.execute("UPDATE migration_highwatermark SET at = at - 3600")
    copy.execute("UPDATE migration_push SET created_at = datetime(created_at, '-3 hours'), due_at = created_at")
    copy.commit()
    copy.close()
    live.close()


def test_an_old_password_in_a_backup_never_reaches_mailcow(own_stack: Stack, tmp_path: Path) -> None:
    stack, backup = own_stack, tmp_path / "backup.sqlite3"
    requests.post(f"{stack.mailcow}/sandbox/faults", json={"kind": "drop_before_write", "times": 1}, timeout=5)
    sign_in_and_save(*invitation(stack, "anna.gruber"), OLD)
    until(lambda: ask(stack, "SELECT state FROM migration_push") == [("waiting",)], "the push waits for its next try")
    back_up(stack, backup)
    for part in ("beat", "worker", "web"):
        stack.kill(part)
    with Client(stack.mailcow, stack.secret("mailcow_api_key")) as client:
        client.set_password(ANNA, schemes.make_hash(NEWER), attribute_hash="")
    for file in stack.folder.glob("umzug.sqlite3*"):
        file.unlink()
    shutil.copy(backup, stack.folder / "umzug.sqlite3")

    stack.start_web()
    stack.start_worker()
    stack.start_beat()

    until(lambda: "database_restored" in stack.log("worker"), "the worker notices")
    assert requests.get(f"{stack.portal}/readyz", timeout=5).status_code == 503
    assert f"{ANNA}  version 1" in stack.manage("confirm_restore")
    assert opens(stack, NEWER)
    assert not opens(stack, OLD)

    stack.manage("confirm_restore", "--yes")

    until(
        lambda: ask(stack, "SELECT state, reason FROM migration_push") == [("blocked", "overtaken")],
        "the worker has compared it",
    )
    assert opens(stack, NEWER)
    assert not opens(stack, OLD)
