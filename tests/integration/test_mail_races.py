"""Several workers and sweeps at once."""

from functools import partial

import pytest

from migration import first_login as first_logins
from migration.mailings import outbox
from migration.models import FirstLogin, Mailing
from sandbox.mailhost import At, MailHost
from tests import factories
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 6
MAILS = 12


def queue_invitations() -> list[int]:
    domain = factories.make_domain("demo.example")
    rows = []
    for _ in range(MAILS):
        mailbox = factories.make_mailbox(domain=domain)
        invitation = FirstLogin.objects.create(mailbox=mailbox, number=1, locator=first_logins.new_locator())
        rows.append(
            outbox.enqueue(
                Mailing.Kind.INVITATION,
                domain=domain,
                mailbox=mailbox,
                first_login=invitation,
                recipient=mailbox.address,
                language="de",
            ).pk
        )
    return rows


def send_all(rows: list[int]) -> None:
    for pk in rows:
        outbox.send(pk)


def sweep() -> None:
    send_all(outbox.due())


def test_no_mail_goes_out_twice_however_many_workers_have_its_id(host: MailHost) -> None:
    rows = queue_invitations()

    at_once(*[partial(send_all, rows)] * WORKERS)

    assert len(host.mails()) == MAILS
    assert len({mail.recipient for mail in host.mails()}) == MAILS
    assert Mailing.objects.filter(pk__in=rows, state=Mailing.State.SENT, attempts=1).count() == MAILS


def test_two_sweeps_and_workers_on_a_bad_day_send_each_mail_once(host: MailHost) -> None:
    rows = queue_invitations()
    host.fail(451, at=At.DOT, times=5)
    host.cut(at=At.DOT, times=3)

    at_once(*[sweep] * WORKERS)

    states = list(Mailing.objects.filter(pk__in=rows).values_list("state", flat=True))
    assert (states.count("sent"), states.count("waiting"), states.count("unclear")) == (MAILS - 8, 5, 3)
    assert len({mail.recipient for mail in host.mails()}) == len(host.mails()) == MAILS - 5
