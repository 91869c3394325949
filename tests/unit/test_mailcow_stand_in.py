"""The stand-in's own side: its page, its switches, its journal, its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import argon2
import pytest
import requests

from migration.mailcow.client import Client
from migration.mailcow.errors import MailcowError, Missing, Reason
from sandbox.mailcow import MailcowStandIn

ANNA = "anna@demo.example"
PASSWORD = "Ein-Apfel-am-Tag7"
HASH = "{ARGON2ID}" + argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def mailcow() -> Iterator[MailcowStandIn]:
    with MailcowStandIn() as mailcow:
        mailcow.add_mailbox(ANNA, password=HASH)
        yield mailcow


def post(mailcow: MailcowStandIn, path: str, document: Any) -> Any:
    return requests.post(f"{mailcow.url}/sandbox/{path}", json=document, timeout=5).json()


def test_stored_password_opens_the_mailbox_and_no_other_does(mailcow: MailcowStandIn) -> None:
    assert post(mailcow, "verify", {"address": ANNA, "password": PASSWORD})["success"] is True
    assert post(mailcow, "verify", {"address": ANNA, "password": PASSWORD + "x"})["success"] is False
    assert post(mailcow, "verify", {"address": "bert@demo.example", "password": PASSWORD})["success"] is False


@pytest.mark.parametrize("active", [0, 2])
def test_inactive_mailbox_opens_to_nobody(mailcow: MailcowStandIn, active: int) -> None:
    mailcow.mailboxes[ANNA].active = active

    assert mailcow.verify(ANNA, PASSWORD) is False


def test_login_is_seen_through_the_api(mailcow: MailcowStandIn) -> None:
    with Client(mailcow.url, mailcow.api_key) as client:
        assert client.mailbox(ANNA).last_imap_login is None

        assert post(mailcow, "login", {"address": ANNA, "service": "imap"})["success"] is True

        assert client.mailbox(ANNA).last_imap_login is not None
        assert client.mailbox(ANNA).last_pop3_login is None


def test_login_with_a_wrong_password_is_not_recorded(mailcow: MailcowStandIn) -> None:
    assert post(mailcow, "login", {"address": ANNA, "password": "wrong"})["success"] is False
    assert mailcow.mailboxes[ANNA].logins == {}


def test_journal_tells_two_hashes_apart_and_shows_neither(mailcow: MailcowStandIn) -> None:
    with Client(mailcow.url, mailcow.api_key) as client:
        client.set_password(ANNA, HASH, attribute_hash="")
        client.set_password(ANNA, HASH + "x", attribute_hash="")

    journal = requests.get(f"{mailcow.url}/sandbox/journal", timeout=5)

    assert [entry["scheme"] for entry in journal.json()] == ["{ARGON2ID}", "{ARGON2ID}"]
    assert len({entry["digest"] for entry in journal.json()}) == 2
    assert "$argon2" not in journal.text


def test_switch_turned_from_outside_acts_and_wears_off(mailcow: MailcowStandIn) -> None:
    post(mailcow, "faults", {"kind": "answer_500", "times": 2})
    with Client(mailcow.url, mailcow.api_key) as client:
        for _ in range(2):
            with pytest.raises(MailcowError) as caught:
                client.version()
            assert caught.value.reason is Reason.SERVER_ERROR

        assert client.version() == "2026-07a"


def test_switch_for_writes_leaves_reads_alone(mailcow: MailcowStandIn) -> None:
    mailcow.faults.empty_200(calls="write")

    with Client(mailcow.url, mailcow.api_key) as client:
        assert client.mailbox(ANNA).active == 1


@pytest.mark.parametrize("document", [{}, {"kind": "clear"}, {"kind": "_add"}, {"kind": "slow", "seconds": "x"}, [1]])
def test_unknown_switch_is_refused(mailcow: MailcowStandIn, document: Any) -> None:
    reply = requests.post(f"{mailcow.url}/sandbox/faults", json=document, timeout=5)

    assert reply.status_code == 400
    assert mailcow.faults.pending() == []


def test_page_lists_mailboxes_and_escapes_what_it_shows(mailcow: MailcowStandIn) -> None:
    mailcow.add_mailbox("<b>@demo.example", password="{<i>}x")

    page = requests.get(mailcow.url, timeout=5)

    assert ANNA in page.text
    assert "&lt;b&gt;@demo.example" in page.text
    assert "<b>" not in page.text
    assert "<i>" not in page.text
    assert HASH not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "style=" not in page.text
    assert "<script" not in page.text


def test_visitor_tries_a_password_on_the_page(mailcow: MailcowStandIn) -> None:
    form = {"address": ANNA, "password": PASSWORD}

    good = requests.post(f"{mailcow.url}/sandbox/verify", data=form, timeout=5).text
    bad = requests.post(f"{mailcow.url}/sandbox/verify", data={**form, "password": "wrong"}, timeout=5).text

    assert f"{ANNA}: opened by this password." in good
    assert f"{ANNA}: not opened by this password." in bad
    assert PASSWORD not in good


def test_button_leads_back_to_the_page(mailcow: MailcowStandIn) -> None:
    pressed = requests.post(f"{mailcow.url}/sandbox/faults", data={"kind": "wrong_key"}, timeout=5)

    assert pressed.status_code == 200
    assert pressed.url == f"{mailcow.url}/"
    assert "wrong_key: until switched off" in pressed.text


def test_form_of_another_site_is_not_taken(mailcow: MailcowStandIn) -> None:
    reply = requests.post(f"{mailcow.url}/sandbox/reset", headers={"Origin": "https://evil.example"}, timeout=5)

    assert reply.status_code == 404
    assert ANNA in mailcow.mailboxes


def test_control_side_is_closed_to_other_networks() -> None:
    with MailcowStandIn(control_networks=("192.0.2.0/24",)) as mailcow:
        assert requests.get(f"{mailcow.url}/sandbox/journal", timeout=5).status_code == 404
        assert requests.get(mailcow.url, timeout=5).status_code == 404


def test_state_and_switches_survive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with MailcowStandIn(state_file=file) as mailcow:
        mailcow.add_mailbox(ANNA)
        with Client(mailcow.url, mailcow.api_key) as client:
            client.set_password(ANNA, HASH, attribute_hash="")
        mailcow.faults.reject("password_complexity", times=3)

    with MailcowStandIn(state_file=file) as mailcow:
        assert mailcow.verify(ANNA, PASSWORD)
        assert len(mailcow.journal) == 1
        assert mailcow.faults.pending()[0]["times"] == 3
        assert file.stat().st_mode & 0o077 == 0


def test_reset_forgets_everything_but_the_key(mailcow: MailcowStandIn) -> None:
    post(mailcow, "reset", {})

    with Client(mailcow.url, mailcow.api_key) as client, pytest.raises(Missing):
        client.mailbox(ANNA)


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("AAAAAA-BBBBBB\n")
    command = [sys.executable, "-m", "sandbox.mailcow", "--port", "0", "--api-key-file", str(key_file)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [*command, "--state", str(tmp_path / "state.json")],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        with Client(url, "AAAAAA-BBBBBB") as client:
            found = client.version()
        process.terminate()

    assert found == "2026-07a"
    assert process.returncode == 0


def test_provisioning_speaks_as_mailcow_does(mailcow: MailcowStandIn) -> None:
    def write(path: str, document: Any) -> Any:
        headers = {"X-API-Key": mailcow.api_key}
        return requests.post(f"{mailcow.url}/api/v1/{path}", json=document, headers=headers, timeout=5).json()

    domain = write(
        "add/domain", {"domain": "new.example", "defquota": 50, "maxquota": 100, "quota": 1000, "key_size": 0}
    )
    box = {"local_part": "bert", "domain": "new.example", "quota": 50, "password": HASH, "password2": HASH}
    added, again = write("add/mailbox", box), write("add/mailbox", box)
    alias = write("add/alias", {"address": "info@new.example", "goto": "bert@new.example", "active": 1})

    assert domain[-1]["msg"] == ["domain_added", "new.example"]
    assert added[-1]["msg"] == ["mailbox_added", "bert@new.example"]
    assert again[0]["msg"] == ["object_exists", "bert@new.example"]
    assert alias[0]["msg"][:2] == ["alias_added", "info@new.example"]
    assert json.dumps(added).count(HASH) == 0
