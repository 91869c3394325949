"""A push on its way to the stand-in, and the worker's hand."""

from datetime import timedelta

import pytest
from django.utils import timezone

from migration import delivery, pushes, schemes
from migration.models import Mailbox, Push
from migration.target import client
from sandbox.mailcow import MailcowStandIn
from tests.factories import make_push

PASSWORD = "Nussbaum-Kipferl-7"


@pytest.fixture
def push(mailcow: MailcowStandIn, mailbox: Mailbox) -> Push:
    mailcow.add_mailbox(mailbox.address)
    return make_push(mailbox, password_hash=schemes.make_hash(PASSWORD))


def deliver(push: Push) -> Push:
    """What a worker does when the bell rings, whether the row is due yet or not."""
    Push.objects.filter(pk=push.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    claimed = pushes.claim(push.pk)
    if claimed:
        delivery.deliver(claimed, client())
    push.refresh_from_db()
    push.mailbox.refresh_from_db()
    return push
