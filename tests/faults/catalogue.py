"""The faults Umzug is held against: what goes wrong, and the figure to reach.

One row a fault. `drill` is a heading of docs/operations.md, for what needs more than one machine or somebody's hands;
`gap` says what is not covered, or why nothing is. Which tests try it stands in `proofs`.
"""

from dataclasses import dataclass

from tests.faults.proofs import tests_of


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    number: int
    what: str
    passes: str
    drill: str = ""
    gap: str = ""

    @property
    def tests(self) -> tuple[str, ...]:
        return tests_of(self.number)


FAULTS = (
    Fault(1, "a worker dies in the middle of a push", "0 lost"),
    Fault(2, "all of a worker's processes are killed", "0 lost"),
    Fault(3, "a worker freezes for longer than its claim holds", "0 rows changed by it"),
    Fault(4, "the web process dies between COMMIT and answer", "1 version, “saved”"),
    Fault(5, "the web process dies at any statement of a saving", "all or nothing at each"),
    Fault(6, "Redis stops and comes back empty", "0 lost"),
    Fault(
        7,
        "Redis is flushed, full, or read-only",
        "0 lost, 0 error pages",
        gap="read-only ends Celery's worker: systemd or Compose must start it again, as the test does",
    ),
    Fault(8, "Redis flaps", "the worker works on, or is started again"),
    Fault(9, "PostgreSQL stops at once", "acknowledged = rows; 503 meanwhile"),
    Fault(10, "database connections are cut", "0 duplicates", gap="a fail-over to a promoted replica is not tried"),
    Fault(11, "SQLite is locked, or its disk full", "503, 0 corrupt"),
    Fault(12, "mailcow is down for six hours (virtual)", "2,000 drained in 15 min, ≤ 4 calls at once"),
    Fault(13, "two quick changes swap in the wire", "the newer one stays, every time"),
    Fault(14, "a write given up is carried out after the newer one", "the newer one is back within 6 min"),
    Fault(15, "the reply is lost after mailcow has stored", "1 hash in force"),
    Fault(16, "mailcow is slow", "owners do not wait for it"),
    Fault(17, "500, 502, HTML, garbage, empty, endless", "waits; ≤ 1 MiB read"),
    Fault(18, "refusal with status 200, both at once, success without effect", "0 false “done”"),
    Fault(19, "wrong or read-only key with 500 due", "≤ 4 calls, then silence"),
    Fault(20, "every message comes five times", "1 push each"),
    Fault(21, "forged or poisoned messages", "the worker works on"),
    Fault(22, "two clocks and two workers", "0 mails twice"),
    Fault(23, "the old server says 421, 450, 451", "1 accepted mail each"),
    Fault(24, "the connection ends after the mail's last dot", "0 sent again"),
    Fault(25, "a bounce comes later", "100 % matched"),
    Fault(
        26,
        "clocks differ by ten minutes",
        "0 early, 0 late",
        gap="sessions, attempt windows and the end of a first-login password go by the web process's own clock",
    ),
    Fault(27, "daylight saving, leap day, new year", "0 shifts"),
    Fault(28, "secrets left lying about", "0 found"),
    Fault(29, "a poisoned import file", "49,500 of 49,500 good rows of 50,000"),
    Fault(30, "an import is killed, run twice, run by two at once", "the same end"),
    Fault(31, "the key is exchanged under traffic; the old one removed too soon", "0 unreadable; refused"),
    Fault(
        32,
        "an update under traffic",
        "0 failed requests; the worker ends its push",
        drill="Drill: an update under traffic",
        gap="old and new code on one database is the drill",
    ),
    Fault(33, "yesterday's backup is restored", "0 old passwords pushed"),
    Fault(
        34,
        "a flood of sign-ins",
        "p95 < 1 s; the owner with the link gets in",
        drill="Drill: a flood of sign-ins",
        gap="the load itself is the drill",
    ),
    Fault(35, "tries race for one budget", "exact"),
    Fault(36, "the log cannot be written", "0 events lost"),
    Fault(37, "mailcow changes its answers", "100 % classified"),
    Fault(
        38,
        "the whole way, with a real mailcow",
        "50 of 50",
        drill="Drill: fifty mailboxes on a real mailcow",
        gap="without the address of a real mailcow the test asks the stand-in; logins are the drill",
    ),
)
