"""Settling: a late write of an older password must not win over the newest.

mailcow lets a request run for an hour. A write whose answer we did not get may thus be carried out after the newer
password was stored, and nothing in mailcow's API could tell it apart or call it back. So a write that is begun is noted
in `Push.write_open_at`, and the note is taken back only once the write is known to be over:

* mailcow itself has answered, be it with a refusal, an empty page or a crash: over;
* there was no connection: never begun;
* timeout, broken connection, 5xx or anything a proxy may have said for mailcow, and a worker that died or lost its
  claim meanwhile: may still be under way, for `UNDER_WAY` from its beginning.

Delivering the newest version while an *older version* of the mailbox has such a write does not end the push: it is
`settling`, counts as delivered, and keeps its payload. After each of `CHECKS` it is looked after: mailcow's
`passwd_update` is compared with what it was after the delivery, and the newest is written once more either way.
Changed: an event says so, and it is watched anew as long as an older write may be under way. Unchanged after the last
check: the payload is blanked. Writing even if nothing seems changed is meant: `passwd_update` counts whole seconds, and
two writes that waited for the same lock often end in the same one.

A version's own unclear tries need no watch, for they carry the same hash; every other delivery is blanked at once.
"""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from .mailcow.errors import MailcowError, Reason, Unknown
from .models import Event, Push

# mailcow's PHP and its proxy allow a request 3600 s; the rest is for queues on the way.
UNDER_WAY = timedelta(minutes=65)
# After the delivery: soon, because most late writes are minutes late, and when none can come any more.
CHECKS = (timedelta(minutes=5), UNDER_WAY)

_OVER = frozenset({Reason.UNREACHABLE, Reason.EMPTY, Reason.DATABASE, Reason.CRASH})


def may_be_under_way(error: MailcowError) -> bool:
    """Whether the write that ended with this error may still be carried out later."""
    return isinstance(error, Unknown) and error.reason not in _OVER


def is_needed(push: Push) -> bool:
    """Whether a write of an older version may still land on top of this one."""
    if push.version == 1:
        return False
    older = Push.objects.filter(mailbox=push.mailbox_id, version__lt=push.version)
    return older.filter(write_open_at__gt=Now() - UNDER_WAY).exists()


def watched(passwd_update: str) -> dict[str, Any]:
    """The columns of a delivered push that is watched from now on."""
    return {"state": Push.State.SETTLING, "confirmed_update": passwd_update, "due_at": Now() + CHECKS[0]}


def ended() -> dict[str, Any]:
    """The columns of a delivered push that nobody needs to watch."""
    return {"state": Push.State.DELIVERED, "confirmed_update": "", "payload": None}


def undisturbed(push: Push, passwd_update: str) -> dict[str, Any]:
    """The columns of one that had stayed and was written again: once more when no late write can come, or ended."""
    if Push.objects.filter(pk=push.pk, delivered_at__lte=Now() - CHECKS[-1]).exists():
        return ended()
    return watched(passwd_update) | {"due_at": F("delivered_at") + CHECKS[-1]}


def disturbed(push: Push) -> None:
    """Somebody wrote after the delivery, who cannot be told: the push is an ordinary one again."""
    push.confirmed_update = ""
    Event.record(Event.Action.SETTLE_REPUSH, actor="worker", mailbox=push.mailbox, version=push.version)
