"""A start with nonsense in the environment ends with a sentence that names the variable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
GOOD = {"PORTAL_SECRET_KEY": "x" * 60, "PORTAL_KEY_RING": f"k:{KEY}"}


def start(**settings: str) -> str:
    """Load the settings in a fresh process; returns the last line of what went wrong, or ""."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    done = subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        env=inherited | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def test_two_secrets_are_enough_to_start() -> None:
    assert start(**GOOD) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_ALLOWED_HOSTS", "*"),
        ("PORTAL_BASE_URL", "umzug.example"),
        ("PORTAL_KEY_RING", ""),
        ("PORTAL_KEY_RING", "k:short"),
        ("PORTAL_LEGACY_HASH", "maybe"),
        ("PORTAL_SOURCE_SMTP_PORT", "70000"),
        ("PORTAL_MAILCOW_WRITES_IN_FLIGHT", "9"),
        ("PORTAL_ARGON2_MEMORY_KIB", "1024"),
        ("PORTAL_PUSH_LEASE_SECONDS", "60"),
        ("PORTAL_SECRET_KEY_FILE", "/nowhere/at/all"),
    ],
)
def test_nonsense_is_refused_by_name(name: str, value: str) -> None:
    assert name.removesuffix("_FILE") in start(**GOOD | {name: value})


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_secret_is_named(name: str) -> None:
    assert name in start(**{key: value for key, value in GOOD.items() if key != name})


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    ring = tmp_path / "key_ring"
    ring.write_text(f"\n  k:{KEY}\n")

    assert start(PORTAL_SECRET_KEY="x" * 60, PORTAL_KEY_RING_FILE=str(ring)) == ""


def test_a_refusal_does_not_show_the_key() -> None:
    assert "c2hvcnQ" not in start(**GOOD | {"PORTAL_KEY_RING": "k:c2hvcnQ="})
