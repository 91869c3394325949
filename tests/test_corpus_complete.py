"""Each row of the corpora of bad input has a test with its id, and each threat tests that exist."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from .threats import THREATS, Threat

ROOT = Path(__file__).resolve().parents[1]
# How many rows each corpus has, and the files that hold its tests.
CORPORA = {
    "S": (28, ["integration/test_sign_in_corpus.py", "integration/test_poisoned_hosts.py"]),
    "N": (
        30,
        [
            "integration/test_password_corpus.py",
            "integration/test_old_password.py",
            "integration/test_set_password.py",
            "integration/test_owner_session.py",
        ],
    ),
    "C": (22, ["integration/test_import_corpus.py"]),
    "R": (24, ["integration/test_push_replies.py", "unit/test_mailcow_replies.py", "integration/test_mail_outbox.py"]),
}


@cache
def collected() -> list[str]:
    """The names of the tests in these files as pytest runs them, with their parameters."""
    files = [f"tests/{file}" for _, files in CORPORA.values() for file in files]
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("letter", CORPORA)
def test_each_row_of_a_corpus_has_a_test_with_its_id(letter: str) -> None:
    rows, files = CORPORA[letter]
    names = [line.partition("::")[2] for line in collected() if line.startswith(tuple(f"tests/{one}" for one in files))]
    # `S18-other` or `C1 empty` as a parameter, also behind another one; `_s18` or `test_c11_` in a name.
    pattern = re.compile(rf"[\[-]{letter}(\d+)(?=[- \]])|_{letter.lower()}(\d+)(?=_|\[|$)")

    found = {int(a or b) for name in names for a, b in pattern.findall(name)}

    assert found == set(range(1, rows + 1))


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: f"T{threat.number}")
def test_each_threat_stands_in_the_table_and_its_tests_exist(threat: Threat) -> None:
    table = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = [test.partition("::") for test in threat.tests]

    assert f"\n| {threat.what} | " in table
    assert named
    assert [name for file, _, name in named if name not in functions(ROOT / "tests" / file)] == []


def test_no_threat_at_the_door_is_left_out() -> None:
    assert [threat.number for threat in THREATS] == [*range(1, 10), *range(13, 17)]
