"""What owners wait for while mailcow is slow, and while somebody floods the sign-in: figures for the report."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice

import pytest
import requests

from sandbox.stack import Stack
from tests.faults.conftest import SEEDS
from tests.faults.owners import Owner, all_arrive
from tests.faults.visits import comes_and_saves, figures, guesses

pytestmark = pytest.mark.timeout(600)
OWNERS = 40 if SEEDS > 1 else 4
AT_ONCE = 4
FLOODERS = 8
GUESSES_OF_EACH = 25
WAVES = 10 if SEEDS > 1 else 1
Note = Callable[[str, object], None]


def come(owners: list[Owner], number: int) -> list[float]:
    """All come, some at once, each from a network of his own; how long each page took."""
    seconds: list[float] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [
            pool.submit(comes_and_saves, owner, f"127.0.{number}.{place + 1}", seconds)
            for place, owner in enumerate(owners)
        ]:
            done.result()
    return seconds


def test_while_mailcow_takes_seconds_for_each_call_owners_do_not_wait_for_it(
    stack: Stack, owners: Iterator[Owner], record_property: Note
) -> None:
    slow = {"kind": "slow", "seconds": 4, "times": 1000}
    requests.post(f"{stack.mailcow}/sandbox/faults", json=slow, timeout=5).raise_for_status()
    saved = list(islice(owners, OWNERS))

    seconds = come(saved, 2)
    requests.post(f"{stack.mailcow}/sandbox/faults/clear", timeout=5).raise_for_status()

    record_property("F16", figures(seconds))
    all_arrive(saved)


def test_while_somebody_floods_the_sign_in_owners_with_their_link_get_in(
    stack: Stack, owners: Iterator[Owner], record_property: Note
) -> None:
    saved = list(islice(owners, OWNERS))
    with ThreadPoolExecutor(FLOODERS) as flood:
        wrong = [
            flood.submit(partial(guesses, stack.portal, f"127.0.{3 + wave}.{number + 1}", GUESSES_OF_EACH))
            for wave in range(WAVES)
            for number in range(FLOODERS)
        ]
        seconds = come(saved, 2)

    answers = [status for one in wrong for status in one.result()]
    record_property("F34", f"{len(answers)} wrong tries; owners: {figures(seconds)}")
    assert set(answers) == {422}
    all_arrive(saved)
