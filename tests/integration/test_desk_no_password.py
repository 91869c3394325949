"""No page of the staff shows an owner's password, old or new, or a secret that leads to it; and none takes one."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from migration import phone_codes
from migration.models import Case, Mailbox, Push
from tests import factories

from .test_letters import printed, secrets

OLD_HASH = "{SSHA}b2xkLXBhc3N3b3JkLW9sZC1wYXNzd29yZA=="
FIELD = re.compile(r"<(?:input|textarea|select)[^>]*>")
TAKES_ONE = re.compile(r"type=.password|name=[\"']?[\w-]*(?:pass|secret|digits|hash)", re.IGNORECASE)
# The mailing account of an old server is no owner's.
OF_A_SERVER = re.compile(r"/admin/migration/source/")


@pytest.fixture
def canaries(db: None) -> list[str]:
    """A mailbox with everything that must not be seen."""
    customer = factories.make_customer(postal_address="Dorfplatz 1")
    domain = factories.make_domain("demo.example", customer=customer)
    mailbox = factories.make_mailbox("anna", domain=domain, legacy=OLD_HASH)
    first_login, secret = factories.make_first_login(mailbox)
    [on_paper] = secrets(printed(domain, mailbox))
    code = phone_codes.give(mailbox, actor="staff:x", checked="contact", note="", seen=None)
    push = factories.make_push(mailbox)
    Case.objects.create(mailbox=mailbox, kind=Case.Kind.SHARED)
    mailbox.refresh_from_db()
    sealed = [bytes(value or b"").hex() for value in (mailbox.legacy_hash, first_login.mac, push.payload)]
    return [OLD_HASH, factories.HASH, secret, on_paper.lower(), code, phone_codes.show(code), *sealed]


def desk_pages() -> Iterator[str]:
    """Every page of the desk, with the numbers of what there is."""
    mailbox, case = Mailbox.objects.get(), Case.objects.get()
    desk = next(
        entry for entry in get_resolver().url_patterns if isinstance(entry, URLResolver) and entry.namespace == "desk"
    )
    for entry in desk.url_patterns:
        assert isinstance(entry, URLPattern)
        route = str(entry.pattern)
        pk = mailbox.domain_id if "domains" in route else case.pk if "cases" in route else mailbox.pk
        try:
            yield reverse(f"desk:{entry.name}", args=[pk] if "<" in route else [])
        except NoReverseMatch:
            yield "/staff/" + re.sub(r"<[^>]+>", str(pk), route)


def admin_pages() -> Iterator[str]:
    """Every page of the Django admin about the move."""
    for model in admin.site._registry:
        meta = model._meta
        yield reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        yield reverse(f"admin:{meta.app_label}_{meta.model_name}_add")
        for row in model._default_manager.all():
            yield reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def test_no_page_shows_one_or_has_a_field_for_one(admin_client_mfa: Client, canaries: list[str]) -> None:
    seen = 0
    for address in [*desk_pages(), *admin_pages()]:
        answer = admin_client_mfa.get(address)
        if answer.status_code != 200 or answer.streaming:
            continue
        seen += 1
        page = answer.content.decode(errors="replace")
        assert [canary for canary in canaries if canary in page.lower() or canary in page] == [], address
        if not OF_A_SERVER.match(address):
            assert [field for field in FIELD.findall(page) if TAKES_ONE.search(field)] == [], address

    assert seen > 25


def test_no_page_takes_one_however_it_is_named(admin_client_mfa: Client, canaries: list[str]) -> None:
    before = list(Push.objects.values_list("pk", "version"))
    sent = dict.fromkeys(
        ("password", "password1", "new_password", "secret", "legacy_hash", "code"), "Amber24-Rabe-Wabe"
    )

    for address in desk_pages():
        if "provisioning" not in address:
            admin_client_mfa.post(address, sent)

    assert list(Push.objects.values_list("pk", "version")) == before
    assert Mailbox.objects.get().version == 1
