"""The mailbox's page says in one sentence whether the owner has his password, why it does not work, and what to do."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migration import campaign, cases, mailboxes, notes
from migration.desk import story
from migration.models import Ban, Case, Event, Mailbox, Mailing, Push, SourceLogin, Target, TargetLogin
from tests.factories import make_domain, make_first_login, make_mailbox, make_push

pytestmark = pytest.mark.django_db

S = Mailbox.State


def told(client: Client, mailbox: Mailbox, **asked: str) -> Any:
    return client.get(f"/staff/mailboxes/{mailbox.pk}/", asked).context


def mailed(mailbox: Mailbox, **fields: Any) -> Mailing:
    row, _secret = make_first_login(mailbox)
    Mailing.objects.filter(first_login=row).update(**fields)
    return Mailing.objects.get(first_login=row)


def answer(client: Client, mailbox: Mailbox) -> str:
    return str(told(client, mailbox)["situation"].answer)


def test_not_invited_yet(support_client: Client) -> None:
    assert answer(support_client, make_mailbox()) == "No: the owner has not been invited yet."
    assert "contact has not been told" in answer(support_client, make_mailbox(domain=make_domain(announced=False)))


@pytest.mark.parametrize(
    ("mail", "says", "now"),
    [
        ({"state": "queued"}, "still on its way", "Wait for it."),
        ({"state": "sent"}, "nobody has signed in yet", "Give a code on the phone"),
        ({"state": "failed", "error": "550 5.7.1 no"}, "did not arrive. 550 5.7.1 no", "Remove the cause"),
        (
            {"state": "sent", "bounced_at": timezone.now(), "bounce_code": "5.2.2"},
            "did not arrive.",
            "Remove the cause",
        ),
    ],
)
def test_invited(mail: dict[str, Any], says: str, now: str, support_client: Client) -> None:
    mailbox = make_mailbox(state=S.INVITED)
    mailed(mailbox, sent_at=timezone.now(), **mail)

    situation = told(support_client, mailbox)["situation"]

    assert situation.answer.startswith("No:")
    assert says in situation.answer
    assert situation.now.startswith(now)


def test_first_login_password_that_works_no_more(support_client: Client) -> None:
    mailbox = make_mailbox(state=S.INVITED)
    mailed(mailbox, state="sent")
    mailbox.first_logins.update(revoked_at=timezone.now())

    assert answer(support_client, mailbox) == "No: the first-login password no longer works."


def test_signed_in_and_refused_by_the_rules(support_client: Client) -> None:
    mailbox = make_mailbox(state=S.SIGNED_IN)
    make_first_login(mailbox)
    Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=mailbox)
    Event.record(Event.Action.PASSWORD_REFUSED, actor="owner", mailbox=mailbox, rules=["short", "digit"])

    assert answer(support_client, mailbox).endswith("The last one he tried was refused: too short, no digit.")


@pytest.mark.parametrize(
    ("state", "push", "says"),
    [
        (S.PASSWORD_SET, {}, "on its way to the new server"),
        (S.PASSWORD_SET, {"state": Push.State.WAITING, "reason": "busy"}, "not arrived on the new server yet"),
        (S.PASSWORD_SET, {"state": Push.State.BLOCKED, "reason": "quota"}, "The quota of the mailbox"),
        (S.ACTIVE, {"state": Push.State.DELIVERED}, "has not been seen there yet"),
    ],
)
def test_saved(state: str, push: dict[str, Any], says: str, support_client: Client) -> None:
    mailbox = make_mailbox()
    make_push(mailbox, **push)
    Mailbox.objects.update(state=state)

    assert answer(support_client, mailbox).startswith("Yes, on ")
    assert says in answer(support_client, mailbox)


def test_seen_on_the_new_server(support_client: Client) -> None:
    mailbox = make_mailbox(state=S.MOVED)
    TargetLogin.objects.create(mailbox=mailbox, imap_at=timezone.now())

    context = told(support_client, mailbox)

    assert context["situation"].answer.startswith("Yes, and the owner has read his mail")
    assert [moment.why for _day, moments in context["story"].days for moment in moments] == ["IMAP"]


def test_excluded_with_its_reason(support_client: Client) -> None:
    mailbox = make_mailbox()
    mailboxes.exclude(mailbox, actor="staff:eva", reason="left the company")

    assert answer(support_client, mailbox) == "No: the mailbox is excluded from the move. “left the company”"


def test_wrong_tries_since_the_owner_was_let_in(support_client: Client) -> None:
    mailbox = make_mailbox(state=S.SIGNED_IN)
    for action, reason in (("sign_in_failed", "wrong"), ("signed_in", ""), *(("sign_in_failed", "expired"),) * 2):
        Event.record(Event.Action(action), actor="owner", mailbox=mailbox, reason=reason)

    [hint] = told(support_client, mailbox)["situation"].hints

    assert hint.startswith("2 wrong tries since, the last on ")
    assert hint.endswith("The first-login password had expired.")


def test_what_holds_everything_up_is_said(support_client: Client) -> None:
    mailbox = make_mailbox()
    make_push(mailbox, state=Push.State.WAITING, reason="key")
    Target.objects.update_or_create(defaults={"breaker_opened_at": timezone.now(), "breaker_reason": "key"})
    campaign.pause(actor="staff:eva")

    hints = told(support_client, mailbox)["situation"].hints

    assert [hint[:22] for hint in hints] == ["The whole move is paus", "The new server refuses"]


def test_a_ban_where_the_owner_came_from(support_client: Client) -> None:
    mailbox = make_mailbox(state=S.ACTIVE)
    SourceLogin.objects.create(mailbox=mailbox, at=timezone.now(), ip="192.0.2.7")
    Ban.objects.create(network="192.0.2.0/24", until=timezone.now() + timedelta(hours=1))
    Ban.objects.create(network="198.51.100.0/24", until=None)

    situation = told(support_client, mailbox)["situation"]

    assert situation.hints == ["The new server keeps out 192.0.2.0/24, where the owner came from."]
    assert "/staff/bans/" in support_client.get(f"/staff/mailboxes/{mailbox.pk}/").content.decode()


def test_what_is_not_possible_is_said_with_its_reason(support_client: Client) -> None:
    mailbox = make_mailbox()
    mailboxes.invite(mailbox, actor="staff:eva")

    context = told(support_client, mailbox)

    refused = {refusal.verb: refusal.why for refusal in context["refused"]}
    assert set(refused) == {"invite", "reopen", "retry_push", "revoke"}
    assert "less than ten minutes old" in refused["invite"]
    assert not context["may_mail"]


@pytest.mark.parametrize(
    ("domain", "why"), [({"paused_at": timezone.now()}, "is paused"), ({"ended_at": timezone.now()}, "is finished")]
)
def test_no_button_where_the_domain_stands_still(domain: dict[str, Any], why: str, support_client: Client) -> None:
    mailbox = make_mailbox(domain=make_domain(**domain), state=S.INVITED)

    page = support_client.get(f"/staff/mailboxes/{mailbox.pk}/")

    assert f"/staff/mailboxes/{mailbox.pk}/invite/" not in page.content.decode()
    assert why in {refusal.verb: refusal.why for refusal in page.context["refused"]}["invite"]


def test_the_owners_case_is_answered_where_it_is_read(mailbox: Mailbox, support_client: Client) -> None:
    case = cases.open_case(mailbox, kind=Case.Kind.NOT_MINE, note="Ask Eva.", ip=None)

    page = support_client.get(f"/staff/mailboxes/{mailbox.pk}/").content.decode()
    support_client.post(f"/staff/cases/{case.pk}/close/", {"answer": "Asked."})

    assert "Ask Eva." in page
    assert f"/staff/cases/{case.pk}/close/" in page
    assert Case.objects.get().closed_at is not None


def moments(context: Any) -> list[str]:
    return [moment.what for _day, of_day in context["story"].days for moment in of_day]


@pytest.fixture
def told_by_everybody(mailbox: Mailbox) -> Mailbox:
    for action, actor in (
        ("invited", "staff:eva@x.example"),
        ("mail_sent", "worker"),
        ("signed_in", "owner"),
        ("push_delivered", "worker"),
    ):
        Event.record(Event.Action(action), actor=actor, mailbox=mailbox)
    SourceLogin.objects.create(mailbox=mailbox, at=timezone.now() - timedelta(days=2), ip="192.0.2.7", protocol="imap")
    return mailbox


@pytest.mark.parametrize(
    ("show", "number"), [("", 5), ("all", 5), ("owner", 2), ("staff", 1), ("transfer", 1), ("mails", 2), ("x", 5)]
)
def test_the_timeline_is_narrowed(show: str, number: int, told_by_everybody: Mailbox, support_client: Client) -> None:
    assert len(moments(told(support_client, told_by_everybody, show=show))) == number


def test_the_timeline_goes_by_days_and_pages(
    mailbox: Mailbox, support_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "PER_PAGE", 2)
    pks = [Event.record(Event.Action.INVITED, actor="worker", mailbox=mailbox).pk for _ in range(3)]
    SourceLogin.objects.create(mailbox=mailbox, at=timezone.now() - timedelta(days=2))

    first = told(support_client, mailbox)
    second = told(support_client, mailbox, before=str(pks[1]))

    assert moments(first) == ["invited", "invited"]
    assert moments(second) == ["invited", "newest login on the old server"]
    assert first["story"].older == pks[1]
    assert [len(of_day) for _day, of_day in second["story"].days] == [1, 1]


def test_a_notes_text_stands_on_the_timeline(mailbox: Mailbox, support_client: Client) -> None:
    notes.write(mailbox, actor="staff:eva", text="Calls back.")

    [(_day, [moment])] = told(support_client, mailbox)["story"].days

    assert (moment.what, moment.why, moment.who) == ("note written", "Calls back.", "eva")


def test_more_of_everything_takes_no_more_queries(mailbox: Mailbox, support_client: Client) -> None:
    def more() -> None:
        for number in range(6):
            mailed(mailbox, state="sent")
            make_push(mailbox, state=Push.State.DELIVERED)
            notes.write(mailbox, actor=f"staff:{number}@x.example", text="x", follow_up_on=timezone.localdate())
            Event.record(Event.Action.SIGN_IN_FAILED, actor="owner", mailbox=mailbox, ip="192.0.2.7", reason="wrong")
            Event.record(Event.Action.MAIL_SENT, actor="worker", mailbox=mailbox, mailing=number)
            Ban.objects.get_or_create(network=f"198.51.100.{number}/32")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            told(support_client, mailbox)
        return len(captured)

    more()
    queries()
    before = queries()
    more()

    assert queries() == before
