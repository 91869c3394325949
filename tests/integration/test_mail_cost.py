"""What one invitation costs the database, however many leave together."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migration import first_login as first_logins
from migration import mailboxes
from migration.mailings import claims, outbox
from migration.mailings.smtp import Answer, Verdict
from migration.models import Customer, FirstLogin, Mailing
from sandbox.mailhost import MailHost
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
# Composing: was the contact told, and the customer's own words. The mark before the dot. Settle: BEGIN, the mail, its
# event, COMMIT. The claim and the secrets are the same few statements for all.
STATEMENTS = 2 + 1 + 4


@pytest.fixture
def customer(host: MailHost) -> Customer:
    return factories.make_customer()


def queue(customer: Customer, count: int) -> list[Mailing]:
    domain = factories.make_domain(customer=customer)
    for _ in range(count):
        mailboxes.invite(factories.make_mailbox(domain=domain), actor="staff:eva")
    return list(Mailing.objects.filter(domain=domain, kind=Mailing.Kind.INVITATION).order_by("pk"))


def statements(first: Mailing) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        outbox.work(first.pk)
    return [query["sql"] for query in captured.captured_queries]


def test_each_further_invitation_costs_as_many_statements(customer: Customer) -> None:
    outbox.work(queue(customer, 1)[0].pk)

    two, six = statements(queue(customer, 2)[0]), statements(queue(customer, 6)[0])

    assert len(six) - len(two) == 4 * STATEMENTS
    assert sum("UPDATE migration_firstlogin" in sql for sql in six) == 1
    assert Mailing.objects.filter(kind=Mailing.Kind.INVITATION, state=Mailing.State.SENT).count() == 9


def test_a_customer_s_own_words_cost_no_statement_more(customer: Customer) -> None:
    text = "{greeting}\n\n{address} {link}\n\n{secret}\n\nbis {deadline}, {phone}"
    customer.wordings.create(mail="invitation", language="de", version=1, subject="Umzug", text=text, made_by="staff:a")
    outbox.work(queue(customer, 1)[0].pk)

    two, six = statements(queue(customer, 2)[0]), statements(queue(customer, 6)[0])

    assert len(six) - len(two) == 4 * STATEMENTS
    assert set(Mailing.objects.filter(state="sent", kind="invitation").values_list("wording__version", flat=True)) == {
        1
    }


def test_secrets_minted_together_fit_each_its_own_mailbox(customer: Customer) -> None:
    invitations = [row.first_login for row in queue(customer, 3) if row.first_login]

    secrets = first_logins.mint_all(invitations)

    for row, secret in zip(FirstLogin.objects.order_by("pk"), secrets, strict=True):
        assert first_logins.check(row.mailbox, secret) == row
        assert row.minted_at == next(one.minted_at for one in invitations if one.pk == row.pk)
    assert len(set(secrets)) == 3
    assert first_logins.mint_all([]) == []


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.AGAIN, Verdict.REFUSED, Verdict.UNCLEAR])
def test_a_worker_whose_lease_is_over_writes_nothing(customer: Customer, verdict: Verdict) -> None:
    row = queue(customer, 1)[0]
    (claim,) = claims.claim([row.pk])
    Mailing.objects.filter(pk=row.pk).update(lease="another worker's")

    assert not claims.mark_end(claim.mailing)
    claims.settle(claim.mailing, Answer(verdict, text="late"))

    row.refresh_from_db()
    assert (row.state, row.error, row.sent_at) == (Mailing.State.SENDING, "", None)
    assert not row.mailbox.events.filter(action__startswith="mail_").exists()  # type: ignore[union-attr]
