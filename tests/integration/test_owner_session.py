"""The owner's session: what begins it, what ends it, and what it is never good for."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import owners
from migration import mailboxes
from migration.models import Event, FirstLogin, Mailbox, Push
from tests import factories

from .door import GOOD, owner_client, rows, save, sign_in

PAGES = ["/password", "/done", "/done/state"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_a_stranger_is_sent_to_the_sign_in(client: Client, db: None, page: str, method: str) -> None:
    response = getattr(client, method)(page)

    assert response.status_code in (302, 405)
    if response.status_code == 302:
        assert response["Location"] == "/"


def test_a_preset_session_is_not_kept(mailbox: Mailbox) -> None:
    client = Client()
    _, secret = factories.make_first_login(mailbox)
    session = client.session
    session["planted"] = "x"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)

    sign_in(client, mailbox.address, secret)

    assert client.session.session_key != session.session_key
    assert "planted" not in client.session
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    assert stranger.get("/password")["Location"] == "/"


def test_a_staff_sign_in_does_not_survive_an_owners_sign_in(mailbox: Mailbox, support_client: Client) -> None:
    _, secret = factories.make_first_login(mailbox)

    sign_in(support_client, mailbox.address, secret)

    assert "_auth_user_id" not in support_client.session
    assert support_client.get("/staff/").status_code in (302, 403)


def test_a_session_staff_signed_in_with_is_no_owners_session(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    client.force_login(factories.make_staff(), backend="accounts.staff.RoleBackend")

    assert client.get("/password").status_code == 302


def test_an_owner_reaches_no_staff_page(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    for page in ("/staff/", "/admin/", "/staff/sign-in/password/"):
        assert client.get(page).status_code in (302, 403)


def test_a_quiet_quarter_of_an_hour_ends_it(mailbox: Mailbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = owner_client(mailbox)
        clock.shift(timedelta(minutes=14, seconds=59))
        assert client.get("/password").status_code == 200
        clock.shift(timedelta(minutes=14, seconds=59))
        assert client.get("/password").status_code == 200
        clock.shift(timedelta(minutes=15))
        response = client.get("/password", follow=True)

    [(target, _)] = response.redirect_chain
    assert target == f"/s/{mailbox.first_logins.get().locator}"
    assert "signed out for safety" in response.content.decode()


def test_an_hour_ends_it_in_any_case(mailbox: Mailbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = owner_client(mailbox)
        for _ in range(5):
            clock.shift(timedelta(minutes=10))
            assert client.get("/password").status_code == 200
        clock.shift(timedelta(minutes=10))
        assert client.get("/password").status_code == 302


def test_the_done_pages_own_questions_do_not_keep_it_alive(mailbox: Mailbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = owner_client(mailbox)
        save(client)
        for _ in range(14):
            clock.shift(timedelta(minutes=1))
            assert client.get("/done/state").status_code == 200
        clock.shift(timedelta(minutes=1))
        assert client.get("/done/state").status_code == 302


def test_it_is_written_once_a_minute_at_most(mailbox: Mailbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = owner_client(mailbox)
        began = client.session[owners.KEY]["seen"]
        clock.shift(timedelta(seconds=59))
        client.get("/password")
        assert client.session[owners.KEY]["seen"] == began
        clock.shift(timedelta(seconds=1))
        client.get("/password")
        assert client.session[owners.KEY]["seen"] == began + 60


@pytest.mark.parametrize("verb", ["revoke", "re_invite", "exclude", "reopen"])
def test_what_support_does_ends_it_at_the_next_request(mailbox: Mailbox, verb: str) -> None:
    client = owner_client(mailbox)
    if verb == "reopen":
        save(client)
        mailbox.refresh_from_db()
        mailboxes.reopen(mailbox, actor="staff:eva")
    elif verb == "exclude":
        mailboxes.exclude(mailbox, actor="staff:eva", reason="leaves")
    elif verb == "re_invite":
        FirstLogin.objects.update(created_at=timezone.now() - timedelta(hours=1))
        mailboxes.re_invite(mailbox, actor="staff:eva")
    else:
        mailboxes.revoke(mailbox, actor="staff:eva")

    assert client.get("/password").status_code == 302
    assert save(client).status_code == 302
    assert not Push.objects.filter(mailbox=mailbox, state=Push.State.QUEUED).exists()


def test_a_new_password_ends_all_other_sessions_and_not_its_own(mailbox: Mailbox) -> None:
    here, elsewhere = owner_client(mailbox), owner_client(mailbox)

    save(here)

    assert here.get("/done").status_code == 200
    assert elsewhere.get("/done").status_code == 302


def test_another_mailbox_named_in_the_form_is_ignored(mailbox: Mailbox) -> None:
    other = factories.make_mailbox("berta", domain=mailbox.domain, state=Mailbox.State.SIGNED_IN)
    client = owner_client(mailbox)

    client.post(
        f"/password?mailbox={other.pk}",
        {
            "password": GOOD,
            "mailbox": other.pk,
            "mailbox_id": other.pk,
            "username": other.address,
            "address": other.address,
        },
    )

    assert Push.objects.get().mailbox == mailbox
    other.refresh_from_db()
    assert other.state == Mailbox.State.SIGNED_IN
    event = Event.objects.get(action=Event.Action.FOREIGN_MAILBOX)
    assert (event.mailbox, event.detail) == (mailbox, {"fields": ["address", "mailbox", "mailbox_id", "username"]})


@pytest.mark.parametrize("field", sorted(owners.NAMES_A_MAILBOX))
@pytest.mark.parametrize("page", ["/password", "/say"])
def test_each_field_that_names_another_mailbox_is_written_down(mailbox: Mailbox, page: str, field: str) -> None:
    client = owner_client(mailbox)

    client.post(page, {field: "berta@demo.example"})

    assert Event.objects.get(action=Event.Action.FOREIGN_MAILBOX).detail == {"fields": [field]}


def test_the_owners_own_address_in_a_form_is_nothing_to_write_down(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)

    client.post("/password", {"password": GOOD, "username": mailbox.address})

    assert not Event.objects.filter(action=Event.Action.FOREIGN_MAILBOX).exists()


def test_a_form_sent_after_the_end_is_kept_nowhere_n28(mailbox: Mailbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = owner_client(mailbox)
        clock.shift(timedelta(minutes=16))
        before = {table: count for table, count in rows().items() if table != "django_session"}
        response = save(client)

    assert response.status_code == 302
    assert {table: count for table, count in rows().items() if table != "django_session"} == before
    assert GOOD not in str(client.session.items())


def test_looking_at_pages_changes_nothing(mailbox: Mailbox) -> None:
    client = owner_client(mailbox)
    save(client)
    before = rows(), Event.objects.count(), Mailbox.objects.values().get()

    for page in [*PAGES, "/guide", "/", "/theme.css"]:
        client.get(page)
        client.head(page)

    assert (rows(), Event.objects.count(), Mailbox.objects.values().get()) == before
