import subprocess
import sys
from pathlib import Path

import pytest

from migration import schemes
from migration.imports import csv_file, passwd_file
from migration.imports.rows import ParsedFile
from sandbox.example.people import ALIASES, BAKERS, BAKERS_ALIASES, FIRST, PEOPLE, SECOND

FOLDER = Path(__file__).parents[2] / "sandbox" / "example"
UNCHECKED = {"DES-CRYPT", "CRAM-MD5", "OTP"}


@pytest.fixture(scope="module")
def first() -> ParsedFile:
    return csv_file.parse((FOLDER / "mailboxes.csv").read_bytes()).for_domain(FIRST)


@pytest.fixture(scope="module")
def second() -> ParsedFile:
    return passwd_file.parse((FOLDER / "passwd").read_bytes()).for_domain(SECOND)


@pytest.fixture(scope="module")
def second_aliases() -> ParsedFile:
    return csv_file.parse((FOLDER / "aliases.csv").read_bytes()).for_domain(SECOND)


def test_the_example_can_be_imported_as_it_is(
    first: ParsedFile, second: ParsedFile, second_aliases: ParsedFile
) -> None:
    assert [str(error) for parsed in (first, second, second_aliases) for error in parsed.errors] == []
    assert (len(first.rows), len(second.rows), len(second_aliases.rows)) == (len(PEOPLE), len(BAKERS), 0)
    assert len(first.rows) + len(second.rows) == 40
    assert (len(first.aliases), len(second_aliases.aliases)) == (len(ALIASES), len(BAKERS_ALIASES))


def test_every_old_password_in_the_readme_is_the_one_behind_its_hash(first: ParsedFile, second: ParsedFile) -> None:
    for people, parsed in ((PEOPLE, first), (BAKERS, second)):
        for person, row in zip(people, parsed.rows, strict=True):
            assert row.address.local_part == person.local_part
            if row.legacy_hash:
                assert schemes.verify(row.legacy_hash, person.password), row.address
                assert not schemes.verify(row.legacy_hash, person.password + "x"), row.address
            else:
                assert not person.password or row.legacy_scheme in UNCHECKED


def test_the_example_shows_many_schemes_and_the_ones_that_cannot_be_checked(
    first: ParsedFile, second: ParsedFile
) -> None:
    rows = [*first.rows, *second.rows]

    assert len({row.legacy_scheme for row in rows if row.legacy_hash}) >= 14
    assert {row.legacy_scheme for row in rows if not row.legacy_hash} - {""} == UNCHECKED
    assert {note.code for note in (*first.notes, *second.notes)} == {"hash_unsupported", "hash_truncates"}


def test_every_alias_inside_leads_to_a_mailbox_there_is(
    first: ParsedFile, second: ParsedFile, second_aliases: ParsedFile
) -> None:
    mailboxes = {str(row.address) for row in (*first.rows, *second.rows)}
    targets = {target for alias in (*first.aliases, *second_aliases.aliases) for target in alias.goto}

    assert targets - mailboxes == {"sepp.sonnleitner@freemail.example"}


def test_every_responsible_person_has_a_mailbox(first: ParsedFile) -> None:
    mailboxes = {str(row.address) for row in first.rows}

    assert {row.responsible for row in first.rows} - {""} <= mailboxes
    assert all(row.responsible for row in first.rows if row.kind != "personal")


def test_the_readme_names_every_mailbox_and_says_it_is_a_demonstration() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert "demonstration data" in readme
    for person in (*PEOPLE, *BAKERS):
        assert f"| `{person.local_part}` | " in readme
        assert person.password in readme


def test_the_script_that_writes_the_example_starts_without_a_portal_around_it() -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import sandbox.example.make"],
        env={},
        cwd=FOLDER.parents[1],
        check=False,
        capture_output=True,
    )

    assert (started.returncode, started.stderr) == (0, b"")
