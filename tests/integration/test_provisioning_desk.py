"""The desk's page of a domain on the new server: findings first, two buttons for admins, every object's state."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migration import domains, provisioning
from migration.models import Domain, ProvisionedObject, Provisioning
from sandbox.mailcow import MailcowStandIn
from tests.provisioning import NAME, STAFF, checked, make_domain, started, writes

pytestmark = pytest.mark.django_db


def url(name: str, domain: Domain) -> str:
    return reverse(f"desk:{name}", args=[domain.pk])


def page(client: Client, domain: Domain, **query: str) -> str:
    answer = client.get(url("provisioning", domain), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_admin_checks_reads_and_begins(admin_client_mfa: Client, mailcow: MailcowStandIn) -> None:
    domain = make_domain()

    assert "Check the new server" in page(admin_client_mfa, domain)
    admin_client_mfa.post(url("provisioning_check", domain))
    assert "A worker is looking at the new server." in page(admin_client_mfa, domain)
    provisioning.check(Provisioning.objects.get().pk)
    assert "Not there yet: 1 domain, 1 mailboxes, 1 aliases." in page(admin_client_mfa, domain)
    admin_client_mfa.post(url("provisioning_start", domain))
    assert "<span data-done>0</span> / 3" in page(admin_client_mfa, domain)
    provisioning.work(Provisioning.objects.get().pk)

    done = page(admin_client_mfa, domain)
    assert "made: 3" in done
    assert "data-progress" not in done
    assert list(mailcow.mailboxes) == ["m0@demo.example"]


def test_the_web_process_asks_mailcow_nothing(admin_client_mfa: Client, mailcow: MailcowStandIn) -> None:
    domain = make_domain()
    started(domain)
    mailcow.calls.clear()

    admin_client_mfa.post(url("provisioning_check", domain))
    admin_client_mfa.post(url("provisioning_start", domain))
    page(admin_client_mfa, domain)

    assert not mailcow.calls


@pytest.mark.parametrize("name", ["provisioning_check", "provisioning_start"])
def test_support_reads_and_begins_nothing(name: str, support_client: Client, mailcow: MailcowStandIn) -> None:
    domain = make_domain()
    checked(domain)

    assert support_client.post(url(name, domain)).status_code == 403

    shown = page(support_client, domain)
    assert "Findings" in shown
    assert url("provisioning_start", domain) not in shown
    assert url("provisioning_check", domain) not in shown
    assert Provisioning.objects.get().check_due_at is None
    assert not ProvisionedObject.objects.exists()


def test_nothing_is_begun_without_a_check(admin_client_mfa: Client, mailcow: MailcowStandIn) -> None:
    domain = make_domain()

    answer = admin_client_mfa.post(url("provisioning_start", domain), follow=True)

    assert "Let the new server be checked first" in answer.content.decode()
    assert not ProvisionedObject.objects.exists()


def test_what_must_be_mended_first_hides_the_button_and_is_refused(
    admin_client_mfa: Client, mailcow: MailcowStandIn
) -> None:
    mailcow.add_domain(NAME, mailboxes=0)
    domain = make_domain()
    checked(domain)

    shown = page(admin_client_mfa, domain)
    answer = admin_client_mfa.post(url("provisioning_start", domain), follow=True)

    assert "must be mended first" in shown
    assert url("provisioning_start", domain) not in shown
    assert "Something must be mended first" in answer.content.decode()
    assert writes(mailcow) == []


def test_what_differs_is_told_with_its_reason(admin_client_mfa: Client, mailcow: MailcowStandIn) -> None:
    mailcow.add_mailbox("m0@demo.example", authsource="ldap")
    row = started(make_domain())
    provisioning.work(row.pk)

    shown = page(admin_client_mfa, row.domain, state="differs")

    assert "takes this mailbox&#x27;s password from elsewhere" in shown
    assert "a0@demo.example" not in shown.partition('id="objects"')[2]


def test_a_check_without_an_answer_says_why(admin_client_mfa: Client, mailcow: MailcowStandIn) -> None:
    mailcow.faults.wrong_key()
    domain = make_domain()
    checked(domain)

    assert "The last check brought nothing: The new server refuses our key." in page(admin_client_mfa, domain)


def test_a_paused_domain_says_so(admin_client_mfa: Client, mailcow: MailcowStandIn) -> None:
    domain = make_domain()
    checked(domain)
    domains.pause(domain, actor=STAFF)

    shown = page(admin_client_mfa, domain)

    assert "nothing is made until it is resumed" in shown
    assert url("provisioning_start", domain) not in shown


def test_the_script_is_told_how_far_it_is(support_client: Client, mailcow: MailcowStandIn) -> None:
    domain = make_domain()
    assert support_client.get(url("provisioning_progress", domain)).json() == {"state": "new", "done": 0}
    row = started(domain)
    assert support_client.get(url("provisioning_progress", domain)).json() == {"state": "working", "done": 0}
    provisioning.work(row.pk)

    answer = support_client.get(url("provisioning_progress", domain))

    assert answer.json() == {"state": "resting", "done": 3}
    assert answer["Cache-Control"] == "no-store"


def test_an_address_is_text_on_the_page(admin_client_mfa: Client, mailcow: MailcowStandIn) -> None:
    row = checked(make_domain())
    Provisioning.objects.update(findings=[["note", "goto_nowhere", "<b>a</b>", {"target": "<script>"}]])

    shown = page(admin_client_mfa, row.domain)

    assert "&lt;b&gt;a&lt;/b&gt;" in shown
    assert "&lt;script&gt;" in shown


def test_twice_as_many_objects_cost_no_more_questions(support_client: Client, mailcow: MailcowStandIn) -> None:
    numbers = []
    for size, name in ((8, "small.example"), (16, "large.example")):
        row = started(make_domain(mailboxes=size, aliases=size, name=name))
        page(support_client, row.domain)
        with CaptureQueriesContext(connection) as queries:
            page(support_client, row.domain)
        numbers.append(len(queries))

    assert numbers[0] == numbers[1]
