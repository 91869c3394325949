"""While the server thinks about one mail, the next is put together; the one on its way is never harmed by that."""

import pytest

from migration import mailboxes
from migration.mailings import claims, compose, outbox
from migration.mailings.smtp import Answer
from migration.models import Domain, Event, Mailing
from sandbox.mailhost import MailHost
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def queued(host: MailHost) -> list[Mailing]:
    """Three invitations of one domain, in the order they leave."""
    domain = factories.make_domain("demo.example")
    for name in ("anna", "berta", "clara"):
        mailboxes.invite(factories.make_mailbox(name, domain=domain), actor="staff:eva")
    return list(Mailing.objects.filter(kind=Mailing.Kind.INVITATION).order_by("pk"))


def test_each_mail_is_put_together_once_and_carries_its_own_password(
    host: MailHost, queued: list[Mailing], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    real_of, real_settle = compose.of, claims.settle

    def make(row: Mailing, secret: str) -> compose.Mail:
        told.append(f"made {row.pk}")
        return real_of(row, secret)

    def settle(row: Mailing, answer: Answer) -> None:
        told.append(f"ended {row.pk}")
        real_settle(row, answer)

    monkeypatch.setattr(compose, "of", make)
    monkeypatch.setattr(claims, "settle", settle)

    assert outbox.work(queued[0].pk) == 3

    one, two, three = (row.pk for row in queued)
    assert told == [f"made {one}", f"made {two}", f"ended {one}", f"made {three}", f"ended {two}", f"ended {three}"]
    for row in queued:
        (mail,) = host.mails(row.recipient)
        assert row.first_login
        assert f"/s/{row.first_login.locator}" in mail.text


def test_a_mail_that_cannot_be_put_together_does_not_take_the_one_before_along(
    host: MailHost, queued: list[Mailing]
) -> None:
    Mailing.objects.filter(pk=queued[1].pk).update(first_login=None)

    with pytest.raises(ValueError, match="without its row"):
        outbox.work(queued[0].pk)

    states = dict(Mailing.objects.filter(pk__in=[row.pk for row in queued]).values_list("recipient", "state"))
    assert states["anna@demo.example"] == Mailing.State.SENT
    assert states["berta@demo.example"] == Mailing.State.SENDING
    assert len(host.mails("anna@demo.example")) == 1
    assert Event.objects.filter(action=Event.Action.MAIL_SENT).count() == 1
    assert Domain.objects.get(name="demo.example").mailings.filter(state=Mailing.State.UNCLEAR).count() == 0
