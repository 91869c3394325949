"""kombu's filesystem broker, made safe for a reader that looks while a message is being written.

kombu gives a message its name before its content. A reader that takes it in between finds an empty file, and Celery's
consumer ends on what it cannot read: a worker that is there and does nothing. Here a message gets its name when it is
whole, is taken by one rename within the folder, and one that cannot be read all the same (a full disk, a power cut) is
dropped: the outbox row is the job, and the sweep rings again.
"""

import json
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

log = structlog.get_logger(__name__)


class Channel(filesystem.Channel):
    """Messages are files `<milliseconds>_<uuid>.<queue>.msg`, as kombu names them; parts of one have other endings."""

    def _put(self, queue: str, message: Any, **_kwargs: Any) -> None:  # type: ignore[override] # two of its own differ
        """Put a message into the queue. Raises OSError when the disk does not take it."""
        whole = Path(self.data_folder_out, f"{time.time_ns() // 1_000_000:015}_{uuid.uuid4()}.{queue}.msg")
        part = whole.with_suffix(".part")
        part.write_text(dumps(message))
        part.rename(whole)

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - kombu names it
        """Take the oldest message. Raises Empty when there is none."""
        for path in sorted(Path(self.data_folder_in).glob("*.msg")):
            if path.name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = path.with_suffix(".taken")
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            text = taken.read_text(errors="replace")
            taken.unlink()
            try:
                return loads(text)
            except json.JSONDecodeError:
                log.warning("unreadable_message_dropped", message=path.name)
        raise Empty


class Transport(filesystem.Transport):
    """The filesystem transport with our channel."""

    Channel = Channel


def install() -> None:
    """Let `filesystem://` mean this transport."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
