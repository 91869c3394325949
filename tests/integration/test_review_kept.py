"""How long a contact's list is kept, and under which key."""

import os
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts import retention
from accounts.keys import PLACES
from migration.keys import in_use
from migration.models import Answer, Mailbox, Mailing, Review
from tests import factories

from .contacts import make_review

pytestmark = pytest.mark.django_db
PLACE = "codes of contacts (until expired)"


@pytest.mark.parametrize(("ended", "days"), [("revoked_at", 90), ("minted_at", 120), ("created_at", 120)])
def test_a_list_goes_with_its_answers_90_days_after_its_end(ended: str, days: int) -> None:
    mailbox, start = factories.make_mailbox(), timezone.now()
    review, _code = make_review(mailbox.domain)
    Review.objects.update(**{"minted_at": None if ended == "created_at" else start, ended: start})
    Answer.objects.create(review=review, mailbox=mailbox, choice=Answer.Choice.DELETE)
    Mailing.objects.create(
        kind=Mailing.Kind.REVIEW, domain=mailbox.domain, review=review, recipient="a@b.example", language="de"
    )

    with time_machine.travel(start + timedelta(days=days, seconds=-1), tick=False):
        assert retention.run()["review"] == 0
    with time_machine.travel(start + timedelta(days=days, seconds=1), tick=False):
        assert retention.run(dry_run=True)["review"] == 1
        assert retention.run()["review"] == 1

    assert not Answer.objects.exists()
    assert Mailing.objects.get(kind=Mailing.Kind.REVIEW).review is None
    assert Mailbox.objects.get() == mailbox


def test_a_key_is_in_use_as_long_as_a_code_of_it_opens_a_list(settings: Any) -> None:
    settings.KEY_RING = [("old", os.urandom(32))]
    review, _code = make_review(factories.make_domain())

    assert in_use(PLACES)[PLACE] == {"old": 1}
    Review.objects.filter(pk=review.pk).update(minted_at=timezone.now() - Review.CODE_LASTS)
    assert in_use(PLACES)[PLACE] == {}
