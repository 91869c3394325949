"""`manage.py provision`: shows the findings, makes the domain, tells by its exit code how it ended."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from migration.models import Event, ProvisionedObject, Provisioning, Target
from sandbox.mailcow import MailcowStandIn
from sandbox.mailcow.state import MIB
from tests.provisioning import NAME, make_domain, writes

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("provision", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def code_of(*arguments: str) -> int:
    with pytest.raises(CommandError) as ended:
        run(*arguments)
    return ended.value.returncode


def test_a_dry_run_writes_nothing(mailcow: MailcowStandIn) -> None:
    make_domain(mailboxes=3)

    said = run(NAME, "--dry-run")

    assert "To be made: 1 domain, 3 mailboxes, 1 aliases." in said
    assert "Dry run: nothing was written." in said
    assert writes(mailcow) == []
    assert not any(model.objects.exists() for model in (Provisioning, ProvisionedObject, Event))


def test_a_domain_is_made_and_counted(mailcow: MailcowStandIn) -> None:
    make_domain(mailboxes=3)

    said = run(NAME)

    assert "made: 5" in said
    assert len(mailcow.mailboxes) == 3
    assert Event.objects.get(action=Event.Action.PROVISION_STARTED).actor == "command:provision"


def test_a_second_run_makes_nothing(mailcow: MailcowStandIn) -> None:
    make_domain()
    run(NAME)
    mailcow.calls.clear()

    said = run(NAME)

    assert "To be made: 0 domain, 0 mailboxes, 0 aliases." in said
    assert writes(mailcow) == []


def test_a_difference_is_shown_and_ends_with_one(mailcow: MailcowStandIn) -> None:
    mailcow.add_mailbox("m0@demo.example", authsource="ldap", quota=100 * MIB)
    make_domain()

    assert code_of(NAME) == 1

    assert ProvisionedObject.objects.get(kind="mailbox").state == ProvisionedObject.State.DIFFERS


def test_what_waits_ends_with_one(mailcow: MailcowStandIn) -> None:
    make_domain()
    mailcow.faults.empty_200(calls="write")

    assert code_of(NAME) == 1

    assert ProvisionedObject.objects.get(kind="domain").reason == "empty"


@pytest.mark.parametrize("arguments", [(NAME,), (NAME, "--dry-run")])
def test_what_must_be_mended_first_ends_with_two(arguments: tuple[str, ...], mailcow: MailcowStandIn) -> None:
    mailcow.add_domain(NAME, mailboxes=0)
    make_domain()

    assert code_of(*arguments) == 2

    assert writes(mailcow) == []


def test_an_unknown_domain_ends_with_two(db: None) -> None:
    assert code_of("nowhere.example") == 2
    assert code_of("not a domain") == 2


def test_a_mailcow_that_does_not_answer_ends_with_two(mailcow: MailcowStandIn) -> None:
    make_domain()
    mailcow.faults.answer_500()

    assert code_of(NAME) == 2


def test_being_turned_away_opens_the_breaker_and_is_not_repeated(mailcow: MailcowStandIn) -> None:
    make_domain()
    mailcow.faults.wrong_key()

    assert code_of(NAME, "--dry-run") == 2
    assert code_of(NAME) == 2

    assert Target.objects.get().breaker_reason == "key"
    assert len(mailcow.calls) == 1


def test_without_a_key_nothing_is_asked(mailcow: MailcowStandIn, settings: Any) -> None:
    settings.MAILCOW_API_KEY = ""
    make_domain()

    assert code_of(NAME) == 2
    assert not mailcow.calls
