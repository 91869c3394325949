"""What the door reads by a statement of its own is what Django would have read."""

from datetime import date
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from migration.joined import Joined
from migration.models import Customer, Domain, FirstLogin, Mailbox
from tests import factories

pytestmark = pytest.mark.django_db
NAMES = {
    name: " ".join(field.attname for field in model._meta.concrete_fields)
    for name, model in {"first_login": FirstLogin, "mailbox": Mailbox, "domain": Domain, "customer": Customer}.items()
}


def rows_of(first_login: FirstLogin) -> list[Any]:
    mailbox = first_login.mailbox
    return [first_login, mailbox, mailbox.domain, mailbox.domain.customer]


def values_of(rows: list[Any]) -> list[dict[str, Any]]:
    return [{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields} for row in rows]


@pytest.mark.parametrize("filled", [True, False])
def test_all_columns_are_as_django_reads_them(
    mailbox: Mailbox, django_assert_num_queries: DjangoAssertNumQueries, filled: bool
) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    now = timezone.now() if filled else None
    FirstLogin.objects.update(revoked_at=now, consumed_at=now)
    Mailbox.objects.update(source_login_at=now, legacy_hash=b"\0sealed\xff" if filled else None, quota_mib=7)
    Domain.objects.update(deadline=date(2026, 12, 24) if filled else None, cut_over_at=now, paused_at=now)
    by_django = FirstLogin.objects.select_related("mailbox__domain__customer").get(pk=first_login.pk)

    with django_assert_num_queries(1):
        found = Joined(**NAMES).first("f.id = %s", first_login.pk)
        values = values_of(rows_of(found)) if found else []

    assert values == values_of(rows_of(by_django))


def test_a_column_that_was_not_asked_for_is_loaded_when_looked_at(
    mailbox: Mailbox, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first_login, _ = factories.make_first_login(mailbox)
    found = Joined(mailbox="state", domain="name").first("f.id = %s", first_login.pk)
    assert found

    with django_assert_num_queries(0):
        known = found.mailbox.state, found.mailbox.domain.name
    with django_assert_num_queries(1):
        loaded = found.mailbox.local_part

    assert (*known, loaded) == (mailbox.state, mailbox.domain.name, mailbox.local_part)


def test_what_is_not_there_is_none() -> None:
    assert Joined(mailbox="state").first("f.id = %s", 4711) is None


def test_a_column_nobody_has_is_refused_at_once() -> None:
    with pytest.raises(KeyError, match="local_prt"):
        Joined(mailbox="local_prt")
