"""The invitations of a large domain, by workers killed with -9 again and again: nobody gets two, nobody is forgotten.

UMZUG_LONG=1 tries 20 seeds instead of 2.
"""

import asyncio
import email
import logging
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from migration import first_login as first_logins
from migration import mailboxes
from migration.mailings import outbox
from migration.models import Event, Mailing
from sandbox.processes import ROOT, free_port
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
SEEDS = range(20 if os.environ.get("UMZUG_LONG") else 2)
MAILS = 200
S = Mailing.State
# The dot has reached the server, and the note is not written: twice, so that every seed has it.
MOMENTS = ("mail", "rcpt", "dot", "dot", "reply", "statement", "statement", "statement")


class Sink:
    """An SMTP server that keeps what was handed in and kills the worker at a moment of a conversation."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []
        self.victim, self.moment, self.left = 0, "", 0

    def strike(self, victim: int, moment: str, after: int) -> None:
        """Kill this process at that moment, after so many more mails."""
        self.victim, self.moment, self.left = victim, moment, after

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        self.left -= 1
        self._kill("mail")
        envelope.mail_from = address
        return "250 2.1.0 ok"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        self._kill("rcpt")
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append((envelope.rcpt_tos[0], envelope.original_content))
        self._kill("dot")
        asyncio.get_running_loop().call_soon(self._kill, "reply")
        return "250 2.0.0 ok"

    def _kill(self, moment: str) -> None:
        if self.victim and moment == self.moment and self.left < 0:
            os.kill(self.victim, signal.SIGKILL)
            self.victim = 0


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    handler, port = Sink(), free_port()
    settings.SOURCE_SMTP_HOST, settings.SOURCE_SMTP_PORT = "127.0.0.1", port
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def environment(tmp_path: Path, settings: Any, sink: Sink) -> dict[str, str]:
    """For workers with the database of this test and a broker that nobody else reads."""
    assert sink
    return os.environ | {
        "PORTAL_DATABASE_URL": _database_url(),
        "PORTAL_BROKER_URL": "",
        "PORTAL_DATA_DIR": str(tmp_path),
        "PORTAL_MARK_FILE": settings.MARK_FILE,
        "PORTAL_SOURCE_SMTP_HOST": "127.0.0.1",
        "PORTAL_SOURCE_SMTP_PORT": str(settings.SOURCE_SMTP_PORT),
        "PORTAL_MAILS_PER_MINUTE": "10000",
        "PORTAL_LOG_LEVEL": "WARNING",
    }


def _database_url() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    server, _, options = os.environ["PORTAL_DATABASE_URL"].partition("?")
    return f"{server.rpartition('/')[0]}/{name}?{options}"


def queue() -> None:
    domain = factories.make_domain("demo.example")
    for _ in range(MAILS):
        mailboxes.invite(factories.make_mailbox(domain=domain), actor="staff:eva")


def invitations() -> Any:
    return Mailing.objects.filter(kind=Mailing.Kind.INVITATION)


def run_worker(environment: dict[str, str], *arguments: object) -> "subprocess.Popen[bytes]":
    due = outbox.due()
    command = [sys.executable, "-m", "tests.mail_worker", str(due[0]), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def work_to_the_end(environment: dict[str, str]) -> None:
    for _ in range(MAILS):
        if not outbox.due():
            return
        assert run_worker(environment).wait(timeout=60) == 0
    raise AssertionError("it never ends")


def time_passes() -> None:
    """So long that the leases of the dead are over, and what waits is due."""
    invitations().filter(state=S.SENDING).update(lease_until=F("lease_until") - timedelta(minutes=3))
    outbox.due()
    invitations().filter(state=S.WAITING).update(due_at=Now())


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_gets_two_invitations_and_what_nobody_knows_is_unclear(
    sink: Sink, environment: dict[str, str], seed: int
) -> None:
    queue()
    chance = random.Random(seed)

    for moment in chance.sample(MOMENTS, len(MOMENTS)):
        after = chance.randint(1, 15)
        process = run_worker(environment, *([chance.randint(20, 20 + 7 * after)] if moment == "statement" else []))
        sink.strike(process.pid, moment, after)
        assert process.wait(timeout=60) == -signal.SIGKILL, moment
        time_passes()
    work_to_the_end(environment)

    got = Counter(recipient for recipient, _content in sink.kept)
    ends = dict(invitations().values_list("recipient", "state"))
    unclear = {recipient for recipient, state in ends.items() if state == S.UNCLEAR}
    assert set(got.values()) == {1}
    assert {recipient for recipient, state in ends.items() if state == S.SENT} | unclear == set(ends)
    assert {recipient for recipient in ends if recipient not in got} <= unclear
    assert MOMENTS.count("dot") <= len(unclear) <= len(MOMENTS)
    told = Event.objects.filter(action__in=("mail_sent", "mail_unclear")).values_list("mailbox", flat=True)
    assert len(told) == len(set(told)) == MAILS


def test_the_password_in_a_mail_nobody_knows_of_opens_the_door(sink: Sink, environment: dict[str, str]) -> None:
    queue()
    process = run_worker(environment)
    sink.strike(process.pid, "dot", 5)
    assert process.wait(timeout=60) == -signal.SIGKILL
    time_passes()
    work_to_the_end(environment)

    (unclear,) = invitations().filter(state=S.UNCLEAR)

    (content,) = [content for recipient, content in sink.kept if recipient == unclear.recipient]
    body = email.message_from_bytes(content, policy=default).get_body(("plain",))
    assert body
    secret = next(line for line in body.get_content().split() if line.count("-") == 3 and len(line) == 19)
    assert first_logins.check(unclear.mailbox, secret) == unclear.first_login
