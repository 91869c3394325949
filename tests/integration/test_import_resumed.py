"""An import that is stopped goes on where it was, and tells what changes from what to what."""

import pytest

from migration.imports import run
from migration.imports.run import Applied
from migration.models import Alias, Domain, Event, Mailbox
from tests.factories import make_alias, make_domain, make_mailbox

from .import_file import MD5, OLD, alias, csv, read, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 2)


LINES = [row(f"m{number}") for number in range(5)] + [alias(f"a{number}", "m0@demo.example") for number in range(3)]


@pytest.mark.parametrize("batches", range(1, 5))
def test_a_run_stopped_after_any_batch_ends_the_same_when_it_goes_on(batches: int, domain: Domain) -> None:
    parsed, told = read(domain, *LINES), list[Applied]()

    def until_tired(applied: Applied) -> bool:
        told.append(applied)
        return len(told) < batches

    stopped = run.apply(domain, parsed, actor="a", go_on=until_tired)
    ended = run.apply(domain, parsed, actor="a", applied=stopped)

    assert told[-1] == stopped
    assert stopped.rows < len(LINES)
    assert (ended, ended.rows) == (Applied(new=8), 8)
    assert (Mailbox.objects.count(), Alias.objects.count()) == (5, 3)
    assert Event.objects.filter(action="imported").count() == 5


def test_a_batch_that_cannot_be_noted_down_is_undone(domain: Domain) -> None:
    def lost(_applied: Applied) -> bool:
        raise LookupError

    with pytest.raises(LookupError):
        run.apply(domain, read(domain, *LINES), actor="a", go_on=lost)

    assert not Mailbox.objects.exists()
    assert not Event.objects.exists()


def test_the_preview_says_from_what_to_what_and_of_a_password_its_scheme(domain: Domain) -> None:
    make_mailbox("anna", domain=domain, name="Anna", quota_mib=100, legacy=OLD)
    make_alias("info", goto="anna@demo.example", domain=domain)
    changes = (row("anna", MD5, name="Anna Gruber"), alias("info", "anna@demo.example x@y.example"))

    preview = run.preview(domain, run.read(csv(*changes), domain))

    mailbox, info = preview.changed
    assert dict(zip(mailbox.columns, mailbox.values, strict=True)) == {
        "name": ("Anna", "Anna Gruber"),
        "password_hash": ("SSHA", "MD5-CRYPT"),
    }
    assert info.values == (("anna@demo.example", "anna@demo.example,x@y.example"),)
