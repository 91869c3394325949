"""Health: alive touches nothing, ready knows whether the outboxes move."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import make_mailbox, make_push


def test_alive_needs_no_database() -> None:
    assert Client().get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_ready_with_an_empty_outbox() -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["oldest_due_seconds"] == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "status"), [(2, 200), (4, 503)])
def test_not_ready_when_no_worker_takes_what_is_due(minutes: int, status: int) -> None:
    make_push(make_mailbox(), due_at=timezone.now() - timedelta(minutes=minutes))

    assert Client().get("/readyz").status_code == status


@pytest.mark.django_db
def test_health_pages_take_no_posts() -> None:
    assert Client().post("/healthz").status_code == 405
    assert Client().post("/readyz").status_code == 405
