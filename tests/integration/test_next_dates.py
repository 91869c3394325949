"""Which date of a plan the list of domains calls the next one."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from migration.counting import listing
from migration.models import Domain, Mailbox, Mailing
from tests.factories import make_domain, make_mailbox

pytestmark = pytest.mark.django_db

S = Mailbox.State


def today(days_on: int = 0) -> date:
    return timezone.localdate() + timedelta(days=days_on)


def test_a_step_that_was_done_is_no_next_date() -> None:
    dates = {"announce_on": today(), "invite_on": today(3), "deadline": today(9), "remind_days": [9]}
    over = {"cut_over_on": today(20), "cut_over_at": timezone.now()}
    domain = make_domain("a.example", announced=False, **dates, **over)
    box = make_mailbox(domain=domain, state=S.IMPORTED)

    def following() -> tuple[str, date | None]:
        [line], [coming] = listing.find(listing.Wanted()).lines, listing.find(listing.Wanted()).coming
        assert coming == line
        return line.next_step, line.next_on

    assert following() == ("announce_on", today())
    mail = {"kind": Mailing.Kind.ANNOUNCEMENT, "recipient": "k@a.example", "language": "de"}
    Mailing.objects.create(domain=domain, **mail, state=Mailing.State.FAILED)
    assert following() == ("announce_on", today())
    Mailing.objects.create(domain=domain, **mail, state=Mailing.State.SENT)
    assert following() == ("remind", today())
    domain.plan_steps.create(kind="remind", day=today())
    assert following() == ("invite_on", today(3))
    Mailbox.objects.filter(pk=box.pk).update(state=S.INVITED)
    assert following() == ("deadline", today(9))
    Mailbox.objects.filter(pk=box.pk).update(state=S.IMPORTED)
    domain.plan_steps.create(kind="invite", day=today(3))
    assert following() == ("deadline", today(9))
    Domain.objects.update(deadline=None)
    assert listing.find(listing.Wanted()).coming == []
