"""Write docs/reliability.md from what the runs of `make faults` have told: `python -m tests.faults.report REPORT…`.

Reports of the same database are put together; of a test that is in several the last one counts.
"""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.catalogue import FAULTS, Fault

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
INVARIANTS = {
    "I1": "every password an owner saw as saved ends at mailcow, or a newer one of his does",
    "I2": "after a newer password no older one stays, nor appears unless its own write had an unknown outcome",
    "I3": "an invitation is accepted by the old server once at most",
    "I4": "no password, first-login password, key or hash can be read in database, logs or broker",
    "I5": "tries at the door are counted exactly; who has the link and its password gets in",
    "I6": "at most 4 calls follow the first that mailcow turned away, until somebody mends it",
    "I7": "each change of state has its one event, and the audit trail holds",
    "I8": "no owner and no stranger sees an error but the page that says to try again",
}
COUNTED = (
    "passwords saved",
    "tries to push",
    "troubles",
    "writes landed late",
    "requests of owners and strangers",
    "workers killed",
    "workers frozen",
)
HEAD = """# Reliability

What goes wrong, how it is tried, and what was measured. `make faults` makes the long run and writes this page anew;
`make test` tries the same with one seed. The catalogue is
[tests/faults/catalogue.py](../tests/faults/catalogue.py); `pytest -m "fault(number=14)"` runs the tests of one fault.

| Run | Seeds | Tests | Failed | Left out | Minutes of tests |
| --- | --- | --- | --- | --- | --- |
"""


WEATHER = """## A move in bad weather

Owners and strangers at the door, workers, support and both servers at once, with troubles drawn by a seed. mailcow
answers 500, HTML, nothing or “wrong key”; requests and replies are cut; writes are carried out up to 55 minutes late,
most of them over a newer password; workers are killed and frozen; the old server greylists and hangs up. Then nothing
goes wrong any more, 70 virtual minutes pass, and the database, mailcow's journal and the old mailboxes are compared.

The workers are four threads, each stopped at a chosen step of a push, or four real Celery processes (on PostgreSQL and
Valkey two workers of two pool processes each, else four workers of the embedded broker), which `kill -9`, `STOP` and
`CONT` reach at a seeded call to mailcow. Violations:
"""
CREWS = {
    "threads": "faults/test_seeded.py::test_whatever_goes_wrong_the_newest_password_arrives_and_every_step_is_told",
    "processes": "faults/test_seeded.py::test_with_real_workers_killed_and_frozen_the_same_holds",
}
MUTANT = "faults/test_seeded.py::test_mutant_that_does_not_settle_is_noticed"


def put_together(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One run for each database."""
    runs: dict[str, dict[str, Any]] = {}
    for report in told:
        run = runs.setdefault(report["where"], report | {"tests": []})
        ended = {test["test"] for test in report["tests"]}
        run["tests"] = [test for test in run["tests"] if test["test"] not in ended] + report["tests"]
    return list(runs.values())


def tests(run: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """What a run tells of these tests."""
    return [test for test in run["tests"] if test["test"].partition("[")[0] in names]


def run_line(run: dict[str, Any]) -> str:
    """How a run was, in short. So many seeds as were tried to their end with either crew."""
    told = Counter(test["outcome"] for test in run["tests"])
    seeds = min(len(tests(run, (test,))) for test in CREWS.values())
    minutes = sum(test["seconds"] for test in run["tests"]) / 60
    ended = told["passed"] + told["failed"]
    return f"| {run['where']} | {seeds} | {ended} | {told['failed']} | {told['skipped']} | {minutes:.1f} |"


def weather(runs: list[dict[str, Any]]) -> Iterator[str]:
    """The seeded move: violations of each invariant."""
    yield WEATHER
    columns = [(run, crew, test) for run in runs for crew, test in CREWS.items()]
    yield "| | " + " | ".join(f"{run['where']}, {crew}" for run, crew, _ in columns) + " |"
    yield "| --- |" + " --- |" * len(columns)
    moves = [
        [one["measured"] for one in tests(run, (test,)) if "violations" in one["measured"]] for run, _, test in columns
    ]
    yield "| seeds | " + " | ".join(str(len(of_one)) for of_one in moves) + " |"
    for name, words in INVARIANTS.items():
        found = [str(sum(move["violations"][name] for move in of_one)) for of_one in moves]
        yield f"| **{name}** {words} | " + " | ".join(found) + " |"
    for what in COUNTED:
        yield f"| {what} | " + " | ".join(str(sum(move.get(what, 0) for move in of_one)) for of_one in moves) + " |"
    slowest = [[move["p99"] for move in of_one] for of_one in moves]
    cells = [f"{statistics.median(of_one):.2f} s, {max(of_one):.2f} s" if of_one else "–" for of_one in slowest]
    yield "| p99 of these requests: median of the seeds, worst seed | " + " | ".join(cells) + " |"
    yield ""
    yield "That these figures can be other than 0 is tried too: with settling switched off the same move ends with"
    yield "older passwords. " + "; ".join(bites(runs)) + "."
    yield ""


def bites(runs: list[dict[str, Any]]) -> Iterator[str]:
    """How many moves noticed that the product was spoilt on purpose."""
    for run in runs:
        for one in tests(run, (MUTANT,)):
            yield f"{run['where']}: {one['measured'].get('mutant', 'not tried')}"


def fault_line(fault: Fault, runs: list[dict[str, Any]]) -> str:
    """One fault: how it is tried, how often it was, how often something was violated, and what was measured."""
    cells, measured = [], []
    for run in runs:
        told = tests(run, fault.tests)
        ended = [test for test in told if test["outcome"] != "skipped"]
        failed = sum(test["outcome"] == "failed" for test in ended)
        cells.append(f"{len(ended)} / {failed}" if ended else "–")
        found = [test["measured"][key] for test in ended if (key := f"F{fault.number}") in test["measured"]]
        measured += [f"{run['where']}: {', '.join(dict.fromkeys(found))}"] if found else []
    how = " and ".join(word for word in ("test" if fault.tests else "", "drill" if fault.drill else "") if word)
    notes = "; ".join([*measured, *([fault.gap] if fault.gap else [])])
    return f"| F{fault.number} | {fault.what} | {how or 'not tried'} | {' | '.join(cells)} | {fault.passes} | {notes} |"


def page(runs: list[dict[str, Any]]) -> str:
    """The whole page."""
    heads = " | ".join(f"{run['where']}: runs / failed" for run in runs)
    lines = [HEAD + "\n".join(run_line(run) for run in runs), "", *weather(runs), "## Fault by fault", ""]
    lines += [
        "A run is one test with one seed or one variant. What one database alone can show is left out on the other: –.",
        "The drills stand in [operations](operations.md#drills).",
        "",
        f"| | What goes wrong | How | {heads} | To reach | Measured, and what is not covered |",
        "| --- | --- | --- |" + " --- |" * (len(runs) + 2),
        *(fault_line(fault, runs) for fault in FAULTS),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    runs = put_together([json.loads(Path(name).read_text()) for name in sys.argv[1:]])
    PAGE.write_text(page(runs))
    sys.exit(any(test["outcome"] == "failed" for run in runs for test in run["tests"]))
