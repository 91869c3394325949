"""`make demo`: Umzug and the world around it on this machine, with an example customer. Ctrl-C ends it all."""

import signal
import sys
import time
from pathlib import Path
from types import FrameType

from .seed import STAFF
from .stack import ROOT, Ports, Stack, StackError

FOLDER = ROOT / "var" / "demo"
INVITE_SECONDS = 30
FIRST_TO_TRY, OLD_PASSWORD = "anna.gruber@sonnleitner.example", "Semmelknoedel2026"

WELCOME = """
  Umzug is running. Three places to look at:

    Old mailboxes    {mailhost}
    Portal           {portal}
    Staff desk       {portal}/staff/
                     sign in as {staff} with {password}
                     code of the second factor: {mailhost}/phone

  Try this: open anna.gruber's old mailbox, follow the link in the invitation and set a new password, or keep her
  old one, {old}.
  mailcow's side of it: {mailcow}

  Ctrl-C ends everything. The data stays in {folder}; delete that folder to start afresh.
"""


def bring_up(stack: Stack, *, say: bool = True, campaign: bool = False) -> None:
    """Start every part; on the first start also make the data: the example, and the other customers if asked for.

    Raises StackError naming the part that failed.
    """
    fresh = stack.prepare()
    started = stack.folder / "seeded"
    if say and fresh:
        print("First start: making the example (about half a minute) …", flush=True)
    stack.start_world()
    if started.exists():
        stack.manage("migrate", "--noinput", "--verbosity", "0")
    else:
        if campaign:
            stack.seed("campaign", PORTAL_BROKER_URL="memory://")
        stack.seed("data")
    stack.start_web()
    stack.start_worker()
    stack.start_beat()
    if not started.exists():
        _invite(stack)
        started.touch()


def _invite(stack: Stack) -> None:
    deadline = time.monotonic() + INVITE_SECONDS
    while stack.seed("invite").strip() == "not yet":
        if time.monotonic() > deadline:
            raise StackError(f"the pre-announcement was not sent:\n{stack.log('worker')[-2000:]}")
        time.sleep(0.5)
    stack.await_mail(FIRST_TO_TRY)


def welcome(stack: Stack) -> str:
    """What the demo prints: the three places, the sign-in, and what to try."""
    return WELCOME.format(
        portal=stack.portal,
        mailhost=stack.mailhost,
        mailcow=stack.mailcow,
        staff=STAFF,
        old=OLD_PASSWORD,
        password=stack.secret("staff_password"),
        folder=stack.folder.relative_to(ROOT) if stack.folder.is_relative_to(ROOT) else stack.folder,
    )


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(folder: Path = FOLDER) -> int:
    """Run until Ctrl-C, or until a part ends by itself; returns the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    stack = Stack(folder, Ports())
    try:
        with stack:
            bring_up(stack, campaign=True)
            print(welcome(stack), flush=True)
            while not (dead := stack.dead()):
                time.sleep(0.5)
            print(f"{dead} has ended by itself:\n{stack.log(dead)[-2000:]}", file=sys.stderr)
            return 1
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n  Ended.")
        return 0


if __name__ == "__main__":
    sys.exit(main())
