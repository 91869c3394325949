"""An import that dies anywhere and is run again ends as if it had never died.

UMZUG_LONG=1 tries 20 seeds instead of 3.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from migration.imports import run
from migration.models import Alias, Domain, Event, Mailbox
from migration.secrets import Purpose, unseal
from tests.factories import make_alias, make_domain, make_mailbox

from .import_file import MD5, OLD, alias, csv, row

# Real transactions: a process that dies takes back what it has not committed.
pytestmark = pytest.mark.django_db(transaction=True)
S = Mailbox.State
SEEDS = range(20 if os.environ.get("UMZUG_LONG") else 3)
LINES = [row(f"m{number}", OLD, name=f"Person {number}", quota="100") for number in range(60)]
LINES += [alias(f"a{number}", "m0@demo.example") for number in range(20)]


class Killed(BaseException):
    """Not an Exception: nothing may catch it and go on."""


class Killer:
    """Lets so many statements through to the database and no more."""

    def __init__(self, after: int = 10_000) -> None:
        self.left = after

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return execute(*statement)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH", 7)


def furnished(name: str) -> Domain:
    """A domain that has something of everything: to be changed, unchanged, done, in conflict and gone."""
    domain = make_domain(name)
    for number in range(0, 30, 3):
        make_mailbox(f"m{number}", domain=domain, name="Old", legacy=MD5)
    for number in range(1, 30, 6):
        make_mailbox(f"m{number}", domain=domain, state=S.ACTIVE, version=2, legacy=MD5)
    make_mailbox("gone", domain=domain)
    make_mailbox("a3", domain=domain)
    make_alias("a1", goto=f"old@{name}", domain=domain)
    make_alias("m5", goto=f"m6@{name}", domain=domain)
    return domain


def everything(domain: Domain) -> list[Any]:
    """All that an import may touch in the domain, without keys and times: they only tell who came when."""
    unlike = ("id", "domain_id", "_state", "_domain", "created_at", "legacy_hash")
    mailboxes = [
        {name: value for name, value in vars(mailbox).items() if name not in unlike}
        | {"old": unseal(Purpose.LEGACY_HASH, mailbox.address, mailbox.legacy_hash) if mailbox.legacy_hash else None}
        for mailbox in Mailbox.objects.filter(domain=domain).select_related("domain").order_by("local_part")
    ]
    aliases = [
        (local_part, goto.replace(domain.name, "…"))
        for local_part, goto in Alias.objects.filter(domain=domain)
        .order_by("local_part")
        .values_list("local_part", "goto")
    ]
    events = Event.objects.filter(domain=domain).values_list("action", "actor", "mailbox__local_part", "detail")
    return [mailboxes, aliases, sorted(map(str, events))]


def bring_in(domain: Domain, killer: Killer) -> None:
    content = csv(*LINES).decode().replace("demo.example", domain.name).encode()
    parsed = run.read(content, domain)
    with connection.execute_wrapper(killer):
        run.apply(domain, parsed, actor="staff:eva")


@pytest.mark.parametrize("seed", SEEDS)
def test_an_import_killed_anywhere_and_run_again_ends_the_same(seed: int) -> None:
    chance, undisturbed, killed = random.Random(seed), furnished("good.example"), furnished("demo.example")
    assert everything(killed) == everything(undisturbed)
    counter = Killer()
    bring_in(undisturbed, counter)
    statements = 10_000 - counter.left

    for _ in range(chance.randint(1, 3)):
        with pytest.raises(Killed):
            bring_in(killed, Killer(chance.randrange(statements // 2)))
    bring_in(killed, Killer())

    assert everything(killed) == everything(undisturbed)
    assert len(everything(killed)[2]) > 50


def test_an_import_killed_at_its_last_statement_keeps_the_batches_before() -> None:
    undisturbed, killed = furnished("good.example"), furnished("demo.example")
    counter = Killer()
    bring_in(undisturbed, counter)

    with pytest.raises(Killed):
        bring_in(killed, Killer(10_000 - counter.left - 1))

    mailboxes, aliases, events = everything(killed)
    assert mailboxes == everything(undisturbed)[0]
    assert len(aliases) == len(everything(undisturbed)[1]) - 6
    assert len(events) == len(everything(undisturbed)[2]) - 1
