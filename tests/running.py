"""Umzug as running processes, for tests that click, kill and search: fixtures for e2e and faults."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from sandbox.check import browser
from sandbox.demo import bring_up
from sandbox.stack import Ports, Stack

from .servers import new_database

LEAVE_NOTHING_OUT = bool(os.environ.get("UMZUG_LEAVE_NOTHING_OUT"))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The demo's customer on the embedded default, or on PostgreSQL and Valkey where `tests.servers` runs them.

    Leases are short, so that a killed worker's work is taken up within a test.
    """
    server, broker = os.environ.get("PORTAL_DATABASE_URL", ""), os.environ.get("PORTAL_BROKER_URL", "")
    running = Stack(
        Path(tempfile.mkdtemp(prefix="umzug-stack-")),
        Ports.free(),
        database_url=new_database(server, "umzug_stack") if server else "",
        # A database of its own: the first one holds what tests rang for in this process.
        broker_url=broker and f"{broker.rpartition('/')[0]}/1",
        settings={
            "PORTAL_PUSH_LEASE_SECONDS": "6",
            "PORTAL_MAILCOW_CALL_SECONDS": "5",
            "PORTAL_SWEEP_SECONDS": "2",
            # Plans are carried out whenever the tests run.
            "PORTAL_PLAN_FROM_HOUR": "0",
            "PORTAL_PLAN_UNTIL_HOUR": "24",
        },
    )
    with running:
        bring_up(running, say=False)
        # Every invitation, both pre-announcements and the contact's list: a worker killed with one in hand would hold
        # it for two minutes.
        running.await_mail("", count=29)
        yield running
    shutil.rmtree(running.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser. Where none can be installed the tests say so, except where nothing may be left out."""
    if shutil.which("chromium") is None and not LEAVE_NOTHING_OUT and not _playwrights_own():
        pytest.skip("no browser on this machine: install Debian's chromium, or `playwright install chromium`")
    with browser() as running:
        yield running


def _playwrights_own() -> bool:
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path.home() / ".cache" / "ms-playwright"))
    return any(folder.glob("chromium-*"))
