"""The doorbell carries ids, rings after the commit, and may be broken."""

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kombu.pools
import pytest
from celery import current_app
from django.db import DatabaseError, connection, transaction
from structlog.testing import capture_logs

from migration import tasks
from migration.doorbell import ring
from migration.models import Event, Mailing, Push, Seal
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_mailbox, make_push

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Path]:
    """The embedded broker's folder, empty and our own."""
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "c")}
    before = current_app.conf.broker_url, current_app.conf.broker_transport_options
    use_broker("filesystem://localhost", options)
    yield tmp_path
    use_broker(*before)


def use_broker(url: str, options: dict[str, Any]) -> None:
    """Point Celery to another broker; it keeps open connections to the one before otherwise."""
    current_app.conf.update(broker_url=url, broker_transport_options=options)
    current_app._pool = current_app.amqp._producer_pool = None  # type: ignore[attr-defined]
    kombu.pools.reset()


def messages(queue: Path) -> list[Any]:
    read = [json.loads(path.read_text()) for path in sorted(queue.glob("*.msg"))]
    return [json.loads(base64.b64decode(message["body"]))[0] for message in read]


def test_it_rings_after_the_commit_and_not_before(queue: Path) -> None:
    with transaction.atomic():
        ring("deliver_push", 17)
        assert messages(queue) == []

    assert messages(queue) == [[17]]


def test_it_does_not_ring_for_what_was_rolled_back(queue: Path) -> None:
    def saving_fails() -> None:
        with transaction.atomic():
            ring("send_mail", 17)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        saving_fails()

    assert messages(queue) == []


def test_it_rings_in_any_thread(queue: Path) -> None:
    """gunicorn answers in threads, where Celery's current application is another one unless it was told."""

    def saving() -> None:
        ring("deliver_push", 4)
        connection.close()

    thread = threading.Thread(target=saving)
    thread.start()
    thread.join()

    assert messages(queue) == [[4]]


def test_a_broken_broker_does_no_harm(queue: Path) -> None:
    use_broker("redis://127.0.0.1:9/0", {"socket_connect_timeout": 1})

    ring("deliver_push", 17)

    assert messages(queue) == []


def due_rows() -> list[list[int]]:
    """A push and a mail wait; what the bell says for them, in order."""
    push = make_push(make_mailbox())
    mailing = Mailing.objects.create(
        kind=Mailing.Kind.PASSWORD_SAVED,
        domain=push.mailbox.domain,
        mailbox=push.mailbox,
        recipient=push.mailbox.address,
        language="de",
    )
    return sorted([[push.pk], [mailing.pk]])


def test_the_sweep_rings_for_what_is_due(queue: Path) -> None:
    due = due_rows()

    tasks.sweep()

    assert sorted(messages(queue)) == due


def test_a_part_of_the_sweep_that_fails_keeps_no_later_one_from_its_turn(queue: Path, mailcow: MailcowStandIn) -> None:
    due = due_rows()
    Event.record(Event.Action.PAUSED, actor="staff:eva@provider.example")

    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if "migration_importrun" in sql:
            raise DatabaseError("the table is broken")
        return execute(sql, *rest)

    with connection.execute_wrapper(broken), capture_logs() as lines, pytest.raises(DatabaseError, match="broken"):
        tasks.sweep()

    failed = [line["part"] for line in lines if line["event"] == "sweep_part_failed"]
    assert failed == ["import runs", "staged uploads"]
    assert sorted(messages(queue)) == due
    assert Seal.objects.exists()


def test_a_task_may_come_twice_or_for_nothing(queue: Path, mailcow: MailcowStandIn) -> None:
    push = make_push(make_mailbox())
    mailcow.add_mailbox(push.mailbox.address)

    for pk in (push.pk, push.pk, 999_999):
        tasks.deliver_push(pk)
        tasks.send_mail(pk + 999_999)

    push.refresh_from_db()
    assert push.state == Push.State.DELIVERED
    assert len(mailcow.journal) == 1


def take() -> Any:
    """The next message as a worker's consumer reads it, or None."""
    with current_app.connection() as connection, connection.SimpleQueue("celery") as waiting:
        try:
            message = waiting.get(block=False)
            message.ack()
            return message.payload[0]
        except waiting.Empty:
            return None


def test_a_message_cut_off_in_the_middle_does_not_end_the_worker(queue: Path) -> None:
    ring("deliver_push", 17)
    for content in ("", '{"body": "WzE3', "\x00\xff"):
        (queue / f"0_{len(content)}.celery.msg").write_text(content)

    assert take() == [17]
    assert take() is None


def test_a_message_is_not_read_before_it_is_whole(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen_in_between = []
    rename = Path.rename

    def look_first(path: Path, target: Path) -> Path:
        if path.suffix == ".part":
            seen_in_between.append(take())
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", look_first)
    ring("deliver_push", 17)

    assert seen_in_between == [None]
    assert take() == [17]


def test_a_queue_whose_name_ends_alike_keeps_its_messages(queue: Path) -> None:
    ring("deliver_push", 17)
    (message,) = queue.glob("*.msg")
    message.rename(queue / message.name.replace(".celery.", ".other.celery."))

    assert take() is None
