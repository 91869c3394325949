"""Make mailboxes with a first-login password: `python -m bench.prepare N` prints `locator secret` lines."""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from migration import first_login  # noqa: E402
from migration.models import Customer, Domain, FirstLogin, Mailbox  # noqa: E402


def make(count: int) -> None:
    """Make `count` invited mailboxes in one domain."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable")
    customer = Customer.objects.create(name="Bench", contact_email="bench@bench.example")
    domain = Domain.objects.create(name="bench.example", customer=customer)
    mailboxes = Mailbox.objects.bulk_create(
        Mailbox(domain=domain, local_part=f"owner{number}", state=Mailbox.State.INVITED) for number in range(count)
    )
    for mailbox in mailboxes:
        invitation = FirstLogin.objects.create(
            mailbox=mailbox, number=1, locator=first_login.new_locator(), minted_at=timezone.now()
        )
        print(invitation.locator, first_login.show(first_login.mint(invitation)))


if __name__ == "__main__":
    make(int(sys.argv[1]))
