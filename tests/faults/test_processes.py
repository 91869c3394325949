"""Processes killed at the worst moment: the owner's password arrives all the same."""

import os
import pickle
import shutil
import signal
import sqlite3
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from kombu import Connection, Producer

from bench.journey import sign_in_and_save
from portal import embedded_broker
from sandbox.stack import Stack
from tests.e2e.pages import invitation
from tests.faults.conftest import SEEDS
from tests.faults.owners import PATIENCE_SECONDS, Owner, all_arrive, until

# Served by each generation of web processes.
PAGES = 100 if SEEDS > 1 else 25


def owner_saves(stack: Stack, local_part: str) -> str:
    password = f"Prüfung{uuid.uuid4().hex}A1".replace("ü", "ue")
    link, secret = invitation(stack, local_part)
    sign_in_and_save(link, secret, password)
    return password


def opens(stack: Stack, local_part: str, password: str) -> bool:
    address = f"{local_part}@sonnleitner.example"
    answer = requests.post(
        f"{stack.mailcow}/sandbox/verify", json={"address": address, "password": password}, timeout=5
    )
    return bool(answer.json()["success"])


def fault(stack: Stack, **fields: object) -> None:
    requests.post(f"{stack.mailcow}/sandbox/faults", json=fields, timeout=5).raise_for_status()


def pending(stack: Stack) -> list[object]:
    found: list[object] = requests.get(f"{stack.mailcow}/sandbox/faults", timeout=5).json()
    return found


@pytest.fixture(autouse=True)
def _worker_again(stack: Stack) -> Iterator[None]:
    yield
    if "worker" not in stack.processes:
        stack.start_worker()


def test_a_worker_killed_in_the_middle_of_a_push_loses_nothing(stack: Stack) -> None:
    fault(stack, kind="slow", seconds=4, times=1)
    password = owner_saves(stack, "nina.berger")
    until(lambda: pending(stack) == [], "the worker asks mailcow")

    stack.kill("worker")
    assert not opens(stack, "nina.berger", password)
    stack.start_worker()

    until(lambda: opens(stack, "nina.berger", password), "the password has arrived")


def test_a_password_saved_while_no_worker_runs_arrives_when_one_does(stack: Stack) -> None:
    stack.kill("worker")
    password = owner_saves(stack, "michael.lang")

    stack.start_worker()

    until(lambda: opens(stack, "michael.lang", password), "the password has arrived")


def test_messages_that_are_lost_are_replaced_by_the_sweep(stack: Stack) -> None:
    stack.kill("worker")
    password = owner_saves(stack, "office")
    if stack.broker_url:
        import redis  # noqa: PLC0415 - only where the tests run on it

        redis.Redis.from_url(stack.broker_url).flushall()
    else:
        shutil.rmtree(Path(stack.folder, "broker", "queue"))
        Path(stack.folder, "broker", "queue").mkdir()

    stack.start_worker()

    until(lambda: opens(stack, "office", password), "the password has arrived")


def forget_promises(stack: Stack) -> None:
    """So much time passes that nobody counts on a dead worker's mails any more."""
    if stack.database_url:
        with psycopg.connect(stack.database_url) as server:
            server.execute("UPDATE migration_pace SET woken_until = woken_until - INTERVAL '2 minutes'")
        return
    with closing(sqlite3.connect(stack.folder / "umzug.sqlite3", timeout=20)) as file, file:
        file.execute("UPDATE migration_pace SET woken_until = datetime(woken_until, '-2 minutes')")


def test_a_mail_whose_worker_was_killed_is_not_sent_twice(stack: Stack) -> None:
    before = len(stack.mails("bestellung@sonnleitner.example"))

    stack.kill("worker")
    forget_promises(stack)
    stack.start_worker()
    owner_saves(stack, "bestellung")

    until(lambda: len(stack.mails("bestellung@sonnleitner.example")) == before + 1, "the notice has arrived")
    invitations = [mail for mail in stack.mails("bestellung@sonnleitner.example") if "/s/" in mail["text"]]
    assert len(invitations) == 1


def said(stack: Stack, body: Any, **properties: Any) -> None:
    """Put a message into the queue as anybody could who reaches the broker."""
    embedded_broker.install()
    queue = str(stack.folder / "broker" / "queue")
    options = {} if stack.broker_url else {"data_folder_in": queue, "data_folder_out": queue}
    with Connection(stack.broker_url or "filesystem://localhost", transport_options=options) as broker:
        Producer(broker.channel()).publish(body, routing_key="celery", **properties)


def task(name: str, *arguments: Any) -> dict[str, Any]:
    """A message as Celery's own clients send it."""
    headers = {"task": name, "id": str(uuid.uuid4()), "lang": "py", "retries": 0, "eta": None, "expires": None}
    return {"body": [list(arguments), {}, {}], "headers": headers, "serializer": "json"}


def test_forged_and_poisoned_messages_do_not_end_the_worker(stack: Stack, owners: Iterator[Owner]) -> None:
    for odd in (
        task("migration.deliver_push", "17; DROP TABLE"),
        task("migration.deliver_push", -1),
        task("migration.deliver_push", {"pk": 1}),
        task("migration.deliver_push"),
        task("migration.send_mail", 10**30),
        task("os.system", "true"),
        task("migration.deliver_push", "x" * 1_000_000),
        {"body": "no task at all", "serializer": "json"},
        {"body": pickle.dumps({"task": "x"}), "content_type": "application/x-python-serialize"},
        {"body": b"\xff\xfe", "content_type": "application/json", "content_encoding": "utf-8"},
    ):
        said(stack, **odd)

    all_arrive([next(owners).saves()])

    assert stack.dead() is None


def test_two_clocks_and_two_workers_send_nothing_twice(stack: Stack, owners: Iterator[Owner]) -> None:
    schedule, pid = stack.folder / "second-beat", stack.folder / "second-beat.pid"
    beat = (
        "celery",
        "-A",
        "portal",
        "beat",
        "--loglevel",
        "WARNING",
        "--schedule",
        str(schedule),
        "--pidfile",
        str(pid),
    )
    stack.start("beat2", *beat, environment=stack.environment())
    pool = ("-P", "prefork", "-c", "2") if stack.broker_url else ("-P", "threads", "-c", "4")
    worker = ("celery", "-A", "portal", "worker", *pool, "--hostname", "second@localhost")
    stack.start("worker2", *worker, "--without-gossip", "--without-mingle", environment=stack.environment(worker=True))

    saved = [next(owners).saves() for _ in range(3)]
    all_arrive(saved)
    for owner in saved:
        stack.await_mail(owner.address)

    envelopes = Counter(mail["from"] for mail in stack.mails(""))
    assert [sender for sender, times in envelopes.items() if times > 1] == []
    stack.kill("beat2")
    stack.kill("worker2")


def test_a_worker_asked_to_stop_ends_its_push_first(stack: Stack, owners: Iterator[Owner]) -> None:
    fault(stack, kind="slow", seconds=3, times=1)
    owner = next(owners).saves()
    until(lambda: pending(stack) == [], "the worker asks mailcow")

    worker = stack.processes.pop("worker")
    worker.terminate()
    worker.wait(PATIENCE_SECONDS)

    assert owner.gets_in()


def test_web_processes_are_exchanged_under_traffic_without_a_failed_request(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    answers: Counter[object] = Counter()
    over = threading.Event()

    def browse() -> None:
        while not over.is_set():
            try:
                answers[requests.get(f"{stack.portal}/", timeout=30).status_code] += 1
            except requests.RequestException as error:
                answers[repr(error)] += 1

    def served(enough: int) -> bool:
        return answers[200] > enough

    browsers = [threading.Thread(target=browse) for _ in range(4)]
    for browser in browsers:
        browser.start()
    for _ in range(3):
        enough = answers[200] + PAGES
        os.kill(stack.processes["web"].pid, signal.SIGHUP)
        until(partial(served, enough), "many more pages were served")
    over.set()
    for browser in browsers:
        browser.join()

    record_property("F32", f"0 failed of {answers[200]}")
    assert set(answers) == {200}


def events(stack: Stack, address: str) -> set[str]:
    """What the audit trail tells of a mailbox."""
    query = (
        "SELECT action FROM migration_event JOIN migration_mailbox ON mailbox_id = migration_mailbox.id"
        f" WHERE local_part = '{address.partition('@')[0]}'"
    )
    if stack.database_url:
        with psycopg.connect(stack.database_url) as server:
            return {row[0] for row in server.execute(query)}
    with closing(sqlite3.connect(stack.folder / "umzug.sqlite3")) as file:
        return {row[0] for row in file.execute(query)}


@pytest.fixture
def no_room_for_logs(stack: Stack) -> Iterator[None]:
    """The web process writes its log to a disk that is full."""
    log = stack.folder / "logs" / "web.log"
    stack.kill("web")
    log.rename(log.with_suffix(".kept"))
    log.symlink_to("/dev/full")
    stack.start_web()
    yield
    stack.kill("web")
    log.unlink()
    log.with_suffix(".kept").rename(log)
    stack.start_web()


@pytest.mark.usefixtures("no_room_for_logs")
def test_a_log_on_a_full_disk_costs_no_password_and_no_event(stack: Stack, owners: Iterator[Owner]) -> None:
    owner = next(owners)
    assert requests.post(owner.link, {"address": "x", "secret": "y"}, timeout=30).status_code == 403, "a line to log"

    all_arrive([owner.saves()])

    told = {"signed_in", "password_set", "push_delivered", "active"}
    until(lambda: told <= events(stack, owner.address), "all of it is in the audit trail")
