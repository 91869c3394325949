"""The Django admin: domains with umlauts, nothing secret, nothing that goes round the verbs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from migration.models import Customer, Domain, Event, Mailbox, Target
from tests.factories import make_customer, make_domain, make_first_login, make_mailbox, make_push, make_staff
from tests.integration.proof import proves_who_it_is

pytestmark = pytest.mark.django_db

SECRETS = {"legacy_hash", "legacy_scheme", "mac", "payload", "staged", "locator", "password", "lease", "submission"}


def add_domain(client: Client, name: str, customer: Customer | None = None) -> Any:
    customer = customer or make_customer()
    return client.post(
        reverse("admin:migration_domain_add"),
        {"customer": customer.pk, "name": name, "deadline": "", "source": ""},
    )


def test_the_admins_own_login_form_authenticates_nobody() -> None:
    user, client = make_staff(role="admin"), Client()

    answer = client.post("/admin/login/?next=/admin/", {"username": user.email, "password": "Staff-Password-1"})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("name", ["müller.example", "MÜLLER.example", "xn--mller-kva.example", " müller.example. "])
def test_a_domain_may_be_typed_with_umlauts(name: str, admin_client_mfa: Client) -> None:
    assert add_domain(admin_client_mfa, name).status_code == 302

    domain = Domain.objects.get()
    assert (domain.name, domain.display_name) == ("xn--mller-kva.example", "müller.example")


@pytest.mark.parametrize("name", ["nodot", "http://kunde.example", "kun de.example", "192.0.2.1", "-a.example"])
def test_what_is_no_domain_gets_a_clear_error(name: str, admin_client_mfa: Client) -> None:
    page = add_domain(admin_client_mfa, name)

    assert page.context["adminform"].form.errors["name"]
    assert not Domain.objects.exists()


def test_the_same_domain_in_another_spelling_is_there_already(admin_client_mfa: Client) -> None:
    make_domain("xn--mller-kva.example")

    assert add_domain(admin_client_mfa, "Müller.example").context["adminform"].form.errors["name"]


def test_a_domain_with_mailboxes_keeps_its_name(admin_client_mfa: Client) -> None:
    domain = make_mailbox(domain=make_domain("alt.example")).domain

    admin_client_mfa.post(
        reverse("admin:migration_domain_change", args=[domain.pk]),
        {"customer": domain.customer_id, "name": "neu.example", "deadline": "", "source": ""},
    )

    domain.refresh_from_db()
    assert domain.name == "alt.example"


def test_the_domain_page_leads_to_the_desk_and_the_preview(admin_client_mfa: Client) -> None:
    domain = make_domain()

    page = admin_client_mfa.get(reverse("admin:migration_domain_change", args=[domain.pk])).content.decode()

    assert reverse("desk:domain", args=[domain.pk]) in page
    assert reverse("desk:announce", args=[domain.pk]) in page


def test_no_form_of_the_admin_has_a_field_for_a_secret(rf: Any) -> None:
    request = rf.get("/admin/")
    request.user = make_staff(role="admin")

    for model, page in admin.site._registry.items():
        if model._meta.app_label in ("migration", "accounts"):
            assert page.fields or page.fieldsets, f"{model.__name__}: name its fields"
            shown = set(page.get_fields(request)) | set(page.list_display) | set(page.list_editable)
            assert not shown & SECRETS, model.__name__
            assert not page.list_editable


@pytest.mark.parametrize("field", ["state", "version", "epoch", "legacy_scheme", "local_part"])
def test_extra_fields_in_a_post_change_nothing(field: str, admin_client_mfa: Client) -> None:
    mailbox = make_mailbox("anna")
    before = Mailbox.objects.values().get()

    answer = admin_client_mfa.post(
        reverse("admin:migration_mailbox_change", args=[mailbox.pk]), {"kind": "personal", field: "7"}
    )

    assert answer.status_code == 302
    assert Mailbox.objects.values().get() == before


@pytest.mark.parametrize("model", ["push", "mailing", "event", "firstlogin"])
def test_what_happened_cannot_be_changed_or_deleted(model: str, admin_client_mfa: Client) -> None:
    mailbox = make_mailbox()
    make_first_login(mailbox)
    make_push(mailbox)
    Event.record(Event.Action.IMPORTED, actor="command:import", mailbox=mailbox)
    kept: Any = next(m for m in admin.site._registry if m._meta.model_name == model)
    row = kept.objects.first()
    change = reverse(f"admin:migration_{model}_change", args=[row.pk])
    proves_who_it_is(admin_client_mfa)

    assert admin_client_mfa.get(reverse(f"admin:migration_{model}_changelist")).status_code == 200
    assert admin_client_mfa.get(change).status_code == 200
    assert admin_client_mfa.post(change, {"actor": "somebody else"}).status_code == 403
    assert admin_client_mfa.post(reverse(f"admin:migration_{model}_delete", args=[row.pk])).status_code == 403
    assert admin_client_mfa.get(reverse(f"admin:migration_{model}_add")).status_code == 403


def close_breaker(client: Client, target: Target) -> Any:
    data = {"action": "close_breaker", "_selected_action": [target.pk]}
    return client.post(reverse("admin:migration_target_changelist"), data, follow=True)


def test_an_admin_closes_the_breaker_and_it_is_recorded(admin_client_mfa: Client) -> None:
    target = Target.objects.create(name="main", breaker_opened_at=timezone.now(), breaker_reason="unauthorized")
    proves_who_it_is(admin_client_mfa)

    close_breaker(admin_client_mfa, target)

    target.refresh_from_db()
    assert target.breaker_opened_at is None
    assert Event.objects.get(action=Event.Action.BREAKER_CLOSED).actor.startswith("staff:")


def test_support_cannot_close_the_breaker(support_client: Client) -> None:
    target = Target.objects.create(name="main", breaker_opened_at=timezone.now())

    assert close_breaker(support_client, target).status_code == 403
    target.refresh_from_db()
    assert target.breaker_opened_at


def test_an_admin_changes_roles_but_not_his_own(staff_client: Callable[..., Client]) -> None:
    client = staff_client("admin", email="chief@provider.example")
    proves_who_it_is(client)
    chief, other = User.objects.get(), make_staff(role="support")

    def change(user: User, **fields: str) -> Any:
        data = {"name": "", "role": "admin", "is_active": "on"} | fields
        return client.post(reverse("admin:accounts_user_change", args=[user.pk]), data)

    assert change(other, role="readonly").status_code == 302
    assert change(chief, role="support").status_code == 200
    assert {user.email: user.role for user in User.objects.all()} == {
        "chief@provider.example": "admin",
        other.email: "readonly",
    }


def test_the_staff_page_shows_no_password(admin_client_mfa: Client) -> None:
    user = User.objects.get()

    page = admin_client_mfa.get(reverse("admin:accounts_user_change", args=[user.pk])).content.decode()

    assert user.password not in page
    assert "argon2" not in page


@pytest.mark.parametrize("table", ["account_emailaddress", "mfa_authenticator", "auth_group"])
def test_tables_nobody_needs_are_not_in_the_admin(table: str, admin_client_mfa: Client) -> None:
    assert admin_client_mfa.get(f"/admin/{table.replace('_', '/', 1)}/").status_code == 404


def test_an_alias_is_checked_like_every_address(admin_client_mfa: Client) -> None:
    domain = make_domain("d.example")
    add = reverse("admin:migration_alias_add")

    bad = admin_client_mfa.post(add, {"domain": domain.pk, "local_part": "büro", "goto": "not an address"})
    assert set(bad.context["adminform"].form.errors) == {"local_part", "goto"}

    admin_client_mfa.post(add, {"domain": domain.pk, "local_part": "Office", "goto": "Anna@D.example, b@x.example"})
    alias = domain.aliases.get()
    clash = {"domain": domain.pk, "local_part": "office", "kind": "personal"}
    taken = admin_client_mfa.post(reverse("admin:migration_mailbox_add"), clash)
    assert set(taken.context["adminform"].form.errors) == {"local_part"}
    assert (alias.local_part, alias.goto) == ("office", "anna@d.example,b@x.example")
