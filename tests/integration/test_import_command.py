"""`manage.py import_mailboxes`, as an operator sees it on a terminal."""

import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from migration.imports.csv_file import MAX_BYTES
from migration.models import Alias, Customer, Domain, Event, ImportRun, Mailbox
from migration.secrets import Purpose, unseal
from sandbox.example.people import ALIASES, BAKERS, BAKERS_ALIASES, FIRST, PEOPLE, SECOND
from tests.factories import make_customer, make_domain, make_mailbox

pytestmark = pytest.mark.django_db

EXAMPLE = Path(__file__).parents[2] / "sandbox" / "example"
OLD = "{SSHA}mIhA0/SiY62UAsXvKWMqeXwFvJjYKaS8"
MD5 = "$1$o.43fH1c$EapKZBtK6ExFP3.hWba4e0"
DES = "{CRYPT}ab1cdefghijkl"
BROKEN = "{SSHA}dG9vc2hvcnRUT09TSE9SVA=="
CLEAR = "Geheimes-Passwort-1"
GOOD = f"address,name,password_hash\nanna@demo.example,Anna,{OLD}\nben@demo.example,Ben,{DES}\n"
BAD = GOOD + f"clara@demo.example,Clara,{BROKEN}\ndora@demo.example,Dora,{CLEAR}\nemil@other.example,,{MD5}\n"


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mailboxes.csv"
    path.write_text(GOOD, encoding="utf-8")
    return path


def run(*arguments: object, code: int = 0) -> tuple[str, str]:
    """What the command says on both streams; it must end with this exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_mailboxes", *[str(argument) for argument in arguments], stdout=out, stderr=err)
        ended = 0
    except CommandError as error:
        ended = error.returncode
        err.write(str(error))
    assert ended == code, err.getvalue()
    return out.getvalue(), err.getvalue()


def counted() -> list[int]:
    return [model.objects.count() for model in (Customer, Domain, Mailbox, Alias, Event, ImportRun)]


def test_a_good_file_goes_in_and_a_second_run_changes_nothing(domain: Domain, file: Path) -> None:
    first, errors = run(file, "--domain", "demo.example")
    second, _errors = run(file, "--domain", "demo.example")

    assert errors == ""
    assert "Imported: 2 new, 0 changed." in first
    assert "Imported: 0 new, 0 changed." in second
    assert {event.actor for event in Event.objects.filter(action="imported")} == {"command:import_mailboxes"}


def test_a_dry_run_shows_the_same_and_writes_nothing(domain: Domain, file: Path) -> None:
    make_mailbox("gone", domain=domain)
    make_mailbox("anna", domain=domain, name="Anna", legacy=MD5)
    before = counted()

    out, _errors = run(file, "--domain", "demo.example", "--dry-run")

    assert counted() == before
    assert "     2  anna@demo.example: old password\n" in out
    assert "     3  ben@demo.example\n" in out
    assert "        gone@demo.example\n" in out
    assert "Dry run: nothing was written." in out


def test_a_dry_run_does_not_even_create_the_domain(file: Path) -> None:
    arguments = (file, "--domain", "Demo.example", "--customer", "Demo GmbH", "--contact", "chef@demo.example")
    before = counted()

    run(*arguments, "--dry-run")
    assert counted() == before
    run(*arguments)

    domain = Domain.objects.select_related("customer").get()
    assert (domain.name, domain.customer.name, domain.customer.contact_email) == (
        "demo.example",
        "Demo GmbH",
        "chef@demo.example",
    )
    assert domain.mailboxes.count() == 2


def test_mistakes_are_named_by_line_and_the_good_rows_go_in(domain: Domain, file: Path) -> None:
    file.write_text(BAD, encoding="utf-8")

    _out, errors = run(file, "--domain", "demo.example", code=1)

    lines = errors.splitlines()
    assert lines[0].startswith(f"{file}:4: column “password_hash”: ")
    assert lines[1].startswith(f"{file}:5: column “password_hash”: ")
    assert lines[2].startswith(f"{file}:6: column “address”: ")
    assert lines[3] == "3 mistakes in the file."
    assert set(Mailbox.objects.values_list("local_part", flat=True)) == {"anna", "ben"}


def test_a_clash_with_what_we_have_is_a_mistake_too(domain: Domain, file: Path) -> None:
    Alias.objects.create(domain=domain, local_part="anna", goto="x@demo.example")

    _out, errors = run(file, "--domain", "demo.example", code=1)

    assert errors.startswith(f"{file}:2: column “address”: We have this address as an alias")
    assert Mailbox.objects.get().local_part == "ben"


def test_no_hash_and_no_password_is_ever_printed(
    domain: Domain, file: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(BAD, encoding="utf-8")
    make_mailbox("anna", domain=domain, legacy=MD5)

    said = "".join(run(file, "--domain", "demo.example", "--dry-run", "--verbosity", "3", code=1))
    said += "".join(run(file, "--domain", "demo.example", "--verbosity", "3", code=1))
    slipped = file.with_name("slipped.csv")
    slipped.write_text(f"{OLD},{CLEAR}\nanna@demo.example,{DES}\n", encoding="utf-8")
    said += "".join(run(slipped, "--domain", "demo.example", code=2))

    said += "".join(capfd.readouterr()) + caplog.text
    for secret in (OLD, MD5, DES, BROKEN, CLEAR):
        assert secret.rpartition("}")[2] not in said


def test_the_preview_fits_a_terminal_and_names_schemes(domain: Domain, file: Path) -> None:
    out, _errors = run(file, "--domain", "demo.example", "--dry-run")

    assert max(map(len, out.replace(str(file), "mailboxes.csv").splitlines())) <= 120
    assert max(len(line) for line in out.splitlines() if not line.startswith(str(file))) <= 80
    table = [line.split() for line in out.splitlines()]
    assert ["SSHA", "1", "can", "be", "checked"] in table
    assert ["DES-CRYPT", "1", "cannot", "be", "checked"] in table


def test_a_long_group_is_cut_unless_all_of_it_is_wanted(domain: Domain, file: Path) -> None:
    file.write_text("address\n" + "".join(f"m{n}@demo.example\n" for n in range(30)), encoding="utf-8")

    cut, _errors = run(file, "--domain", "demo.example", "--dry-run")
    whole, _errors = run(file, "--domain", "demo.example", "--dry-run", "--verbosity", "2")

    assert "… and 10 more" in cut
    assert "m29@demo.example" not in cut
    assert "m29@demo.example" in whole


def test_a_passwd_file_comes_through_stdin_in_the_encoding_that_is_named(
    domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = f"anna:{OLD}:::Jörg Müller::\n".encode("cp1252")

    def piped() -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    piped()
    _out, errors = run("-", "--domain", "demo.example", code=2)
    assert errors.startswith("-:1: ")
    piped()
    run("-", "--domain", "demo.example", "--format", "passwd", "--encoding", "cp1252")

    assert Mailbox.objects.get().name == "Jörg Müller"


def test_the_history_remembers_an_import_by_command_and_no_dry_run(domain: Domain, file: Path) -> None:
    run(file, "--domain", "demo.example", "--dry-run")
    assert not ImportRun.objects.exists()

    run(file, "--domain", "demo.example")

    held = ImportRun.objects.get()
    assert (held.file_name, held.file_format, held.actor) == ("mailboxes.csv", "csv", "command:import_mailboxes")
    assert (held.state, held.staged, held.summary["applied"]["new"]) == (ImportRun.State.APPLIED, None, 2)


def test_what_would_change_can_be_kept_as_a_table(domain: Domain, file: Path, tmp_path: Path) -> None:
    make_mailbox("anna", domain=domain, name="=1+1", legacy=MD5)
    table = tmp_path / "report.csv"

    run(file, "--domain", "demo.example", "--dry-run", "--report", table)

    lines = table.read_text(encoding="utf-8-sig").splitlines()
    assert "Changed;2;anna@demo.example;mailbox;name;'=1+1;Anna;" in lines
    assert "Changed;2;anna@demo.example;mailbox;old password;MD5-CRYPT;SSHA;" in lines
    assert not [secret for secret in (OLD, MD5, DES) if secret.rpartition("}")[2] in table.read_text()]
    _out, errors = run(file, "--domain", "demo.example", "--dry-run", "--report", tmp_path, code=2)
    assert "cannot be written" in errors


def test_ctrl_c_leaves_a_run_that_can_go_on(domain: Domain, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("rich.progress.Progress.update", interrupted)
        _out, errors = run(file, "--domain", "demo.example", code=130)
    held = ImportRun.objects.get()
    assert f"import_runs --resume {held.pk}" in errors
    assert not Mailbox.objects.exists()

    call_command("import_runs", "--resume", str(held.pk), stdout=io.StringIO())

    assert Mailbox.objects.count() == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--domain", "nodot"], "nodot is no domain."),
        (["--domain", "new.example"], "We have no domain new.example."),
        (["--domain", "new.example", "--customer", "Neu"], "--contact"),
        (["--domain", "new.example", "--customer", "Neu", "--contact", "nobody"], "--contact"),
        (["--domain", "demo.example", "--customer", "Neu"], "belongs to"),
    ],
)
def test_a_domain_or_customer_that_is_not_clear_is_refused(
    domain: Domain, file: Path, arguments: list[str], sentence: str
) -> None:
    before = counted()

    _out, errors = run(file, *arguments, code=2)

    assert sentence in errors
    assert counted() == before


def test_a_new_domain_of_a_known_customer_needs_no_contact(file: Path) -> None:
    make_customer(name="Demo GmbH", contact_email="eva@demo.example")

    run(file, "--domain", "demo.example", "--customer", "Demo GmbH")

    assert Domain.objects.get().customer.contact_email == "eva@demo.example"


def test_a_file_that_is_missing_or_too_big_is_refused(domain: Domain, tmp_path: Path) -> None:
    _out, errors = run(tmp_path / "nothing.csv", "--domain", "demo.example", code=2)
    assert "No such file" in errors

    big = tmp_path / "big.csv"
    with big.open("wb") as opened:
        opened.truncate(MAX_BYTES + 1)
    _out, errors = run(big, "--domain", "demo.example", code=2)
    assert "20 MB" in errors


def test_the_example_goes_in_with_its_forty_mailboxes() -> None:
    customer = ("--customer", "Sonnleitner", "--contact", "katharina@sonnleitner.example")
    for name, files in {FIRST: ["mailboxes.csv"], SECOND: ["passwd", "aliases.csv"]}.items():
        for each in files:
            _out, errors = run(EXAMPLE / each, "--domain", name, *customer)
            assert errors == ""

    assert Mailbox.objects.count() == len(PEOPLE) + len(BAKERS) == 40
    assert Alias.objects.count() == len(ALIASES) + len(BAKERS_ALIASES)
    for mailbox in Mailbox.objects.select_related("domain").filter(legacy_hash__isnull=False):
        assert unseal(Purpose.LEGACY_HASH, mailbox.address, mailbox.legacy_hash or b"")
    again, _errors = run(EXAMPLE / "passwd", "--domain", SECOND)
    assert "Imported: 0 new, 0 changed." in again
