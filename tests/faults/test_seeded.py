"""A move in bad weather, drawn by seeds: mailcow ends with what every owner saved last, and every step was told."""

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from migration import settling
from migration.models import Push
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost
from tests.audit import unguarded
from tests.faults import invariants, secrecy
from tests.faults.conftest import SEEDS
from tests.faults.crew import Threads
from tests.faults.door import CANARY, SECRET
from tests.faults.processes import RealWorkers
from tests.faults.proxy import Proxy
from tests.faults.scenario import Move
from tests.faults.watched import Watched

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
MAILBOXES, ROUNDS = 16, 6
FEW, SHORT = 8, 5
WEATHERS = 6
NOTHING: dict[str, list[str]] = {f"I{number}": [] for number in range(1, 9)}
Note = Callable[[str, object], None]


@pytest.fixture
def mailcow(settings: Any) -> Iterator[MailcowStandIn]:
    with Watched() as stand_in:
        settings.MAILCOW_URL, settings.MAILCOW_API_KEY = stand_in.url, stand_in.api_key
        yield stand_in


def moved(move: Move, rounds: int, settings: Any) -> Move:
    """So many rounds of weather, then quiet."""
    settings.MAILCOW_CALL_SECONDS = 0.5
    for _ in range(rounds):
        move.round()
    settings.MAILCOW_CALL_SECONDS = 60
    move.quieten()
    return move


def violations(move: Move, *logs: Path) -> dict[str, list[str]]:
    """Everything that does not hold."""
    door, mails = move.door, " ".join(mail.text for mail in move.host.mails())
    minted = set(SECRET.findall(mails))
    places = secrecy.of_this_test(*logs)
    secrets = (CANARY, move.mailcow.api_key, *minted, *(secret.replace("-", "") for secret in minted))
    return {
        "I1": list(invariants.newest_is_there(door.saved, move.mailcow)),
        "I2": list(invariants.no_older_one_returns(door.saved, move.mailcow)),
        "I3": list(invariants.no_invitation_twice(move.host)),
        "I4": list(secrecy.readable(places, *secrets)),
        "I5": list(invariants.every_try_is_counted(door)),
        "I6": list(invariants.few_calls_while_turned_away(move.mailcow)),
        "I7": [*invariants.one_event_for_each_change(), *invariants.audit_trail_holds()],
        "I8": list(invariants.no_error_at_the_door(door)),
    }


def note(record: Note, move: Move, found: dict[str, list[str]]) -> None:
    """What the report tells of this seed."""
    record("violations", {name: len(words) for name, words in found.items()})
    record("passwords saved", sum(len(versions) for versions in move.door.saved.values()))
    record("tries to push", sum(Push.objects.values_list("attempts", flat=True)))
    record("troubles", move.troubles)
    record("writes landed late", move.late_writes)
    record("requests of owners and strangers", len(move.door.answers))
    record("p99", round(statistics.quantiles([seconds for _, seconds in move.door.answers], n=100)[98], 3))


def test_whatever_goes_wrong_the_newest_password_arrives_and_every_step_is_told(
    seed: int,
    mailcow: Watched,
    wire: Proxy,
    host: MailHost,
    settings: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    record_property: Note,
) -> None:
    move = moved(Move(seed, mailcow, wire, host, Threads(mailcow), size=MAILBOXES), ROUNDS, settings)

    log = tmp_path / "logs" / "portal.log"
    log.parent.mkdir()
    log.write_text(caplog.text)
    found = violations(move, log.parent)

    note(record_property, move, found)
    assert found == NOTHING
    assert move.door.saved, "nobody saved anything: nothing was tried"


def test_with_real_workers_killed_and_frozen_the_same_holds(
    seed: int,
    mailcow: Watched,
    wire: Proxy,
    host: MailHost,
    settings: Any,
    tmp_path: Path,
    record_property: Note,
) -> None:
    workers = RealWorkers(tmp_path / "workers", mailcow, wire, host)

    with workers.at_work():
        move = Move(seed, mailcow, wire, host, workers, size=FEW)
        workers.finish()
        moved(move, SHORT, settings)
    found = violations(move, tmp_path / "workers")

    note(record_property, move, found)
    record_property("workers killed", workers.killed)
    record_property("workers frozen", workers.frozen)
    assert found == NOTHING
    assert move.door.saved, "nobody saved anything: nothing was tried"


def test_mutant_that_does_not_settle_is_noticed(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Note
) -> None:
    """The move bites: a product that never looks after a late write ends with older passwords, and it says so.

    Whether a late write meets a newer password is chance, and more so on a slow machine: there are several weathers.
    """
    monkeypatch.setattr(settling, "is_needed", lambda _push: False)
    noticed = []

    for weather in range(WEATHERS):
        noticed.append(_ends_with_an_older_password(weather, settings, tmp_path / str(weather)))
        if any(noticed) and SEEDS == 1:
            break

    record_property("mutant", f"{sum(noticed)} of {len(noticed)} moves notice it")
    assert any(noticed)


def _ends_with_an_older_password(weather: int, settings: Any, folder: Path) -> bool:
    """Whether the move of this weather says so; afterwards the database is as empty as before."""
    with (
        Watched() as mailcow,
        Proxy("127.0.0.1", int(mailcow.url.rpartition(":")[2])) as wire,
        MailHost(folder) as host,
    ):
        settings.MAILCOW_URL, settings.MAILCOW_API_KEY = wire.url, mailcow.api_key
        settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "127.0.0.1", host.smtp_port
        settings.SOURCE_SMTP_SECURITY = "none"
        # A database emptied since is older than the mark of the one before: nothing would be claimed from it.
        settings.MARK_FILE = str(folder.with_suffix(".mark"))
        move = moved(Move(weather, mailcow, wire, host, Threads(mailcow), size=MAILBOXES), ROUNDS, settings)
        older = list(invariants.newest_is_there(move.door.saved, mailcow))
    assert move.door.saved, "nobody saved anything: nothing was tried"
    with unguarded():
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
    return bool(older)
