"""Seeds for what is tried at random, and the report of a long run.

UMZUG_FAULT_SEEDS   how many seeds; one in an ordinary run
UMZUG_FAULT_REPORT  a file that tells of every test of the catalogue how it ended
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from sandbox.mailcow import MailcowStandIn
from sandbox.stack import Stack
from tests.faults.catalogue import FAULTS
from tests.faults.owners import Owner, invited
from tests.faults.proxy import Proxy

SEEDS = int(os.environ.get("UMZUG_FAULT_SEEDS", "1"))
REPORT = os.environ.get("UMZUG_FAULT_REPORT", "")


@pytest.fixture
def wire(mailcow: MailcowStandIn, settings: pytest.FixtureRequest) -> Iterator[Proxy]:
    """What is between the workers and mailcow."""
    with Proxy("127.0.0.1", int(mailcow.url.rpartition(":")[2])) as wire:
        settings.MAILCOW_URL = wire.url  # type: ignore[attr-defined]
        yield wire


@pytest.fixture(scope="session")
def owners(stack: Stack) -> Iterator[Owner]:
    """Owners of the running stack who have not been here yet, one after the other."""
    return iter(invited(stack, 120 if SEEDS > 1 else 30))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(SEEDS))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test the catalogue names carries its faults: `pytest -m "fault(number=14)"`."""
    if REPORT:
        config.pluginmanager.register(Recorder())
    for item in items:
        for fault in FAULTS:
            if item.nodeid.partition("[")[0].removeprefix("tests/") in fault.tests:
                item.add_marker(pytest.mark.fault(number=fault.number))


class Recorder:
    """Notes how every test ended, wherever it is; the hooks of this file alone would hear of its own folder's."""

    def __init__(self) -> None:
        self._told: list[dict[str, object]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self._told.append(
                {
                    "test": report.nodeid.removeprefix("tests/"),
                    "outcome": report.outcome,
                    "seconds": round(report.duration, 2),
                    "measured": dict(report.user_properties),
                }
            )

    def pytest_sessionfinish(self) -> None:
        where = "PostgreSQL" if "postgresql" in settings.DATABASES["default"]["ENGINE"] else "SQLite"
        Path(REPORT).parent.mkdir(exist_ok=True)
        Path(REPORT).write_text(json.dumps({"where": where, "seeds": SEEDS, "tests": self._told}, indent=1))
