"""Journeys per second against what Django ships for the same job, both answering the same number of owners at once."""

import itertools
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.stack import Stack

from .browser import Browser, Page
from .journey import serve, umzug
from .table import Row

AT_ONCE = 4
# As in the Dockerfile, on both sides: each process can use one core for Python.
WORKERS = 2
ROUNDS = 5
PER_ROUND = 32
# Both sides have sixteen threads, each with a first visit and a connection to its database of its own.
WARM_UP = 48
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def stock(*, hasher: str, name: str) -> Row:
    """A row: our journeys per second against stock Django's, which signs in and changes the password."""
    runs = WARM_UP + ROUNDS * PER_ROUND
    with tempfile.TemporaryDirectory(prefix="umzug-bench-") as folder, Stack(Path(folder, "umzug")) as stack:
        ours = umzug(stack, runs=runs, workers=WORKERS)
        settings = {"STOCK_FOLDER": folder, "STOCK_HASHER": hasher}
        process, url = serve("bench.stock", settings, str(runs), answers_at="login", workers=WORKERS)
        try:
            users = itertools.count()
            pair = (ours.run, lambda: change_password(url, next(users)))
            for run in pair:
                per_second(run, WARM_UP)
            rounds = [[per_second(run, PER_ROUND) for run in pair] for _ in range(ROUNDS)]
        finally:
            process.terminate()
            process.wait()
    value, against = (statistics.median(column) for column in zip(*rounds, strict=True))
    cost = "the same Argon2 cost" if hasher == "portal" else "its own Argon2 cost"
    return Row(name, value, against, "1/s", f"stock Django's sign-in and PasswordChangeView with {cost}")


def per_second(run: Callable[[], None], count: int) -> float:
    """How many runs a second, so many in all, AT_ONCE at a time."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as owners:
        for done in [owners.submit(run) for _ in range(count)]:
            done.result()
    return count / (time.perf_counter() - begun)


def change_password(url: str, number: int) -> None:
    """The same five steps on stock Django. Raises when one does not lead to the next."""
    old, new = f"first-login-password-{number}", f"Nussbaum-Kipferl-{number}"
    with Browser(url) as browser:
        page = browser.get("/login")
        fields = {"username": f"owner{number}", "password": old}
        page = browser.post(page.url, fields | _token(page))
        fields = {"old_password": old, "new_password1": new, "new_password2": new}
        page = browser.post(page.url, fields | _token(page))
        if page.url != "/done":
            raise RuntimeError(f"stock Django refused: {page.text[:500]}")


def _token(page: Page) -> dict[str, str]:
    found = _TOKEN.search(page.text)
    return {"csrfmiddlewaretoken": found[1] if found else ""}
