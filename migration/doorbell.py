"""The doorbell: tell a worker that an outbox row is waiting.

The row is the job. A lost, doubled or late message does no harm: the sweep finds due rows by itself. Tasks are called
by name, so that verbs need not know the tasks that call them.
"""

from functools import partial
from typing import Literal

import structlog
from celery import current_app
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
        current_app.send_task(
            f"migration.{task}",
            args=(pk,),
            countdown=after or None,
            expires=EXPIRES_SECONDS + after,
            ignore_result=True,
            retry=False,
        )
    except Exception as error:  # noqa: BLE001 - whatever the broker's client raises, the saved row must stay saved
        log.warning("doorbell_failed", task=task, row=pk, error=type(error).__name__)
