"""One run goes through the whole table: a dry one tells what would go and writes nothing, a real one erases it once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from accounts import retention
from accounts.attempts import Attempts
from accounts.models import StaffSession
from accounts.tasks import erase
from migration.models import ApiToken, Ban, Event, ImportRun, Lifting, SourceLogin
from portal.log import strike_out_secrets
from tests import factories

from .contacts import make_review

pytestmark = pytest.mark.django_db

# So long ago that the database's clock, which nobody moves, lets go what is due by the moved one.
START = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def fill() -> None:
    """Something old for every rule."""
    make_review(factories.make_domain())
    mailbox = factories.make_mailbox(domain=factories.make_domain(cut_over_at=START), legacy="{SSHA512}x")
    factories.make_first_login(mailbox)
    factories.make_first_login(mailbox)
    factories.make_push(mailbox)
    Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=mailbox, ip="192.0.2.77")
    SourceLogin.objects.create(mailbox=mailbox, at=START, ip="192.0.2.77")
    ImportRun.objects.create(domain=mailbox.domain, file_name="x.csv")
    Ban.objects.create(network="192.0.2.1/32", until=START)
    Lifting.objects.create(network="192.0.2.1/32", asked_by="staff:eva@provider.example")
    mailbox.phone_codes.create(mac=b"", checked="contact")
    mailbox.notes.create(text="Ruft morgen an.", written_by="staff:eva@provider.example")
    mailbox.domain.bulk_runs.create(verb="exclude", reason="left", actor="staff:eva", chosen=1, ended_at=START)
    mailbox.domain.dns_checks.create(asked_by="staff:eva@provider.example", asked_at=START, checked_at=START)
    ApiToken.objects.create(name="wallboard", lookup="lookup-1", mac=b"", made_by="staff:eva", expires_at=START)
    Attempts.objects.create(bucket="network:192.0.2.1", count=1, since=START)
    Session.objects.create(session_key="a", session_data="", expire_date=START)
    StaffSession.objects.create(user=factories.make_staff(), session_key="a", since=START, seen_at=START)


def test_the_log_tells_how_many_rows_of_each_rule_went(clock: time_machine.Traveller) -> None:
    fill()
    clock.move_to(START + timedelta(days=400))

    with capture_logs(processors=[strike_out_secrets]) as lines:
        retention.run()

    [told] = [line["erased"] for line in lines if line["event"] == "retention"]
    assert {one["rule"]: one["rows"] for one in told}.items() >= {
        "pending_hash": 1,
        "legacy_hash": 1,
        "session": 1,
    }.items()


def test_dry_run_tells_what_would_go_and_writes_nothing(clock: time_machine.Traveller) -> None:
    fill()
    clock.move_to(START + timedelta(days=400))
    out = StringIO()

    with CaptureQueriesContext(connection) as queries:
        call_command("retention", "--dry-run", stdout=out)

    # DECLARE opens a cursor for reading, which PostgreSQL's driver does for long lists.
    assert {query["sql"].split()[0] for query in queries} <= {"SELECT", "DECLARE"}
    for rule in retention.RULES:
        assert f"       1  {rule.code} " in out.getvalue()


def test_daily_task_erases_all_of_it_once(clock: time_machine.Traveller) -> None:
    fill()
    clock.move_to(START + timedelta(days=400))
    foreseen = retention.run(dry_run=True)

    erase()

    assert set(foreseen.values()) == {1}
    # The event that tells of the erased hash is young; everything else is gone, and the cut address with its row.
    assert not any(retention.run(dry_run=True).values())
