"""What the documentation names must exist, and what it lists must be the whole list."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from accounts.retention import RULES
from migration.imports import csv_file, passwd_file
from migration.imports.rows import COLUMNS
from migration.models import Push
from migration.states import TRANSITIONS

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
RECORDS = sorted(DOCS.glob("decisions/[0-9]*.md"))

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_in(page: Path) -> str:
    return "\n".join(_CODE.findall(text_of(page)))


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(prose)}


def table(page: Path, name: str) -> list[list[str]]:
    """The cells of the table between <!-- name --> and <!-- /name -->, without its two first lines."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text_of(page), re.DOTALL)
    assert found, f"{page.name} has no table {name}"
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found[1].splitlines()[2:]]


def words_in(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def block(page: Path, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", text_of(page), re.DOTALL)
    assert found, f"{page.name} has no example of {language}"
    return found[1]


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    dead = []
    for link in _LINK.findall(_CODE.sub("", text_of(document))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        there = (document.parent / path).resolve() if path else document
        if not there.exists() or (fragment and fragment not in anchors(there)):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_command_and_setting_named_exists(document: Path) -> None:
    code = code_in(document)
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    settings = set(re.findall(r"^#?(PORTAL_\w+)=", text_of(ROOT / ".env.example"), re.MULTILINE))
    settings |= set(re.findall(r"PORTAL_TEST_\w+", text_of(ROOT / "tests/contract/test_real_mailcow.py")))
    named = set(re.findall(r"PORTAL_[A-Z_]*[A-Z](?!\w|\*|_\*)", code)) - settings

    assert set(re.findall(r"\bmake ([a-z-]+)", code)) - targets == set()
    assert set(re.findall(r"manage\.py ([a-z_]+)", code)) - set(get_commands()) == set()
    assert {name.removesuffix("_FILE") for name in named} - settings == set()


def test_the_states_of_the_map_are_those_of_the_code() -> None:
    drawn = {
        verb.strip("`"): (set(start.split(", ")), end)
        for verb, start, end, _who in table(DOCS / "architecture.md", "states")
    }

    assert drawn == {verb: ({str(s.value) for s in start}, end.value) for verb, (start, end) in TRANSITIONS.items()}


@pytest.mark.parametrize("room", ["portal", "accounts", "migration"])
def test_every_module_has_its_line_on_the_map(room: str) -> None:
    section = text_of(DOCS / "architecture.md").partition(f"\n### {room}\n")[2].partition("\n##")[0]
    modules = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py", "apps.py"}
    folders = {f"{path.parent.name}/" for path in (ROOT / room).glob("*/__init__.py")} - {"migrations/"}

    assert {name for name in modules | folders if f"`{name}`" not in section} == set()


def test_every_reason_of_a_push_has_a_next_step() -> None:
    named = [reason for row in table(DOCS / "operations.md", "reasons") for reason in re.findall(r"`(\w+)`", row[0])]

    assert sorted(named) == sorted(Push.Reason.values)


def test_every_rule_of_the_retention_has_its_line() -> None:
    assert [row[0].strip("`") for row in table(DOCS / "security.md", "retention")] == [rule.code for rule in RULES]


def test_the_columns_of_an_import_are_described() -> None:
    assert tuple(row[0].strip("`") for row in table(DOCS / "import-format.md", "columns")) == COLUMNS


def test_the_examples_of_an_import_can_be_imported() -> None:
    page = DOCS / "import-format.md"
    as_table = csv_file.parse(block(page, "csv").encode())
    as_passwd = passwd_file.parse(block(page, "passwd").encode(), domain="kunde.example")

    assert (as_table.errors, as_table.notes, len(as_table.rows), len(as_table.aliases)) == ([], [], 3, 2)
    assert (as_passwd.errors, as_passwd.notes, len(as_passwd.rows)) == ([], [], 2)
    assert as_passwd.rows[0].quota_mib == 5120


def test_every_test_named_by_the_threat_table_exists() -> None:
    where = {"i/": "integration/", "u/": "unit/"}
    named = re.findall(r"`((?:i/|u/|contract/|faults/|e2e/|property/)[\w.]*)`", text_of(DOCS / "security.md"))
    paths = [ROOT / "tests" / (where.get(name[:2], name[:2]) + name[2:]) for name in named if len(name) > 2]

    assert [str(path) for path in paths if not path.exists()] == []


def test_decisions_are_numbered_without_gaps_and_tell_their_price() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))
    for path in RECORDS:
        text = text_of(path)
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Choice", "Price"], path.name
        assert f"]({path.name})" in text_of(DOCS / "decisions" / "README.md"), path.name
