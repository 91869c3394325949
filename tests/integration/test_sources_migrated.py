"""What domains named of their old servers before those were rows of their own is still said after the update."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.processes import ROOT
from tests.servers import new_database

SETTINGS = ("mail.settings.example", 2525)
SERVERS: dict[str, list[Any]] = {
    "silent.example": ["", None],
    "one.example": ["alt.example", 25],
    "two.example": ["alt.example", 25],
    "other-port.example": ["alt.example", 587],
    "host-only.example": ["nur.example", None],
    "port-only.example": ["", 26],
    "as-settings.example": [*SETTINGS],
    "long.example": [f"{'a' * 60}.{'b' * 60}.example", 25],
    "long-too.example": [f"{'a' * 60}.{'b' * 60}.example", 587],
}
# The settings say what a domain left out.
SAID = SERVERS | {"host-only.example": ["nur.example", 2525], "port-only.example": ["mail.settings.example", 26]}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `tests.old_sources` tells of an update of these domains."""
    folder: Path = tmp_path_factory.mktemp("old")
    server = os.environ.get("PORTAL_DATABASE_URL", "")
    environment = os.environ | {
        "PORTAL_DATABASE_URL": new_database(server, "umzug_old") if server else f"sqlite:///{folder}/old.sqlite3",
        "PORTAL_SOURCE_SMTP_HOST": SETTINGS[0],
        "PORTAL_SOURCE_SMTP_PORT": str(SETTINGS[1]),
        "PORTAL_SOURCE_SMTP_SECURITY": "tls",
    }
    command = [sys.executable, "-m", "tests.old_sources"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=json.dumps(SERVERS), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_domains_with_the_same_server_share_one_and_the_settings_say_the_rest(told: Any) -> None:
    assert told["domains"] == SAID | {"silent.example": [None, None]}
    assert len(told["after"]) == len({tuple(server) for server in SAID.values()}) - 1
    assert {(security, user, pace) for _name, security, user, pace in told["after"]} == {("tls", "", None)}


def test_names_too_long_for_their_column_stay_apart(told: Any) -> None:
    names = [name for name, *_rest in told["after"]]

    assert max(map(len, names)) <= 80
    assert len([name for name in names if name.startswith("aaa")]) == 2


def test_the_way_back_says_the_same_in_the_old_columns(told: Any) -> None:
    assert told["back"] == SAID


def test_after_there_and_back_the_newest_schema_says_it_still(told: Any) -> None:
    # Its way back writes out what came from the settings, so only who named nothing has none.
    assert told["now"] == SAID | {"silent.example": [None, None]}
