"""The page of one mailbox: what happened, and what can be done about it."""

import html
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration.desk import timeline
from migration.models import Event, Mailbox, Mailing, Push
from tests.factories import HASH, make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db

S = Mailbox.State


def page_of(client: Client, mailbox: Mailbox, page: str = "mailbox") -> Any:
    return client.get(reverse(f"desk:{page}", args=[mailbox.pk]))


def press(client: Client, mailbox: Mailbox, button: str, **data: str) -> Any:
    answer = client.post(reverse(f"desk:{button}", args=[mailbox.pk]), data, follow=True)
    mailbox.refresh_from_db()
    return answer


def test_the_page_tells_the_whole_story_in_plain_words(support_client: Client) -> None:
    mailbox = make_mailbox("anna", domain=make_domain("d.example"), legacy=HASH)
    make_first_login(mailbox)
    make_push(mailbox, state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    record = partial(Event.record, actor="owner", mailbox=mailbox)
    record(Event.Action.SIGN_IN_FAILED, ip="192.0.2.7", reason="expired")
    record(Event.Action.PASSWORD_REFUSED, rules=["short", "a_new_rule"])
    record(Event.Action.PUSH_BLOCKED, reason=Push.Reason.POLICY.value)

    page = page_of(support_client, mailbox).content.decode()

    assert str(Push.Reason.QUOTA.label) in page
    assert str(Event.Action.SIGN_IN_FAILED.label) in page
    assert "192.0.2.7" in page
    assert str(timeline.SIGN_IN["expired"]) in page
    assert f"{timeline.RULES['short']}, a_new_rule" in page
    assert html.escape(str(Push.Reason.POLICY.label)) in page
    assert str(Mailing.State.SENT.label) in page


def test_no_page_shows_a_secret(staff_client: Callable[..., Client]) -> None:
    mailbox = make_mailbox("anna", domain=make_domain("d.example"), legacy=HASH)
    first_login, secret = make_first_login(mailbox)
    push = make_push(mailbox, state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)
    client = staff_client("admin")
    first_login.refresh_from_db()
    mailbox.refresh_from_db()

    for url in (
        reverse("desk:mailbox", args=[mailbox.pk]),
        reverse("desk:domain", args=[mailbox.domain_id]),
        reverse("desk:search") + "?q=anna",
        reverse("admin:migration_mailbox_change", args=[mailbox.pk]),
        reverse("admin:migration_push_change", args=[push.pk]),
        reverse("admin:migration_firstlogin_change", args=[first_login.pk]),
        reverse("admin:migration_mailing_change", args=[mailbox.mailings.get().pk]),
    ):
        page = client.get(url)
        text = page.content.decode()
        assert page.status_code == 200
        for kept in (secret, first_login.locator, HASH, "argon2", bytes(push.payload or b"").hex()):
            assert kept not in text, url
        for sealed in (first_login.mac, mailbox.legacy_hash):
            assert repr(bytes(sealed or b"")) not in text


def test_inviting_again_is_one_press_and_not_twice_at_once(support_client: Client) -> None:
    mailbox = make_mailbox()

    press(support_client, mailbox, "invite_one")
    again = press(support_client, mailbox, "invite_one")

    assert mailbox.state == S.INVITED
    assert mailbox.mailings.count() == 1
    assert [message.level_tag for message in again.context["messages"]] == ["error"]

    mailbox.first_logins.update(created_at=timezone.now() - timedelta(minutes=11))
    press(support_client, mailbox, "invite_one")
    assert mailbox.mailings.count() == 2


def test_without_an_announcement_the_button_asks_for_the_reason_first(admin_client_mfa: Client) -> None:
    mailbox = make_mailbox(domain=make_domain(announced=False))

    page = page_of(admin_client_mfa, mailbox).content.decode()
    refused = press(admin_client_mfa, mailbox, "invite_one")

    assert reverse("desk:invite", args=[mailbox.domain_id]) + "?selected=1&amp;mailbox=" in page
    assert mailbox.state == S.IMPORTED
    assert [message.level_tag for message in refused.context["messages"]] == ["error"]


def test_revoking_makes_the_mailed_password_worthless(support_client: Client) -> None:
    mailbox = make_mailbox()
    first_login, _secret = make_first_login(mailbox)
    assert reverse("desk:revoke", args=[mailbox.pk]) in page_of(support_client, mailbox).content.decode()

    press(support_client, mailbox, "revoke")

    first_login.refresh_from_db()
    assert first_login.revoked_at is not None
    page = page_of(support_client, mailbox)
    assert reverse("desk:revoke", args=[mailbox.pk]) not in page.content.decode()
    assert [badge.tone for badge in page.context["row"].badges] == ["warn"]


def test_a_blocked_push_can_be_tried_again(support_client: Client) -> None:
    mailbox = make_mailbox()
    push = make_push(mailbox, state=Push.State.BLOCKED, reason=Push.Reason.QUOTA)

    press(support_client, mailbox, "retry_push")

    push.refresh_from_db()
    assert push.state == Push.State.QUEUED
    assert mailbox.events.filter(action=Event.Action.PUSH_RETRIED, actor__startswith="staff:").exists()


def test_with_nothing_to_retry_the_desk_says_so(support_client: Client) -> None:
    answer = press(support_client, make_mailbox(), "retry_push")

    assert [message.level_tag for message in answer.context["messages"]] == ["error"]


def test_reopening_invites_again(support_client: Client) -> None:
    mailbox = make_mailbox()
    make_push(mailbox, state=Push.State.DELIVERED)

    press(support_client, mailbox, "reopen")

    assert mailbox.state == S.INVITED
    assert mailbox.mailings.count() == 1


def test_excluding_needs_a_reason_and_can_be_undone(admin_client_mfa: Client) -> None:
    mailbox = make_mailbox()

    assert press(admin_client_mfa, mailbox, "exclude", reason=" ").status_code == 200
    assert mailbox.state == S.IMPORTED

    press(admin_client_mfa, mailbox, "exclude", reason="left the company")
    assert mailbox.state == S.EXCLUDED
    assert "left the company" in page_of(admin_client_mfa, mailbox).content.decode()

    press(admin_client_mfa, mailbox, "include", reason="came back")
    assert mailbox.state == S.IMPORTED


def test_a_button_is_only_there_for_who_may_press_it(staff_client: Callable[..., Client]) -> None:
    mailbox = make_mailbox()

    for role, invites, excludes in (
        ("readonly", False, False),
        ("support", True, False),
        ("admin", True, True),
    ):
        page = page_of(staff_client(role), mailbox).content.decode()
        assert (reverse("desk:invite_one", args=[mailbox.pk]) in page) is invites
        assert (reverse("desk:exclude", args=[mailbox.pk]) in page) is excludes


def test_a_name_from_an_import_cannot_become_markup(support_client: Client) -> None:
    mailbox = make_mailbox(name='<script>alert("x")</script>')

    page = page_of(support_client, mailbox).content.decode()

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_forged_request_is_refused(staff_client: Callable[..., Client]) -> None:
    mailbox = make_mailbox()
    client = Client(enforce_csrf_checks=True)
    client.cookies = staff_client("support").cookies

    assert client.post(reverse("desk:invite_one", args=[mailbox.pk])).status_code == 403
    assert not mailbox.mailings.exists()
