"""Fill a stack with the example customer: `python -m sandbox.seed FOLDER MAILCOW STEP`.

data     the database, the staff, the customer; the example imported; its mailboxes made on mailcow by mailcow's API;
         the customer's contact told of both domains, his answers about one; a third one imported only, for the portal
         to make on mailcow
campaign the demo's other customers with a history of their own (`sandbox.campaign`)
invite   the first domain's mailboxes invited, once the contact's server has accepted the pre-announcement
"""

import secrets
import sys
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import django
import requests
from django.core.management import call_command
from django.utils import timezone

EXAMPLE = Path(__file__).parent / "example"
CUSTOMER = {
    "name": "Sonnleitner Naturkost GmbH",
    "contact_name": "Katharina Sonnleitner",
    "contact_email": "katharina.sonnleitner@sonnleitner.example",
}
FILES = {"sonnleitner.example": ["mailboxes.csv"], "bäckerei-müller.example": ["passwd", "aliases.csv"]}
# The portal makes this one: /staff/, the domain, "On the new server".
TO_BE_MADE = ("hofladen.example", "hofladen.csv")
# What the contact answers about the second domain, for the desk to carry out: mailbox, answer, address or name, note.
ANSWERED = "bäckerei-müller.example"
ANSWERS = (
    ("eva.mueller", "keep", "", ""),
    ("franz.mueller", "keep", "", ""),
    ("backstube", "shared", "eva.mueller@{domain}", ""),
    ("kaffee", "machine", "franz.mueller@{domain}", "Meldet nur, wenn die Bohnen ausgehen."),
    ("lehrlinge", "alias", "backstube@{domain}", ""),
    ("petra.schmid", "person", "Lukas Schmid", ""),
    ("karl.mueller", "delete", "", "In Pension. Bitte vorher mit Eva Müller sprechen."),
    ("notdienst", "delete", "", ""),
)
INVITED = "sonnleitner.example"
STAFF = "staff@provider.example"
ACTOR = "command:demo"


def data(folder: Path, mailcow: str) -> None:
    """Make everything that does not need a running worker."""
    from migration import dns_checks, domains  # noqa: PLC0415 - models exist only after django.setup()
    from migration.addresses import domain_to_ascii  # noqa: PLC0415
    from migration.mailings import compose  # noqa: PLC0415
    from migration.models import Customer, Domain  # noqa: PLC0415

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable")
    _staff(folder)
    customer, _made = Customer.objects.get_or_create(name=CUSTOMER["name"], defaults=CUSTOMER)
    for name, files in FILES.items():
        domain, _made = Domain.objects.get_or_create(name=domain_to_ascii(name), defaults={"customer": customer})
        for file in files:
            call_command("import_mailboxes", str(EXAMPLE / file), domain=domain.name, stdout=StringIO())
        _make_on_mailcow(domain, mailcow, (folder / "secrets" / "mailcow_api_key").read_text().strip())
        if name != INVITED:
            domains.change_plan(domain, actor=ACTOR, **_plan())
        subject, text = compose.draft(domain)
        domains.announce(domain, actor=ACTOR, subject=subject, text=text)
        dns_checks.ask(domain, actor=ACTOR)
    name, file = TO_BE_MADE
    call_command("import_mailboxes", str(EXAMPLE / file), domain=name, customer=customer.name, stdout=StringIO())
    _answers(Domain.objects.get(name=domain_to_ascii(ANSWERED)))


def campaign(_folder: Path, _mailcow: str) -> None:
    """Make the other customers. A step of its own: nobody needs to hear its doorbells."""
    from . import campaign as others  # noqa: PLC0415 - models exist only after django.setup()

    call_command("migrate", interactive=False, verbosity=0)
    others.make()


def invite(_folder: Path, _mailcow: str) -> None:
    """Invite the first domain's mailboxes; prints how many, or `not yet` while the announcement is on its way."""
    from migration import domains  # noqa: PLC0415
    from migration.models import Domain  # noqa: PLC0415
    from migration.refusals import VerbRefused  # noqa: PLC0415

    try:
        print(domains.start(Domain.objects.get(name=INVITED), actor=ACTOR))
    except VerbRefused:
        print("not yet")


def _plan() -> dict[str, date]:
    """Dates of a domain that has been announced today and is invited in a week."""
    days = {"announce_on": 0, "invite_on": 7, "deadline": 28, "cut_over_on": 29, "ends_on": 60}
    return {name: timezone.localdate() + timedelta(days=number) for name, number in days.items()}


def _answers(domain: Any) -> None:
    """The contact was sent a list, has answered it and handed it in; the mail with the code is on its way as well."""
    from migration.review import answering, asking, lists  # noqa: PLC0415 - models exist only after django.setup()

    review = asking.send(domain.customer, [domain], actor=ACTOR)
    boxes = {mailbox.local_part: mailbox for mailbox in domain.mailboxes.select_related("domain")}
    said = [
        answering.Said(lists.Line(mailbox=boxes[name]), choice, detail.format(domain=domain.name), note)
        for name, choice, detail, note in ANSWERS
    ]
    answering.save(review, said)
    answering.submit(review, name=CUSTOMER["contact_name"], ip=None)


def _staff(folder: Path) -> None:
    answer = StringIO()
    call_command(
        "add_staff",
        STAFF,
        name="Demo",
        role="admin",
        totp_secret_file=folder / "secrets" / "totp_secret",
        stdout=answer,
    )
    (folder / "secrets" / "staff_password").write_text(answer.getvalue().split()[-1] + "\n")


def _make_on_mailcow(domain: "object", mailcow: str, key: str) -> None:
    """The mailboxes must exist on the target before a password can be set; nobody knows the ones they get here."""
    api = requests.Session()
    api.headers["X-API-Key"] = key
    name = domain.name  # type: ignore[attr-defined]
    roomy = {"mailboxes": 200, "aliases": 400, "defquota": 1024, "maxquota": 10240, "quota": 1024 * 1024, "active": 1}
    api.post(f"{mailcow}/api/v1/add/domain", json={"domain": name, "key_size": 0, **roomy}, timeout=30)
    for mailbox in domain.mailboxes.all():  # type: ignore[attr-defined]
        password = secrets.token_urlsafe(32)
        row = {"local_part": mailbox.local_part, "domain": name, "name": mailbox.name, "active": 1, "quota": 1024}
        row |= {"password": password, "password2": password, "force_pw_update": 0}
        answer = api.post(f"{mailcow}/api/v1/add/mailbox", json=row, timeout=30)
        if "mailbox_added" not in answer.text:
            raise SystemExit(f"the stand-in did not make {mailbox.address}: {answer.text}")


if __name__ == "__main__":
    django.setup()
    {"campaign": campaign, "data": data, "invite": invite}[sys.argv[3]](Path(sys.argv[1]), sys.argv[2])
