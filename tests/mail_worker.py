"""A mail worker in a process of its own: `python -m tests.mail_worker MAIL [STATEMENT]` does what one task does.

With a number it ends itself by kill -9 just before that many-th statement to the database.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django


def main(mail: str, *dies_at: str) -> None:
    """Send what is due the way this mail goes."""
    django.setup()
    from django.db import connection  # noqa: PLC0415

    from migration.tasks import send_mails  # noqa: PLC0415

    last, numbers = int(dies_at[0]) if dies_at else 0, itertools.count(1)

    def counted(execute: Callable[..., Any], *statement: Any) -> Any:
        if next(numbers) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*statement)

    with connection.execute_wrapper(counted):
        send_mails(int(mail))


if __name__ == "__main__":
    main(*sys.argv[1:])
