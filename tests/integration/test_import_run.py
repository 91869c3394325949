"""An import from file to rows, as the auditor of the database sees it."""

import logging
import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from migration import kinds, mailboxes
from migration.imports import run
from migration.models import Alias, Domain, Event, Mailbox
from migration.secrets import Purpose, seal, unseal
from tests.factories import HASH, make_domain, make_mailbox

from .import_file import DES, MD5, OLD, alias, csv, read, row

pytestmark = pytest.mark.django_db
S = Mailbox.State


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


def bring_in(domain: Domain, *lines: str) -> run.Applied:
    return run.apply(domain, read(domain, *lines), actor="staff:eva@provider.example")


def old_hash(local_part: str) -> str | None:
    mailbox = Mailbox.objects.select_related("domain").get(local_part=local_part)
    return unseal(Purpose.LEGACY_HASH, mailbox.address, mailbox.legacy_hash).decode() if mailbox.legacy_hash else None


def test_a_row_becomes_a_mailbox_with_its_hash_sealed_and_an_event(domain: Domain) -> None:
    line = "Anna@DEMO.example,Anna Gruber,shared,chef@demo.example,en,2048,2026-03-31T08:15+02:00," + OLD + ","

    applied = bring_in(domain, line)

    mailbox = Mailbox.objects.get()
    assert applied == run.Applied(new=1)
    assert (mailbox.local_part, mailbox.name, mailbox.kind, mailbox.responsible, mailbox.language) == (
        "anna",
        "Anna Gruber",
        "shared",
        "chef@demo.example",
        "en",
    )
    assert (mailbox.quota_mib, mailbox.state, mailbox.legacy_scheme) == (2048, S.IMPORTED, "SSHA")
    assert f"{mailbox.source_login_at:%Y-%m-%d %H:%M %Z}" == "2026-03-31 06:15 UTC"
    assert OLD.encode() not in bytes(mailbox.legacy_hash or b"")
    assert old_hash("anna") == OLD
    event = mailbox.events.get()
    assert (event.action, event.actor, event.domain) == ("imported", "staff:eva@provider.example", domain)


def test_the_same_file_a_second_time_changes_nothing(domain: Domain) -> None:
    lines = [row("anna", OLD, name="Anna", quota="500"), row("ben", DES), row("shop", kind="machine"), alias("@", "x")]
    lines[3] = "@demo.example,,alias,,,,,,anna@demo.example ben@demo.example"
    assert bring_in(domain, *lines) == run.Applied(new=4)
    before = [list(model.objects.order_by("pk").values()) for model in (Mailbox, Alias, Event)]

    assert bring_in(domain, *lines) == run.Applied(unchanged=4)

    assert [list(model.objects.order_by("pk").values()) for model in (Mailbox, Alias, Event)] == before
    assert [item.address for item in run.preview(domain, read(domain, *lines)).unchanged] == [
        "anna@demo.example",
        "ben@demo.example",
        "shop@demo.example",
        "*@demo.example",
    ]


@pytest.mark.parametrize("state", [S.IMPORTED, S.INVITED, S.SIGNED_IN])
def test_a_changed_hash_reaches_a_mailbox_that_has_no_new_password(domain: Domain, state: S) -> None:
    mailbox = make_mailbox("anna", domain=domain, legacy=OLD, state=state)

    assert bring_in(domain, row("anna", MD5)).changed == 1

    mailbox.refresh_from_db()
    assert (old_hash("anna"), mailbox.legacy_scheme, mailbox.state) == (MD5, "MD5-CRYPT", state)
    event = mailbox.events.get()
    assert (event.action, event.detail) == ("updated", {"columns": ["password_hash"]})


@pytest.mark.parametrize("state", [S.PASSWORD_SET, S.ACTIVE, S.MOVED])
@pytest.mark.parametrize("kept", [True, False], ids=["old hash kept", "old hash erased"])
def test_a_completed_mailbox_never_gets_an_old_password_back(domain: Domain, state: S, *, kept: bool) -> None:
    mailbox = make_mailbox("anna", domain=domain, legacy=OLD if kept else None, state=state, version=3, epoch=2)

    assert bring_in(domain, row("anna", MD5)) == run.Applied(done=1)
    assert bring_in(domain, row("anna", MD5, name="Anna")) == run.Applied(changed=1)

    mailbox.refresh_from_db()
    assert old_hash("anna") == (OLD if kept else None)
    assert (mailbox.name, mailbox.state, mailbox.version, mailbox.epoch) == ("Anna", state, 3, 2)


def test_an_old_password_that_was_locked_since_is_forgotten(domain: Domain) -> None:
    bring_in(domain, row("anna", OLD), row("ben", OLD))

    assert bring_in(domain, row("anna", "!" + OLD), row("ben", OLD)) == run.Applied(changed=1, unchanged=1)

    assert (old_hash("anna"), old_hash("ben")) == (None, OLD)
    assert Mailbox.objects.get(local_part="anna").legacy_scheme == ""


def test_a_hash_that_cannot_be_unsealed_is_replaced(domain: Domain) -> None:
    mailbox = make_mailbox("anna", domain=domain, legacy=OLD)
    mailbox.legacy_hash = seal(Purpose.LEGACY_HASH, "ben@demo.example", OLD.encode())
    mailbox.save()

    assert bring_in(domain, row("anna", OLD)).changed == 1
    assert old_hash("anna") == OLD


def test_what_a_file_does_not_speak_of_stays(domain: Domain) -> None:
    bring_in(domain, row("shop", OLD, name="Shop", kind="machine", quota="700"), alias("info", "shop@demo.example"))

    applied = run.apply(domain, run.read(b"shop:{MD5}x" + b"\n", domain), actor="staff:eva")
    assert applied == run.Applied()  # a broken hash: an error, and nothing else
    parsed = run.read(f"shop:{MD5}::::::\nanna:\n".encode(), domain)
    preview = run.preview(domain, parsed)
    run.apply(domain, parsed, actor="staff:eva")

    shop = Mailbox.objects.get(local_part="shop")
    assert (shop.name, shop.kind, shop.quota_mib, old_hash("shop")) == ("Shop", "machine", 700, MD5)
    assert preview.gone == []


def test_a_guessed_kind_is_kept_with_its_reason_and_never_undoes_a_correction(domain: Domain) -> None:
    bring_in(domain, row("office"), row("anna"))
    office = Mailbox.objects.get(local_part="office")
    assert (office.kind, office.kind_reason) == ("shared", "shared_name")
    kinds.set_kind([office], Mailbox.Kind.PERSONAL, actor="staff:eva")

    assert bring_in(domain, row("office"), row("anna", kind="shared")) == run.Applied(changed=1, unchanged=1)

    assert set(Mailbox.objects.values_list("local_part", "kind", "kind_reason")) == {
        ("office", "personal", "corrected"),
        ("anna", "shared", "stated"),
    }


def test_used_size_and_forwards_are_taken_over_and_follow_the_file(domain: Domain) -> None:
    def with_forwards(used: str, forwards: str) -> run.Applied:
        content = f"address;used_mib;forwards\nanna@demo.example;{used};{forwards}\nben@demo.example;7;\n"
        return run.apply(domain, run.read(content.encode(), domain), actor="staff:eva")

    assert with_forwards("12", "x@b.example") == run.Applied(new=2)
    assert with_forwards("12", "x@b.example anna@demo.example") == run.Applied(unchanged=2)
    assert with_forwards("13", "a@b.example, x@b.example") == run.Applied(changed=1, unchanged=1)

    anna = Mailbox.objects.get(local_part="anna")
    assert (anna.used_mib, anna.forwards, anna.kind) == (13, "a@b.example,x@b.example", "outside")


def test_what_the_file_does_not_fill_starts_as_everywhere_else(domain: Domain) -> None:
    bring_in(domain, row("anna"))
    Mailbox.objects.create(domain=domain, local_part="ben")

    def start(local_part: str) -> dict[str, object]:
        values = dict(Mailbox.objects.values().get(local_part=local_part))
        assert values.pop("created_at") is not None
        return {name: value for name, value in values.items() if name not in ("id", "local_part")}

    assert start("anna") == start("ben")


def test_one_bad_row_in_a_hundred_stops_none_of_the_others(domain: Domain) -> None:
    lines = [row(f"m{number}", OLD, quota="none" if number % 100 == 50 else "100") for number in range(5000)]

    parsed = read(domain, *lines)
    applied = run.apply(domain, parsed, actor="staff:eva")

    assert [error.line for error in parsed.errors] == [number + 2 for number in range(50, 5000, 100)]
    assert {(error.column, error.code) for error in parsed.errors} == {("quota_mib", "quota")}
    assert applied.new == Mailbox.objects.count() == Event.objects.filter(action="imported").count() == 4950
    assert run.apply(domain, parsed, actor="staff:eva") == run.Applied(unchanged=4950)


def test_twice_as_many_rows_of_a_batch_cost_no_more_queries(domain: Domain) -> None:
    def queries(other: Domain, number: int, name: str) -> int:
        lines = [f"m{i}@{other.name},{name},,,,,,{OLD}," for i in range(number)]
        lines += [f"a{i}@{other.name},,alias,,,,,,{name}@{other.name}" for i in range(number)]
        parsed = run.read(csv(*lines), other)
        assert not parsed.errors
        with CaptureQueriesContext(
            connection,
        ) as captured:
            run.preview(other, parsed)
            run.apply(other, parsed, actor="staff:eva")
        return len(captured)

    other = make_domain()

    for name in ("first", "second"):  # all new, then all changed
        assert queries(domain, 20, name) == queries(other, 40, name)


def test_an_event_that_cannot_be_written_takes_its_batch_back(domain: Domain) -> None:
    parsed = read(domain, row("anna"))

    with pytest.raises(IntegrityError), transaction.atomic():
        run.apply(domain, parsed, actor=None)  # type: ignore[arg-type]

    assert not Mailbox.objects.exists()


def test_no_hash_reaches_an_event_or_a_log(domain: Domain, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bring_in(domain, row("anna", OLD), row("ben", DES), row("bad", OLD, quota="x"))
    bring_in(domain, row("anna", MD5), row("ben", OLD))

    told = str(list(Event.objects.values())) + caplog.text
    assert "import_applied" in caplog.text
    for stored in (OLD, MD5, DES):
        assert stored.rpartition("}")[2] not in told


@pytest.mark.django_db(transaction=True)
def test_imports_at_once_and_an_owner_at_the_door_do_not_get_in_each_others_way(domain: Domain) -> None:
    anna = make_mailbox("anna", domain=domain, legacy=OLD, state=S.SIGNED_IN)
    parsed = read(domain, row("anna", MD5), *(row(f"m{number}", OLD) for number in range(600)))
    applied: list[run.Applied] = []

    def bring_in_all() -> None:
        applied.append(run.apply(domain, parsed, actor="staff:eva"))

    def save() -> None:
        mailboxes.set_password(anna, password_hash=HASH, kept_old=False, submission=uuid.uuid4(), ip=None)

    def closing(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [
        threading.Thread(target=closing, args=[work]) for work in (bring_in_all, save, bring_in_all, bring_in_all)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    anna.refresh_from_db()
    assert (anna.state, anna.version) == (S.PASSWORD_SET, 1)
    assert (len(applied), sum(each.new for each in applied)) == (3, 600)
    assert Mailbox.objects.count() == 601
    assert Event.objects.filter(action="imported").count() == 600
