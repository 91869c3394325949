"""The owner's journey against its floor: GET the link, sign in, GET the form, set the password, GET the done page."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from sandbox.stack import ROOT, Stack, free_port

from .browser import Browser, Page
from .table import Row

ROUNDS = 7
PER_ROUND = 20
WARM_UP = 10
_FIELD = re.compile(r'<input[^>]*\bname="(csrfmiddlewaretoken|submission|address)"[^>]*\bvalue="([^"]*)"')


@dataclass(frozen=True)
class Server:
    """A running server and one run of what is measured on it."""

    process: psutil.Process
    run: Callable[[], None]

    def cpu_per_run(self, runs: int) -> float:
        """CPU milliseconds the server used for one run, the mean of so many."""
        before = self._cpu_seconds()
        for _ in range(runs):
            self.run()
        return (self._cpu_seconds() - before) / runs * 1000

    def _cpu_seconds(self) -> float:
        processes = [self.process, *self.process.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)


def cpu() -> Row:
    """Row `journey_cpu`: milliseconds of server CPU of one journey, against its floor, in alternating rounds."""
    with tempfile.TemporaryDirectory(prefix="umzug-bench-") as folder, Stack(Path(folder, "umzug")) as stack:
        ours = umzug(stack, runs=WARM_UP + ROUNDS * PER_ROUND)
        floor_process, floor = _floor(Path(folder))
        try:
            ours.cpu_per_run(WARM_UP)
            floor.cpu_per_run(WARM_UP)
            pairs = [(ours.cpu_per_run(PER_ROUND), floor.cpu_per_run(PER_ROUND)) for _ in range(ROUNDS)]
        finally:
            floor_process.terminate()
            floor_process.wait()
    value, against = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Row("journey_cpu", value, against, "ms", "one Argon2 hash + five minimal Django requests with a session")


def umzug(stack: Stack, *, runs: int, workers: int = 1) -> Server:
    """Our own server with so many owners, each good for one journey."""
    stack.ports.portal = free_port()
    stack.prepare()
    prepared = subprocess.run(
        [sys.executable, "-m", "bench.prepare", str(runs)],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    owners = iter([line.split() for line in prepared.stdout.splitlines()])
    stack.start_web(workers=workers)

    def run() -> None:
        locator, secret = next(owners)
        sign_in_and_save(f"{stack.portal}/s/{locator}", secret, f"Nussbaum-Kipferl-{secret}")

    return Server(psutil.Process(stack.processes["web"].pid), run)


def sign_in_and_save(link: str, secret: str, password: str) -> None:
    """Walk the five steps as a browser does; raises when a step does not lead to the next."""
    with Browser(link.partition("/s/")[0]) as browser:
        page = browser.get(link)
        fields = dict(_FIELD.findall(page.text)) | {"secret": secret}
        page = _ends_at(browser.post(page.url, fields), "/password")
        fields = dict(_FIELD.findall(page.text)) | {"password": password}
        _ends_at(browser.post(page.url, fields), "/done")


def _ends_at(page: Page, path: str) -> Page:
    if page.url != path:
        raise RuntimeError(f"expected {path}, got {page.url}")
    return page


def _floor(folder: Path) -> tuple[subprocess.Popen[bytes], Server]:
    process, url = serve("bench.floor", {"FLOOR_FOLDER": str(folder)}, answers_at="step")

    def run() -> None:
        with Browser(url) as browser:
            for step in ("step", "step", "step", "hash", "step"):
                browser.get(f"/{step}")

    return process, Server(psutil.Process(process.pid), run)


def serve(
    module: str, settings: dict[str, str], *arguments: str, answers_at: str, workers: int = 1
) -> tuple[subprocess.Popen[bytes], str]:
    """Prepare and start a server beside ours: `python -m MODULE ARGUMENTS…`, then the same gunicorn."""
    port = free_port()
    environment = os.environ | settings
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "gunicorn", module, "--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    options = ["--threads", "8", "--no-control-socket", "--log-level", "error"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, env=environment)
    url = f"http://localhost:{port}"
    _wait_for(f"{url}/{answers_at}")
    return process, url


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            requests.get(url, timeout=2)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{url} did not come up")
