"""The secrets of a new installation."""

import os
import stat
from pathlib import Path

from migration.secrets import parse_key_ring
from portal.new_secrets import write


def test_they_fit_together(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    write(folder)

    read = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert read["postgres_password"] in read["database_url"]
    assert read["redis_password"] in read["broker_url"]
    assert len(parse_key_ring(read["key_ring"])) == 1
    assert read["mailcow_api_key"] == ""


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    write(folder)
    before = {path.name: path.read_text() for path in folder.iterdir()}

    assert write(folder) == []

    assert {path.name: path.read_text() for path in folder.iterdir()} == before


def test_nobody_else_may_look_into_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    write(folder)

    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700  # noqa: PTH116 - the mode itself is meant
