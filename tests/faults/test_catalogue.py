"""The catalogue of faults is whole and true: every test it names exists, every drill is written down."""

import ast
import re
from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
# Faults that exist although what they would befall does not.
NOT_BUILT: set[int] = set()


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def test_all_faults_are_here() -> None:
    assert [fault.number for fault in FAULTS] == list(range(1, 39))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"F{fault.number}")
def test_every_fault_is_tried_or_says_why_not(fault: Fault) -> None:
    assert fault.tests or fault.drill or fault.gap
    assert bool(fault.tests) is (fault.number not in NOT_BUILT)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"F{fault.number}")
def test_every_test_named_exists(fault: Fault) -> None:
    named = [test.partition("::") for test in fault.tests]

    assert [name for file, _, name in named if name not in functions(ROOT / "tests" / file)] == []


def test_every_drill_is_written_down_and_no_other() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text()
    written = re.findall(r"^#+ (Drill: .+)$", operations, re.MULTILINE)

    assert sorted(fault.drill for fault in FAULTS if fault.drill) == sorted(written)


def test_the_page_has_a_line_for_each() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()

    assert [int(number) for number in re.findall(r"^\| F(\d+) \|", page, re.MULTILINE)] == list(range(1, 39))
