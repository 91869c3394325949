"""A push on its way to the stand-in, the worker's hand, and the hand of the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from django.db.models import F
from django.utils import timezone

from migration import delivery, pushes, schemes
from migration.mailcow.client import Client
from migration.mailcow.replies import MailboxFacts
from migration.models import Event, Mailbox, Push, Target
from migration.target import client
from sandbox.mailcow import MailcowStandIn
from tests.audit import unguarded
from tests.factories import make_push

PASSWORD = "Nussbaum-Kipferl-7"
NEWER = "Apfel-Strudel-22"


@pytest.fixture
def push(mailcow: MailcowStandIn, mailbox: Mailbox) -> Push:
    mailcow.add_mailbox(mailbox.address)
    return make_push(mailbox, password_hash=schemes.make_hash(PASSWORD))


def deliver(push: Push, mailcow: Client | None = None) -> Push:
    """What a worker does when the bell rings, whether the row is due yet or not."""
    Push.objects.filter(pk=push.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    claimed = pushes.claim(push.pk)
    if claimed:
        delivery.deliver(claimed, mailcow or client())
    push.refresh_from_db()
    push.mailbox.refresh_from_db()
    return push


def save_newer(push: Push, password: str = NEWER) -> Push:
    """The owner saves another password: the outbox's part of it."""
    pushes.supersede_open(push.mailbox)
    return make_push(push.mailbox, password_hash=schemes.make_hash(password))


def time_passes(mailcow: MailcowStandIn | None = None, **how_long: float) -> None:
    """Everything recorded, here and at mailcow, is so much older."""
    past = timedelta(**how_long)
    times = ("due_at", "lease_until", "created_at", "delivered_at", "write_open_at")
    Push.objects.update(**{name: F(name) - past for name in times})
    Target.objects.update(probe_after=F("probe_after") - past)
    with unguarded():
        Event.objects.update(at=F("at") - past)
    if mailcow is None:
        return
    for watched in Push.objects.exclude(confirmed_update=""):
        Push.objects.filter(pk=watched.pk).update(confirmed_update=_earlier(watched.confirmed_update, past))
    for row in mailcow.mailboxes.values():
        row.attributes["passwd_update"] = _earlier(row.attributes["passwd_update"] or "", past)


def _earlier(text: str, past: timedelta) -> str:
    return str(datetime.fromisoformat(text) - timedelta(seconds=round(past.total_seconds())))


class Interrupted:
    """A worker's client that something happens to: before or after the n-th of its calls (look, write, read back)."""

    def __init__(self, at: int, happens: Callable[[], object], *, after: bool = False) -> None:
        self._at, self._happens, self._after = at, happens, after
        self._calls = 0
        self._client = client()

    @classmethod
    def client(cls, at: int, happens: Callable[[], object], *, after: bool = False) -> Client:
        return cast("Client", cls(at, happens, after=after))

    def mailbox(self, address: str) -> MailboxFacts:
        return cast("MailboxFacts", self._call(self._client.mailbox, address))

    def set_password(self, address: str, password_hash: str, *, attribute_hash: str) -> None:
        self._call(self._client.set_password, address, password_hash, attribute_hash=attribute_hash)

    def _call(self, verb: Callable[..., Any], *args: str, **kwargs: str) -> Any:
        self._calls += 1
        if self._calls == self._at and not self._after:
            self._happens()
        outcome = verb(*args, **kwargs)
        if self._calls == self._at and self._after:
            self._happens()
        return outcome
