"""Processes of one stack: start, wait for, kill and stop them, and read what they wrote."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import requests

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40
STOP_SECONDS = 20


def free_port() -> int:
    """A TCP port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class StackError(Exception):
    """A part did not start; the message says which and shows the end of its log."""


@dataclass
class Processes:
    """Named processes, each in a session of its own, with a log below `folder`. Leaving the `with` ends them."""

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self, name: str, *module: str, environment: dict[str, str]) -> None:
        """Start `python -m MODULE…` with this environment."""
        command = [sys.executable, "-m", *module]
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End a part at once, with everything it started, as a power cut would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ask every part to end, and kill what has not after a while."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()

    def dead(self) -> str | None:
        """The name of a part that has ended by itself, or None."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def log(self, name: str) -> str:
        """What a part has written so far."""
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def wait_for(self, name: str, url: str) -> None:
        """Wait until the part answers there. Raises StackError with the end of its log when it does not."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.processes[name].poll() is not None:
                break
            try:
                if requests.get(url, timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise StackError(f"{name} did not start:\n{self.log(name)[-2000:]}")
