"""Processes killed at the worst moment: the owner's password arrives all the same."""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from bench.journey import sign_in_and_save
from sandbox.stack import Stack
from tests.e2e.pages import invitation

PATIENCE_SECONDS = 60


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"


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


def test_a_mail_whose_worker_was_killed_is_not_sent_twice(stack: Stack) -> None:
    before = len(stack.mails("bestellung@sonnleitner.example"))

    stack.kill("worker")
    stack.start_worker()
    owner_saves(stack, "bestellung")

    until(lambda: len(stack.mails("bestellung@sonnleitner.example")) == before + 1, "the notice has arrived")
    invitations = [mail for mail in stack.mails("bestellung@sonnleitner.example") if "/s/" in mail["text"]]
    assert len(invitations) == 1
