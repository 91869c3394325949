"""Kinds put right in the admin's list of mailboxes: many at once, with a trace, by admins only."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from migration.imports import run
from migration.models import Domain, Event, Mailbox
from tests.factories import make_domain, make_mailbox

from .import_file import csv, row

pytestmark = pytest.mark.django_db

LIST = "/admin/migration/mailbox/"


@pytest.fixture
def domain() -> Domain:
    return make_domain("demo.example")


def set_kind(client: Client, kind: str, *chosen: Mailbox, **fields: Any) -> Any:
    data = {"action": f"kind_{kind}", "_selected_action": [mailbox.pk for mailbox in chosen], **fields}
    return client.post(LIST, data, follow=True)


def kinds() -> dict[str, tuple[str, str]]:
    rows = Mailbox.objects.values_list("local_part", "kind", "kind_reason")
    return {name: (kind, reason) for name, kind, reason in rows}


def test_an_admin_puts_many_right_at_once_and_it_is_recorded(admin_client_mfa: Client, domain: Domain) -> None:
    anna, office = make_mailbox("anna", domain=domain), make_mailbox("office", domain=domain, kind="shared")
    make_mailbox("ben", domain=domain)

    answer = set_kind(admin_client_mfa, "shared", anna, office)

    assert "1 mailbox is of another kind now." in answer.content.decode()
    assert kinds() == {"anna": ("shared", "corrected"), "office": ("shared", "corrected"), "ben": ("personal", "")}
    event = Event.objects.get(action=Event.Action.KIND_SET)
    assert (event.mailbox, event.detail) == (anna, {"before": "personal", "kind": "shared"})
    assert event.actor.startswith("staff:")


def test_all_that_were_found_can_be_put_right(admin_client_mfa: Client, domain: Domain) -> None:
    boxes = [make_mailbox(f"m{number}", domain=domain) for number in range(60)]

    set_kind(admin_client_mfa, "dormant", boxes[0], select_across="1")

    assert Mailbox.objects.filter(kind="dormant").count() == 60


def test_a_file_that_does_not_say_the_kind_leaves_what_a_person_set(admin_client_mfa: Client, domain: Domain) -> None:
    scanner = make_mailbox("scanner", domain=domain, kind="machine")
    set_kind(admin_client_mfa, "personal", scanner)

    run.apply(domain, run.read(csv(row("scanner", name="Scanner")), domain), actor="a")

    assert kinds() == {"scanner": ("personal", "corrected")}


def test_a_kind_set_in_the_form_is_no_guess_any_more(admin_client_mfa: Client, domain: Domain) -> None:
    fax = make_mailbox("fax", domain=domain, kind="machine", kind_reason="machine_name")
    form = reverse("admin:migration_mailbox_change", args=[fax.pk])

    admin_client_mfa.post(form, {"kind": "machine", "name": "Fax"})
    assert kinds() == {"fax": ("machine", "machine_name")}
    admin_client_mfa.post(form, {"kind": "shared", "name": "Fax"})

    assert kinds() == {"fax": ("shared", "corrected")}


def test_a_kind_there_is_none_of_changes_nothing(admin_client_mfa: Client, domain: Domain) -> None:
    set_kind(admin_client_mfa, "alias", make_mailbox("anna", domain=domain))

    assert kinds() == {"anna": ("personal", "")}


@pytest.mark.parametrize("role", [User.Role.SUPPORT, User.Role.READONLY])
def test_other_roles_set_no_kinds(role: str, staff_client: Callable[..., Client], domain: Domain) -> None:
    anna = make_mailbox("anna", domain=domain)

    assert set_kind(staff_client(role), "shared", anna).status_code == 403
    assert kinds() == {"anna": ("personal", "")}


def test_twice_as_many_cost_the_same_number_of_queries(admin_client_mfa: Client, domain: Domain) -> None:
    boxes, counts = [make_mailbox(f"m{number}", domain=domain) for number in range(60)], []
    admin_client_mfa.get(LIST)  # a session's first request writes that it was used
    for kind, chosen in (("shared", boxes[:20]), ("machine", boxes[:40])):
        with CaptureQueriesContext(connection) as queries:
            set_kind(admin_client_mfa, kind, *chosen)
        counts.append(len(queries))

    assert counts[0] == counts[1]
