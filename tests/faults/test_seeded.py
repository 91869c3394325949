"""A move in bad weather, drawn by seeds: mailcow ends with what every owner saved last, and every step was told."""

from collections.abc import Callable
from typing import Any

import pytest

from migration.models import Push
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost
from tests.faults import invariants
from tests.faults.proxy import Proxy
from tests.faults.scenario import Move

MAILBOXES, ROUNDS = 20, 9


@pytest.mark.django_db(transaction=True)
def test_whatever_goes_wrong_the_newest_password_arrives_and_every_step_is_told(
    seed: int,
    mailcow: MailcowStandIn,
    wire: Proxy,
    host: MailHost,
    settings: Any,
    record_property: Callable[[str, object], None],
) -> None:
    settings.MAILCOW_CALL_SECONDS = 1
    move = Move(seed, mailcow, wire, host, size=MAILBOXES)
    for _ in range(ROUNDS):
        move.round()
    settings.MAILCOW_CALL_SECONDS = 60
    move.quieten()

    violations = {
        "I1": list(invariants.newest_is_there(move.saved, mailcow)),
        "I2": list(invariants.no_older_one_returns(move.saved, mailcow)),
        "I3": list(invariants.no_invitation_twice(host)),
        "I7": list(invariants.one_event_for_each_change()),
    }

    record_property("violations", {name: len(found) for name, found in violations.items()})
    record_property("passwords saved", sum(len(versions) for versions in move.saved.values()))
    record_property("tries to push", sum(Push.objects.values_list("attempts", flat=True)))
    record_property("troubles", move.troubles)
    assert violations == {"I1": [], "I2": [], "I3": [], "I7": []}
    assert move.saved, "nobody saved anything: nothing was tried"
