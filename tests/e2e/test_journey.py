"""The journey that `make demo-check` drives, on whichever database and broker the tests run on."""

from pathlib import Path

from playwright.sync_api import Browser

from sandbox.check import drive
from sandbox.stack import Stack


def test_from_the_mail_in_the_old_mailbox_to_a_password_mailcow_takes(chromium: Browser, stack: Stack) -> None:
    held = list(drive(chromium, stack))

    assert len(held) == 4


def test_the_worker_alone_knows_mailcows_key(stack: Stack) -> None:
    key = stack.secret("mailcow_api_key")
    for name in ("web", "beat", "worker"):
        environment = Path(f"/proc/{stack.processes[name].pid}/environ").read_bytes().decode()
        assert key not in environment
        assert ("MAILCOW_API_KEY" in environment) == (name == "worker")
