"""The demo's other customers are in every state there is, and nothing of them is left for a worker to do."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from migration import clock, plan, reports
from migration.models import Case, Customer, Domain, Event, Mailbox, Mailing, Provisioning, Push
from sandbox import campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def _told() -> None:
    campaign.make()


@pytest.mark.usefixtures("_told")
def test_seventeen_domains_of_seven_customers_are_at_every_point_of_the_way() -> None:
    rows = {row.display_name: row for row in reports.completion()}
    domains = Domain.objects.all()

    assert len(rows) == 17
    assert Customer.objects.count() == 7
    assert {state for row in rows.values() for state, number in row.counts.items() if number} == set(Mailbox.State)
    assert domains.filter(planned_at=None).exists()
    assert domains.filter(paused_at__isnull=False).exists()
    assert domains.filter(cut_over_at__isnull=False, ended_at=None).exists()
    assert domains.filter(ended_at__isnull=False).exists()
    assert rows["steinmetz-hölzl.example"].percent == 100
    assert 30 < rows["gemeinde-stveit.example"].percent < 70
    assert all(3 <= row.total <= 40 for row in rows.values())


@pytest.mark.usefixtures("_told")
def test_what_went_wrong_waits_for_a_person() -> None:
    reasons = Counter(Push.objects.filter(state__in=Push.OPEN).values_list("state", flat=True))

    assert reasons[Push.State.BLOCKED] >= 3
    assert reasons[Push.State.WAITING] >= 3
    assert reports.needing_attention().count() >= 8
    assert Mailing.objects.filter(bounced_at__isnull=False).exists()
    assert Case.objects.filter(closed_at=None).count() == 4
    assert any(finding.severity == "stop" for row in Provisioning.objects.all() for finding in row.found)
    assert len(plan.attention()) == 3


@pytest.mark.usefixtures("_told")
def test_nothing_of_it_is_left_for_the_clock_or_a_worker(settings: Any) -> None:
    settings.PLAN_FROM_HOUR, settings.PLAN_UNTIL_HOUR = 0, 24

    carried = clock.tick()

    assert carried == 0
    assert not Mailing.objects.filter(state__in=Mailing.OPEN).exists()
    assert not Push.objects.filter(state__in=(Push.State.QUEUED, Push.State.IN_FLIGHT)).exists()


@pytest.mark.usefixtures("_told")
def test_its_history_is_in_the_order_of_time_and_made_once() -> None:
    times = list(Event.objects.order_by("pk").values_list("at", flat=True))

    campaign.make()

    assert len(times) > 1000
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert Event.objects.count() == len(times)
