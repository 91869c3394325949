"""The doorbell: tell a worker that an outbox row is waiting.

The row is the job. A lost, doubled or late message does no harm: the sweep finds due rows by itself. Tasks are called
by name, so that verbs need not know the tasks that call them.
"""

from functools import partial
from typing import Literal

import structlog
from celery import current_app
from celery.utils import uuid
from django.db import transaction

log = structlog.get_logger(__name__)

Task = Literal[
    "deliver_push",
    "send_mail",
    "send_mails",
    "work_import",
    "lift_ban",
    "check_target",
    "provision",
    "work_bulk",
    "check_dns",
]

# An unread message is worthless once the sweep has come round a few times.
EXPIRES_SECONDS = 300


def ring(task: Task, pk: int, *, after: float = 0) -> None:
    """Send the id of a row to a worker, after the transaction that made it due has committed.

    The worker begins `after` so many seconds.
    """
    transaction.on_commit(partial(_send, task, pk, after))


def _send(task: Task, pk: int, after: float) -> None:
    try:
        # What `send_task` does for a task without result or route, and without the half of its time that these need.
        amqp, name, seconds = current_app.amqp, f"migration.{task}", EXPIRES_SECONDS + after
        message = amqp.create_task_message(
            uuid(), name, (pk,), countdown=after or None, expires=seconds, ignore_result=True, argsrepr=f"({pk},)"
        )
        with current_app.producer_or_acquire() as producer:
            amqp.send_task_message(producer, name, message, retry=False, expiration=seconds)
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises, the saved row must stay saved
        log.warning("doorbell_failed", task=task, row=pk, error=type(error).__name__)
