"""The examples of docs/api.md, each carried out against a running server, as a reader would."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from migration.api.problems import KINDS
from migration.models import ApiToken
from tests import factories
from tests.machines import Machine

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are for curl")
@pytest.mark.django_db(transaction=True)
def test_every_example_gets_the_answer_it_is_about(live_server: Any) -> None:
    factories.make_mailbox(domain=factories.make_domain("xn--bckerei-5wa.example"))
    surroundings = {"PATH": "/usr/bin:/bin", "PORTAL": live_server.url, "TOKEN": Machine().text}
    answers = []

    for example in EXAMPLES:
        done = subprocess.run(["sh", "-ec", example], env=surroundings, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), example
        answers.append(done.stdout)

    assert len(EXAMPLES) == 6
    told = [json.loads(part) for answer in answers if answer.startswith("{") for part in _documents(answer)]
    refused = [one for one in told if "status" in one and "title" in one]
    assert [one["status"] for one in refused] == [401]
    assert "304\n" in answers
    assert len(told) == 8


def _documents(text: str) -> list[str]:
    """The JSON documents one after the other."""
    decoder, found, at = json.JSONDecoder(), list[str](), 0
    while at < len(text):
        _value, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = end
    return found


def test_every_scope_and_every_status_has_its_line() -> None:
    assert [scope for scope in ApiToken.Scope if f"| `{scope}` |" not in PAGE] == []
    assert [status for status, _title in KINDS.values() if f"| {status} |" not in PAGE] == []
