"""What one delivery costs the database, however full the outbox is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration import pushes
from migration.models import Mailbox, Push
from sandbox.mailcow import MailcowStandIn
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
# Claim: BEGIN, the target's row, what is next, the claim, COMMIT. The note that a write begins. Settle: BEGIN, is it
# the newest, the push, its event, the mailbox, its event, COMMIT.
STATEMENTS = 5 + 1 + 7


def queue(mailcow: MailcowStandIn, count: int) -> None:
    for _ in range(count):
        box = factories.make_mailbox(state=Mailbox.State.PASSWORD_SET)
        mailcow.add_mailbox(box.address)
        factories.make_push(box, password_hash=factories.HASH)


def statements(*, at_most: int) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert pushes.work(at_most=at_most) == at_most
    return [query["sql"] for query in captured.captured_queries]


def test_each_further_delivery_costs_as_many_statements(mailcow: MailcowStandIn) -> None:
    queue(mailcow, 8)
    pushes.work(at_most=1)

    one, three = statements(at_most=1), statements(at_most=3)

    assert len(three) - len(one) == 2 * STATEMENTS


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL decides by the size of the table")
def test_what_comes_next_is_found_without_reading_the_whole_outbox(mailcow: MailcowStandIn) -> None:
    queue(mailcow, 3)
    [claim] = [sql for sql in statements(at_most=1) if "payload" in sql and sql.startswith("SELECT")]

    with connection.cursor() as cursor:
        plan = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {claim}").fetchall()]

    assert any("INDEX push_due" in step for step in plan)
    assert [step for step in plan if step.startswith("SCAN p") or "TEMP B-TREE" in step] == []


def test_the_object_a_worker_holds_is_as_the_row(mailcow: MailcowStandIn) -> None:
    queue(mailcow, 1)
    claimed = pushes.claim()

    assert claimed
    row = Push.objects.select_related("mailbox__domain").get()
    for name in ("version", "state", "reason", "attempts", "created_at", "write_open_at", "from_backup", "lease"):
        assert getattr(claimed, name) == getattr(row, name), name
    assert bytes(claimed.payload or b"") == bytes(row.payload or b"")
    assert claimed.mailbox.address == row.mailbox.address
