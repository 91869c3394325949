"""How long a file of 200 letters takes: passwords minted, rows and events written, pages laid out.

`python -m bench.letters print` is what the measured process runs.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.stack import ROOT, Stack

from .table import Row

LETTERS = 200
LIMIT_SECONDS = 30


def printed() -> Row:
    """Row `letters`: seconds for 200 letters, against what we allow."""
    with tempfile.TemporaryDirectory(prefix="umzug-bench-") as folder, Stack(Path(folder)) as stack:
        stack.prepare()
        command = [sys.executable, "-m", "bench.letters", "print"]
        done = subprocess.run(command, cwd=ROOT, env=stack.environment(), stdout=subprocess.PIPE, text=True, check=True)
    against_what = f"what we allow for a file of {LETTERS} letters"
    return Row("letters", float(done.stdout.split()[-1]), LIMIT_SECONDS, "s", against_what)


def measure() -> None:
    """Make the mailboxes, then print, and say how long the printing took."""
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from migration import printing  # noqa: PLC0415
    from migration.models import Customer, Domain, Mailbox  # noqa: PLC0415

    call_command("migrate", interactive=False, verbosity=0)
    customer = Customer.objects.create(
        name="Bench GmbH", contact_email="bench@bench.example", postal_address="Dorfplatz 1\n6020 Innsbruck"
    )
    domain = Domain.objects.create(name="bench.example", customer=customer)
    Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"owner{number}", name=f"Person {number}", state=Mailbox.State.INVITED)
        for number in range(LETTERS)
    )
    begun = time.perf_counter()
    done, _pdf = printing.print_letters(domain, printing.Choice(printing.Group.NEVER), actor="command:bench", seen=None)
    seconds = time.perf_counter() - begun
    if done.letters != LETTERS:
        raise RuntimeError(f"{done.letters} letters")
    print(seconds)


if __name__ == "__main__":
    measure()
