"""Mutation test of the parser of mailcow's replies: `make mutants`.

mutmut changes one thing at a time in `migration/mailcow` and runs the tests on each; which files, and which tests must
notice, stands in pyproject.toml. A mutant that survives is a line nobody would miss. It works in a copy below `build/`,
where no other tool looks. Exits 1 when fewer than 95 % are killed.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "mutants"
COPIED = ("accounts", "migration", "portal", "sandbox", "static", "templates", "tests", "manage.py", "pyproject.toml")
ENOUGH = 0.95


def main() -> int:
    """Make the mutants, run the tests, say who survived. Returns the exit code."""
    _copy()
    _mutmut("run", "--max-children", "2")
    _mutmut("export-cicd-stats")
    counts = json.loads((COPY / "mutants" / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    total, killed = counts["total"], counts["killed"] + counts["timeout"]
    for name in _others():
        sys.stdout.write(_mutmut("show", name) + "\n")
    sys.stdout.write(f"{killed} of {total} mutants killed: {killed / max(total, 1):.1%}\n")
    return 0 if total and killed / total >= ENOUGH else 1


def _copy() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, COPY / name)


def _others() -> list[str]:
    """The mutants nobody killed."""
    lines = [line.strip().partition(": ") for line in _mutmut("results").splitlines()]
    return [name for name, _, verdict in lines if verdict and verdict not in ("killed", "timeout")]


def _mutmut(*arguments: str) -> str:
    """Run mutmut in the copy. Returns what it said; on failure says it and ends."""
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments], cwd=COPY, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
