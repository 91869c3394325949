"""Budgets under load: ten thousand tries of a stranger, and four processes that share one counter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from accounts import sign_in as door
from accounts.attempts import Attempts, Bucket, spend
from migration.models import Event, Mailbox
from tests import factories

ROOT = Path(__file__).resolve().parents[2]

NETWORKS, MAILBOXES = 500, 50
# What is counted is the same on both; a server on the other end of a socket only takes longer.
TRIES = {"sqlite": 10_000, "postgresql": 1_000}


def test_ten_thousand_tries_from_five_hundred_networks_open_nothing(db: None) -> None:
    domain = factories.make_domain("demo.example")
    boxes = [factories.make_mailbox(f"m{number}", domain=domain) for number in range(MAILBOXES)]
    invitations = [factories.make_first_login(box) for box in boxes]
    addresses = [box.address for box in boxes] + [f"nobody{number}@demo.example" for number in range(MAILBOXES)]
    tries, opened = TRIES[connection.vendor], 0

    for number in range(tries):
        # Another mailbox's right secret is the best guess a stranger can have.
        guess = invitations[(number + 1) % MAILBOXES][1]
        ip = f"198.{18 + number % 2}.{number % NETWORKS // 250}.{number % NETWORKS % 250}"
        answer = door.attempt(addresses[number % len(addresses)], guess, locator="", ip=ip)
        opened += not isinstance(answer, door.Refusal)

    assert opened == 0
    assert not Event.objects.filter(action=Event.Action.SIGNED_IN).exists()
    assert {row.count for row in Attempts.objects.filter(bucket__startswith="network:")} == {tries // NETWORKS}
    assert {row.count for row in Attempts.objects.filter(bucket__startswith="address:")} == {tries // len(addresses)}
    assert Attempts.objects.filter(bucket__startswith="all:").aggregate(sum=Sum("count"))["sum"] == tries
    assert {box.state for box in Mailbox.objects.all()} == {Mailbox.State.INVITED}


COUNTS = """
import django
django.setup()
from accounts.attempts import Bucket, spend
bucket = Bucket("network", "192.0.2.1")
for _ in range(25):
    spend(bucket)
"""


def address_of_the_tests_database() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    before, _, after = os.environ["PORTAL_DATABASE_URL"].partition("?")
    return f"{before.rpartition('/')[0]}/{name}" + (f"?{after}" if after else "")


@pytest.mark.django_db(transaction=True)
def test_four_processes_share_one_counter() -> None:
    environment = os.environ | {"PORTAL_DATABASE_URL": address_of_the_tests_database()}
    processes = [subprocess.Popen([sys.executable, "-c", COUNTS], cwd=ROOT, env=environment) for _ in range(4)]

    assert [process.wait(timeout=60) for process in processes] == [0] * 4

    bucket = Bucket("network", "192.0.2.1")
    assert spend(bucket)[bucket] == 101


def test_one_place_alone_looks_at_a_first_login_password() -> None:
    found = []
    for room in ("accounts", "migration", "portal"):
        for path in (ROOT / room).rglob("*.py"):
            found += [str(path.relative_to(ROOT))] * len(re.findall(r"\bfirst_logins?\.check\(", path.read_text()))

    assert found == ["accounts/sign_in.py"]
