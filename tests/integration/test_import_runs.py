"""An import as work: at once or by a worker, killed and resumed, forgotten after a day."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from migration import import_runs, tasks
from migration.import_runs import Source
from migration.imports import report, run, staging
from migration.imports.run import Applied
from migration.models import Alias, Domain, Event, ImportPage, ImportRun, Mailbox
from tests.audit import unguarded
from tests.factories import make_domain, make_mailbox
from tests.racing import at_once

from .import_file import MD5, OLD, alias, read, row

pytestmark = pytest.mark.django_db

SOURCE = Source("boxes.csv", "csv", "staff:eva")
LINES = [row(f"m{number}", OLD) for number in range(7)] + [
    alias(f"a{number}", "m0@demo.example") for number in range(3)
]
State = ImportRun.State


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Iterator[None]:
    """Everything here is long, and a batch short; nobody answers the doorbell by himself."""
    monkeypatch.setattr(import_runs, "AT_ONCE", 3)
    monkeypatch.setattr(run, "BATCH", 2)
    with django_capture_on_commit_callbacks():
        yield


class Killed(BaseException):
    """What ends a worker, and is no error anybody catches."""


def compared(domain: Domain, *lines: str) -> ImportRun:
    held = import_runs.begin(domain, read(domain, *lines), SOURCE)
    if held.state == State.COMPARING:
        tasks.work_import(held.pk)
    return seen(held)


def confirmed(domain: Domain, *lines: str) -> ImportRun:
    held = compared(domain, *lines)
    assert import_runs.confirm(held, actor="staff:max")
    return seen(held)


def seen(held: ImportRun) -> ImportRun:
    return ImportRun.objects.get(pk=held.pk)


def lease_runs_out(held: ImportRun) -> None:
    ImportRun.objects.filter(pk=held.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def killed_after(held: ImportRun, batches: int) -> None:
    told = []

    def strike(applied: Applied) -> None:
        told.append(applied)
        if len(told) > batches:
            raise Killed

    with pytest.raises(Killed):
        import_runs.work(held.pk, told=strike)


def everything() -> dict[str, list[Any]]:
    return {
        "mailboxes": list(Mailbox.objects.order_by("local_part").values_list("local_part", "state", "legacy_scheme")),
        "aliases": list(Alias.objects.order_by("local_part").values_list("local_part", "goto")),
        "events": list(Event.objects.order_by("pk").values_list("action", "actor", "mailbox__local_part", "detail")),
    }


def test_a_short_file_is_compared_at_once(domain: Domain) -> None:
    held = import_runs.begin(domain, read(domain, row("anna")), SOURCE)

    assert (held.state, held.rows, held.summary["preview"]["new"]) == (State.PREVIEW, 1, 1)


def test_a_long_file_waits_for_a_worker_twice(domain: Domain) -> None:
    held = import_runs.begin(domain, read(domain, *LINES), SOURCE)
    assert (held.state, held.rows, held.summary) == (State.COMPARING, 10, {})

    tasks.work_import(held.pk)
    assert seen(held).state == State.PREVIEW
    import_runs.confirm(held, actor="staff:max")
    assert (seen(held).state, Mailbox.objects.count()) == (State.RUNNING, 0)

    tasks.work_import(held.pk)
    assert (seen(held).state, seen(held).staged, seen(held).lease) == (State.APPLIED, None, "")
    assert seen(held).summary["applied"]["new"] == 10
    assert {event.actor for event in Event.objects.all()} == {"staff:max"}


@pytest.mark.parametrize("batches", range(6))
def test_a_killed_worker_s_run_ends_as_if_nothing_had_happened(batches: int, domain: Domain) -> None:
    untouched = confirmed(domain, *LINES)
    tasks.work_import(untouched.pk)
    expected, counts = everything(), seen(untouched).summary["applied"]
    with unguarded():
        for model in (Event, Mailbox, Alias):
            model.objects.all()._raw_delete("default")
    held = confirmed(domain, *LINES)

    killed_after(held, batches)
    assert seen(held).summary.get("applied", {}).get("new", 0) == min(batches * 2, 7 + max(0, batches - 4) * 2)
    lease_runs_out(held)
    tasks.work_import(held.pk)

    assert everything() == expected
    assert (seen(held).state, seen(held).summary["applied"]) == (State.APPLIED, counts)


def test_two_workers_never_work_on_the_same_run(domain: Domain) -> None:
    held = confirmed(domain, *LINES)

    import_runs.work(held.pk, told=lambda _applied: import_runs.work(held.pk))

    assert Event.objects.filter(action="imported").count() == 7
    assert seen(held).summary["applied"]["new"] == 10


def test_who_lost_the_run_to_another_writes_nothing_more(domain: Domain) -> None:
    held = confirmed(domain, *LINES)

    def taken_over(applied: Applied) -> None:
        if applied.rows == 4:
            import_runs.work(held.pk, take_over=True)

    import_runs.work(held.pk, told=taken_over)

    assert (seen(held).state, seen(held).summary["applied"]["new"]) == (State.APPLIED, 10)
    assert Event.objects.filter(action="imported").count() == 7


def test_a_worker_that_is_tired_leaves_the_rest_to_the_next(domain: Domain) -> None:
    held = confirmed(domain, *LINES)

    import_runs.work(held.pk, tired_after=0)
    assert (seen(held).state, Mailbox.objects.count()) == (State.RUNNING, 2)
    assert list(import_runs.due()) == [held]
    tasks.work_import(held.pk)

    assert seen(held).state == State.APPLIED


def test_the_sweep_finds_a_run_nobody_works_on(domain: Domain, django_capture_on_commit_callbacks: Any) -> None:
    held = confirmed(domain, *LINES)
    with django_capture_on_commit_callbacks() as calls:
        tasks.sweep()
    assert [call.args[:2] for call in calls] == [("work_import", held.pk)]

    killed_after(held, 1)
    with django_capture_on_commit_callbacks() as calls:
        tasks.sweep()
    assert calls == []


def test_an_operator_resumes_a_run_by_hand(domain: Domain) -> None:
    held = confirmed(domain, *LINES)
    killed_after(held, 1)

    out = io.StringIO()
    call_command("import_runs", "--resume", str(held.pk), stdout=out)

    assert "Imported: 10 new, 0 changed." in out.getvalue()
    assert seen(held).state == State.APPLIED


def test_the_history_names_who_when_what_and_how_many(domain: Domain) -> None:
    held = confirmed(domain, *LINES)
    tasks.work_import(held.pk)
    out = io.StringIO()

    call_command("import_runs", stdout=out)

    assert out.getvalue().splitlines()[1].split() == [
        str(held.pk),
        f"{timezone.localtime(held.created_at):%Y-%m-%d}",
        f"{timezone.localtime(held.created_at):%H:%M}",
        "applied",
        "csv",
        *("10", "0", "0"),
        *("demo.example", "boxes.csv", "staff:eva"),
    ]


def test_what_is_over_cannot_be_resumed(domain: Domain) -> None:
    held = compared(domain, *LINES)
    for pk in (held.pk, 4711):
        with pytest.raises(CommandError) as refused:
            call_command("import_runs", "--resume", str(pk))
        assert refused.value.returncode == 2


def test_after_a_day_nothing_of_the_file_is_left(domain: Domain) -> None:
    held = confirmed(domain, *LINES)
    ImportRun.objects.update(created_at=timezone.now() - timedelta(days=1, seconds=1))

    tasks.work_import(held.pk)
    tasks.sweep()

    assert (seen(held).staged, ImportPage.objects.count(), Mailbox.objects.count()) == (None, 0, 0)


def test_what_was_discarded_is_never_compared_or_applied(domain: Domain) -> None:
    held = import_runs.begin(domain, read(domain, *LINES), SOURCE)

    assert import_runs.discard(held)
    assert not import_runs.discard(held)
    assert not import_runs.confirm(held, actor="staff:max")
    tasks.work_import(held.pk)

    assert (seen(held).state, seen(held).staged) == (State.DISCARDED, None)
    assert not ImportPage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_confirm_at_once_one_does(domain: Domain) -> None:
    held, said = compared(domain, *LINES), list[bool]()

    at_once(*[lambda: said.append(import_runs.confirm(held, actor="staff:max"))] * 8)
    at_once(*[lambda: import_runs.work(held.pk)] * 8)

    assert sorted(said) == [False] * 7 + [True]
    assert (seen(held).state, seen(held).summary["applied"]["new"]) == (State.APPLIED, 10)
    assert Event.objects.filter(action="imported").count() == 7


def test_the_report_tells_every_row_and_is_sealed(domain: Domain) -> None:
    make_mailbox("m0", domain=domain, name="Old name", legacy=MD5)
    make_mailbox("gone", domain=domain)

    held = compared(domain, *LINES, row("m9", "clear text"))
    told = list(report.table(held))

    assert len(told) == 1 + len(LINES) + 2
    assert ["Changed", "2", "m0@demo.example", "mailbox", "old password", "MD5-CRYPT", "SSHA", ""] in told
    assert ["Not in the file", "", "gone@demo.example", "mailbox", "", "", "", ""] in told
    assert not [page for page in ImportPage.objects.all() if b"demo.example" in bytes(page.sealed)]


def test_a_page_of_another_run_is_not_read(domain: Domain) -> None:
    one, two = compared(domain, *LINES), compared(domain, *LINES)
    for page in one.pages.all():
        one.pages.filter(pk=page.pk).update(sealed=two.pages.get(group=page.group, number=page.number).sealed)

    assert report.entries(one, "new", 0) == []
    assert len(report.entries(two, "new", 0)) == 10


def test_a_run_whose_key_has_left_is_left_alone(domain: Domain) -> None:
    held, other = confirmed(domain, *LINES), compared(domain, *LINES)
    ImportRun.objects.filter(pk=held.pk).update(staged=other.staged)

    tasks.work_import(held.pk)

    assert staging.held(seen(held)) is None
    assert not Mailbox.objects.exists()
