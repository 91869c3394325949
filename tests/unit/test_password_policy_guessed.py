"""What is guessed first: the list of common passwords, and zxcvbn's score 0 with its advice."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from accounts import strength
from accounts.common_passwords import is_common
from accounts.password_policy import Policy
from tests.running import LEAVE_NOTHING_OUT

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = ROOT / "accounts" / "common_passwords.txt"
POLICY = Policy()


@pytest.mark.parametrize("password", ["Passwort1234", "sommer202612", "QWERTZ123456", "PASSWORT1234a", "Fußball123456"])
def test_the_whole_password_is_compared_in_any_case(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize(
    "password", ["", "Passwort1234-Dachs", "xPasswort1234", "passwort1234\npasswort1234a", "\n", "a" * 1024, "\ud800"]
)
def test_what_only_contains_a_common_password_is_not_on_the_list(password: str) -> None:
    assert not is_common(password)


def test_the_list_holds_thousands_that_keep_every_other_rule() -> None:
    entries = LIST.read_text(encoding="utf-8").splitlines()
    least = [entry for entry in entries if entry.isascii() and POLICY.least <= len(entry) <= POLICY.most]
    good = [entry for entry in least if not any(not rule.holds(_capitalised(entry)) for rule in POLICY.rules)]

    assert len(good) >= 50_000
    assert entries == sorted(set(entries))
    assert all(entry == entry.casefold() for entry in entries)


def test_the_list_is_what_its_script_makes_of_its_packages() -> None:
    if not (ROOT / "assets" / "node_modules").exists() and not LEAVE_NOTHING_OUT:
        pytest.skip("the German words are not here: `make meter` fetches them")
    script = [sys.executable, str(ROOT / "assets" / "make_common_passwords.py")]

    made = subprocess.run(script, capture_output=True, check=True).stdout

    assert made == LIST.read_bytes(), "run `make common-passwords`"


@pytest.mark.parametrize(
    ("password", "german"),
    [
        ("Aaaaaaaaaaa1", "wiederholt sich"),
        ("Trustno1Trustno1", "wiederholt sich"),
        ("27<AFKPUZ_di", "wiederholt sich"),
        ("Internat1onal", "mehrere Wörter"),
    ],
)
def test_what_is_guessed_at_once_is_refused_with_advice(password: str, german: str) -> None:
    with override("de"):
        assert german in POLICY.broken(password)[0].sentence
    with override("en"):
        [rule] = POLICY.broken(password)
        assert rule.name == "guessable"
        assert "several words that do not belong together" in rule.sentence


def test_no_word_too_long_to_be_asked_about_is_guessed_within_a_thousand() -> None:
    first = [word for words in FREQUENCY_LISTS.values() for word in words[:1005]]

    assert max(len(word) for word in first) <= strength.LONGEST_ASKED


@given(
    st.lists(st.sampled_from(FREQUENCY_LISTS["passwords"][:500]), min_size=2, max_size=4), st.sampled_from(["", "-"])
)
def test_zxcvbn_would_refuse_none_that_it_is_not_asked_about(words: list[str], between: str) -> None:
    password = between.join(word.capitalize() for word in words)[:32]

    if len(strength.repeated(password)) > strength.LONGEST_ASKED:
        assert zxcvbn(password)["score"] > 0


def test_many_may_ask_at_once() -> None:
    passwords = ["Trustno1Trustno1", "tG7#kkq2Lw9x"] * 20
    answers: dict[int, str] = {}

    def ask(number: int) -> None:
        answers[number] = strength.advice(passwords[number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(passwords))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [bool(answers[number]) for number in range(len(passwords))] == [True, False] * 20


def _capitalised(entry: str) -> str:
    """The entry with its first letter as a capital."""
    return re.sub("[a-z]", lambda found: found[0].upper(), entry, count=1)
