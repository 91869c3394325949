"""Verbs on many mailboxes in the browser: the number first, a yes, then how far it is."""

import html
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from migration import bulk, domains, tasks
from migration.models import BulkRun, Domain, Event, Mailbox, Mailing, Push
from tests.factories import make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db

S, Kind, Verb = Mailbox.State, Mailbox.Kind, BulkRun.Verb


@pytest.fixture
def domain() -> Domain:
    return make_domain("d.example")


def asked(domain: Domain) -> str:
    return reverse("desk:bulk", args=[domain.pk])


def text_of(answer: Any) -> str:
    return html.unescape(" ".join(answer.content.decode().split()))


def say_yes(client: Client, domain: Domain, fields: dict[str, Any], **typed: Any) -> Any:
    """Open the question as a browser does, and send its form."""
    page = client.get(asked(domain), fields)
    hidden = re.findall(r'<input type="hidden" name="(key|seen)" value="([^"]*)"', page.content.decode())
    return client.post(asked(domain), fields | dict(hidden) | typed, follow=True)


def test_the_number_and_who_is_left_out_are_told_before_anything_happens(
    domain: Domain, support_client: Client
) -> None:
    chosen = [make_mailbox("anna", domain=domain), make_mailbox("otto", domain=domain, kind=Kind.OUTSIDE)]
    done = [make_mailbox("hannes", domain=domain, state=S.ACTIVE)]

    fields: dict[str, Any] = {"verb": "invite", "mailbox": [box.pk for box in chosen + done]}
    page = text_of(support_client.get(asked(domain), fields))

    assert "Send 2 invitations?" in page
    assert "<b>1</b> × active on the new server" in page
    assert "one person, forwards to outside" in page
    assert not BulkRun.objects.exists()
    assert not Mailing.objects.filter(kind="invitation").exists()


def test_only_selected_mailboxes_of_this_domain_are_invited(domain: Domain, support_client: Client) -> None:
    chosen, done = make_mailbox(domain=domain), make_mailbox(domain=domain, state=S.ACTIVE)
    other, elsewhere = make_mailbox(domain=domain), make_mailbox()
    numbers = [chosen.pk, done.pk, elsewhere.pk, "x", "9" * 30]

    page = say_yes(support_client, domain, {"verb": "invite", "mailbox": numbers})

    chosen.refresh_from_db()
    assert chosen.state == S.INVITED
    assert list(Mailing.objects.filter(kind="invitation")) == [chosen.mailings.get()]
    assert other.mailings.count() == elsewhere.mailings.count() == 0
    assert chosen.events.get().actor.startswith("staff:")
    assert "invite: done for 1 mailbox." in text_of(page)


@pytest.mark.parametrize("fields", [{"verb": "invite"}, {"verb": "nonsense", "all": "1"}, {"mailbox": "1"}])
def test_without_a_verb_or_a_selection_nothing_happens(
    domain: Domain, fields: dict[str, str], support_client: Client
) -> None:
    make_mailbox(domain=domain)

    for answer in (support_client.get(asked(domain), fields), support_client.post(asked(domain), fields)):
        assert answer.status_code == 302
    assert not BulkRun.objects.exists()


def test_all_that_match_are_done_and_the_others_left_alone(domain: Domain, support_client: Client) -> None:
    for name in ("anna", "hanna", "otto"):
        make_mailbox(name, domain=domain)
    make_mailbox("anna")

    say_yes(support_client, domain, {"verb": "invite", "all": "1", "q": "anna"})

    invited = Mailing.objects.filter(kind="invitation", domain=domain)
    assert set(invited.values_list("mailbox__local_part", flat=True)) == {"anna", "hanna"}
    assert not Mailing.objects.filter(kind="invitation").exclude(domain=domain).exists()


def test_if_more_would_be_done_than_was_told_it_is_asked_again(domain: Domain, support_client: Client) -> None:
    make_mailbox("anna", domain=domain)
    fields = {"verb": "invite", "all": "1"}

    answer = support_client.post(asked(domain), fields | {"key": str(uuid.uuid4()), "seen": "0"})

    assert answer.status_code == 409
    assert "Look at the numbers again" in text_of(answer)
    assert not BulkRun.objects.exists()


def test_a_double_click_does_nothing_twice(domain: Domain, support_client: Client) -> None:
    make_mailbox("anna", domain=domain)
    fields = {"verb": "invite", "all": "1", "key": str(uuid.uuid4()), "seen": "1"}

    for _click in range(2):
        assert support_client.post(asked(domain), fields).status_code == 302

    assert BulkRun.objects.count() == Mailing.objects.filter(kind="invitation").count() == 1


@pytest.mark.parametrize("key", ["", "no-uuid"])
def test_a_form_without_its_key_is_asked_again(domain: Domain, key: str, support_client: Client) -> None:
    make_mailbox("anna", domain=domain)

    answer = support_client.post(asked(domain), {"verb": "invite", "all": "1", "key": key, "seen": "1"})

    assert answer.status_code == 200
    assert not BulkRun.objects.exists()


@pytest.mark.parametrize("verb", [Verb.EXCLUDE, Verb.INCLUDE, Verb.SET_KIND])
def test_support_excludes_nobody_and_sets_no_kinds(domain: Domain, verb: str, support_client: Client) -> None:
    mailbox = make_mailbox("anna", domain=domain)
    fields: dict[str, str | int] = {"verb": verb, "mailbox": mailbox.pk, "reason": "x", "kind": "shared"}

    assert support_client.get(asked(domain), fields).status_code == 403
    answer = support_client.post(asked(domain), fields | {"key": str(uuid.uuid4()), "seen": "1"})

    assert answer.status_code == 403
    assert not BulkRun.objects.exists()
    assert f'value="{verb}"' not in support_client.get(reverse("desk:domain", args=[domain.pk])).content.decode()


def test_an_auditor_sees_how_far_it_is_and_begins_nothing(domain: Domain, staff_client: Callable[..., Client]) -> None:
    mailbox, auditor = make_mailbox("anna", domain=domain), staff_client("readonly")
    run = bulk.begin(domain, [mailbox.pk], bulk.Wish(Verb.INVITE), actor="staff:eva", key=uuid.uuid4())

    assert auditor.get(reverse("desk:bulk_run", args=[run.pk])).status_code == 200
    assert auditor.get(asked(domain), {"verb": "remind", "all": "1"}).status_code == 403
    assert auditor.post(asked(domain), {"verb": "remind", "all": "1"}).status_code == 403
    assert 'name="verb"' not in auditor.get(reverse("desk:domain", args=[domain.pk])).content.decode()


def test_excluding_wants_a_reason(domain: Domain, admin_client_mfa: Client) -> None:
    mailbox = make_mailbox("anna", domain=domain)
    fields = {"verb": "exclude", "mailbox": mailbox.pk}

    say_yes(admin_client_mfa, domain, fields)
    assert not BulkRun.objects.exists()

    say_yes(admin_client_mfa, domain, fields, reason="left the company")
    mailbox.refresh_from_db()
    assert mailbox.state == S.EXCLUDED


def test_a_kind_must_be_chosen_to_be_set(domain: Domain, admin_client_mfa: Client) -> None:
    mailbox = make_mailbox("office", domain=domain)
    fields = {"verb": "set_kind", "mailbox": mailbox.pk}

    say_yes(admin_client_mfa, domain, fields)
    assert not BulkRun.objects.exists()

    say_yes(admin_client_mfa, domain, fields, kind="shared")
    mailbox.refresh_from_db()
    assert mailbox.kind == Kind.SHARED


def test_blocked_transfers_start_again(domain: Domain, support_client: Client) -> None:
    push = make_push(make_mailbox(domain=domain), state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)

    say_yes(support_client, domain, {"verb": "retry", "all": "1", "need": "attention"})

    push.refresh_from_db()
    assert push.state == Push.State.QUEUED


def test_who_was_just_written_to_is_not_reminded(domain: Domain, support_client: Client) -> None:
    make_first_login(make_mailbox("anna", domain=domain))

    page = support_client.get(asked(domain), {"verb": "remind", "all": "1"})

    assert (page.context["number"], [number for _why, number in page.context["left_out"]]) == (0, [1])
    assert "There is nobody to do it to." in text_of(page)


def test_before_the_contact_was_told_only_an_admin_with_a_reason_invites(
    support_client: Client, admin_client_mfa: Client
) -> None:
    mailbox = make_mailbox(domain=make_domain(announced=False))
    fields = {"verb": "invite", "mailbox": mailbox.pk}

    refused = say_yes(support_client, mailbox.domain, fields, reason="I want to", key=str(uuid.uuid4()), seen="1")
    assert refused.status_code == 403
    say_yes(admin_client_mfa, mailbox.domain, fields)
    assert not mailbox.mailings.exists()

    say_yes(admin_client_mfa, mailbox.domain, fields, reason="told by telephone")
    assert mailbox.events.get().detail["reason"] == "told by telephone"


def test_a_paused_domain_says_so_and_offers_no_yes(domain: Domain, support_client: Client) -> None:
    make_mailbox(domain=domain)
    domains.pause(domain, actor="staff:eva")

    page = text_of(support_client.get(asked(domain), {"verb": "invite", "all": "1"}))

    assert "The domain is paused. Resume it first." in page
    assert "Yes, for" not in page


def test_many_are_left_to_a_worker_and_their_page_moves(domain: Domain, support_client: Client) -> None:
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"m{number}") for number in range(120))

    page = say_yes(support_client, domain, {"verb": "invite", "all": "1"})

    run = BulkRun.objects.get()
    progress = reverse("desk:bulk_progress", args=[run.pk])
    assert page.redirect_chain[-1][0] == reverse("desk:bulk_run", args=[run.pk])
    assert support_client.get(progress).json() == {"state": "working", "done": 0}
    assert "invite: 0 of 120" in text_of(support_client.get(reverse("desk:domain", args=[domain.pk])))

    bulk.work(run.pk, tired_after=0)
    assert support_client.get(progress).json() == {"state": "working", "done": bulk.PART}
    domains.pause(domain, actor="staff:eva")
    assert support_client.get(progress).json()["state"] == "held"
    domains.resume(domain, actor="staff:eva")
    tasks.work_bulk(run.pk)
    assert support_client.get(progress).json() == {"state": "ended", "done": 120}


def test_inviting_a_large_domain_is_a_workers_too(domain: Domain, support_client: Client) -> None:
    Mailbox.objects.bulk_create(Mailbox(domain=domain, local_part=f"m{number}") for number in range(120))
    make_mailbox("asked-for", domain=domain, kind=Kind.DORMANT)

    for _click in range(2):
        support_client.post(reverse("desk:invite", args=[domain.pk]))

    assert [run.chosen for run in BulkRun.objects.all()] == [120]
    assert Event.objects.filter(action=Event.Action.BULK_STARTED).count() == 1


def test_letters_for_the_selected_have_their_own_page(domain: Domain, support_client: Client) -> None:
    mailbox = make_mailbox(domain=domain)

    answer = support_client.get(asked(domain), {"verb": "letters", "mailbox": str(mailbox.pk)})

    letters = reverse("desk:letters", args=[domain.pk])
    assert answer["Location"] == f"{letters}?mailbox={mailbox.pk}&group=selected"
