"""Owners of a running stack, as many as a test needs, each with an invitation in hand."""

import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from bench.journey import sign_in_and_save
from sandbox.stack import ROOT, Stack

PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Owner:
    """Somebody who was invited, and the password he will choose."""

    stack: Stack
    address: str
    link: str
    secret: str
    password: str = field(default_factory=lambda: f"Pruefung{uuid.uuid4().hex}A1")

    def saves(self) -> "Owner":
        """Sign in and save the password; raises when a page does not lead on."""
        sign_in_and_save(self.link, self.secret, self.password)
        return self

    def gets_in(self) -> bool:
        """Whether the password opens the mailbox on mailcow."""
        asked = {"address": self.address, "password": self.password}
        answer = requests.post(f"{self.stack.mailcow}/sandbox/verify", json=asked, timeout=30)
        return bool(answer.json()["success"])


def invited(stack: Stack, count: int) -> list[Owner]:
    """So many owners of a domain of their own, whose mailboxes mailcow knows. Once a stack."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.prepare", str(count)],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    owners = []
    for number, (locator, secret) in enumerate(re.findall(r"^([\w-]{11}) ([\w-]{19})$", done.stdout, re.MULTILINE)):
        owners.append(Owner(stack, f"owner{number}@bench.example", f"{stack.portal}/s/{locator}", secret))
        added = {"address": owners[-1].address}
        requests.post(f"{stack.mailcow}/sandbox/mailbox", json=added, timeout=30).raise_for_status()
    return owners


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait, with much patience, for what must come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


def all_arrive(owners: list[Owner]) -> None:
    """Wait until every owner's password works on mailcow."""
    until(lambda: all(owner.gets_in() for owner in owners), "every password has arrived")
