"""The verbs of a plan: change it, pause, cut over, finish; what each refuses, and what it keeps."""

import uuid
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration import campaign, domains, mailboxes, pushes, retention
from migration.mailings import outbox
from migration.models import Domain, Event, Mailbox, Mailing, Push
from migration.refusals import VerbRefused
from sandbox.mailhost import MailHost
from tests.factories import HASH, make_domain, make_first_login, make_mailbox, make_push
from tests.planning import ADMIN

from .door import owner_client

pytestmark = pytest.mark.django_db

S, Action = Mailbox.State, Event.Action


def filled(**states: int) -> Domain:
    """A domain with so many mailboxes in each state."""
    domain = make_domain()
    for state, number in states.items():
        for _ in range(number):
            make_mailbox(domain=domain, state=state)
    return domain


def code_of(verb: object, domain: Domain, **values: object) -> str:
    with pytest.raises(VerbRefused) as refused:
        verb(domain, actor=ADMIN, **values)  # type: ignore[operator]
    return refused.value.code


def test_a_changed_plan_keeps_what_was_before() -> None:
    domain = make_domain(deadline=date(2026, 12, 15))

    domains.change_plan(domain, actor=ADMIN, deadline=date(2026, 12, 20), remind_days=[7])
    again = domains.change_plan(domain, actor=ADMIN, deadline=date(2026, 12, 20), remind_days=[7])

    event = Event.objects.get(action=Action.PLAN_CHANGED)
    assert event.detail == {"changes": {"deadline": ["2026-12-15", "2026-12-20"], "remind_days": [None, [7]]}}
    assert event.actor == ADMIN
    assert not again
    assert Domain.objects.get().planned_at is not None


def test_the_plan_of_a_finished_domain_stays() -> None:
    domain = make_domain(ended_at=timezone.now())

    assert code_of(domains.change_plan, domain, deadline=date(2026, 12, 20)) == "ended"


def test_a_pause_tells_who_and_why_and_is_over_when_resumed() -> None:
    domain = make_domain()

    domains.pause(domain, actor=ADMIN, reason="wrong list")
    paused = Domain.objects.get()
    second = domains.pause(domain, actor="staff:other@provider.example", reason="me too")
    domains.resume(domain, actor=ADMIN)

    assert (paused.paused_by, paused.paused_reason) == (ADMIN, "wrong list")
    assert not second
    resumed = Domain.objects.get()
    assert (resumed.paused_at, resumed.paused_by, resumed.paused_reason) == (None, "", "")
    assert list(Event.objects.order_by("pk").values_list("action", flat=True)) == ["paused", "resumed"]


def test_while_everything_is_paused_no_mail_and_no_push_leaves_and_then_both_do(host: MailHost) -> None:
    mailbox = make_mailbox()
    mailing = mailboxes.invite(mailbox, actor=ADMIN)
    push = make_push(make_mailbox())
    campaign.pause(actor=ADMIN, reason="old server down")

    outbox.send(mailing.pk)
    held = list(pushes.due()), pushes.claim(push.pk), len(host.mails())
    campaign.resume(actor=ADMIN)
    outbox.send(mailing.pk)

    assert held == ([], None, 0)
    assert len(host.mails()) == 1
    assert list(pushes.due()) == [push]
    assert [event.domain for event in Event.objects.filter(action__in=(Action.PAUSED, Action.RESUMED))] == [None, None]


def test_a_domain_paused_by_itself_stays_paused_when_the_rest_goes_on() -> None:
    domain = make_domain()
    domains.pause(domain, actor=ADMIN)
    campaign.pause(actor=ADMIN)

    first, second = campaign.resume(actor=ADMIN), campaign.resume(actor=ADMIN)

    assert (first, second) == (True, False)
    assert Domain.objects.get().paused_at is not None


@pytest.mark.parametrize(("done", "open_", "goes"), [(19, 1, True), (18, 2, False), (0, 1, False), (0, 0, True)])
def test_a_cut_over_below_the_share_needs_a_reason(done: int, open_: int, goes: bool) -> None:
    domain = filled(active=done, invited=open_, excluded=3)

    if not goes:
        assert code_of(domains.cut_over, domain) == "too_few_done"
        assert Domain.objects.get().cut_over_at is None
    domains.cut_over(domain, actor=ADMIN, reason="" if goes else "the old server dies tonight")

    event = Event.objects.get(action=Action.CUT_OVER)
    assert (event.detail["done"], event.detail["all"]) == (done, done + open_)
    assert event.detail.get("reason", "") == ("" if goes else "the old server dies tonight")
    assert domain.cut_over_at is not None


def test_the_share_is_a_setting(settings: object) -> None:
    settings.CUT_OVER_SHARE = 50  # type: ignore[attr-defined]
    domain = filled(active=1, invited=1)

    domains.cut_over(domain, actor=ADMIN)

    assert code_of(domains.cut_over, domain) == "cut_over_already"


def test_a_cut_over_can_be_taken_back_with_a_reason() -> None:
    domain = filled(active=1)
    assert code_of(domains.undo_cut_over, domain, reason="x") == "not_cut_over"
    domains.cut_over(domain, actor=ADMIN)

    assert code_of(domains.undo_cut_over, domain, reason=" ") == "no_reason"
    domains.undo_cut_over(domain, actor=ADMIN, reason="MX was wrong")

    assert Domain.objects.get().cut_over_at is None
    assert Event.objects.get(action=Action.CUT_OVER_UNDONE).detail["reason"] == "MX was wrong"


def test_old_hashes_go_thirty_days_after_the_cut_over() -> None:
    mailbox = make_mailbox(legacy="{PLAIN}secret", state=S.INVITED)
    domains.cut_over(mailbox.domain, actor=ADMIN, reason="now")
    kept = retention.run(retention.RULES, dry_run=True)["legacy_hash"]
    Domain.objects.update(cut_over_at=timezone.now() - timedelta(days=31))

    assert (kept, retention.run(retention.RULES)["legacy_hash"]) == (0, 1)
    assert Mailbox.objects.get().legacy_hash is None


@pytest.mark.parametrize(
    "state", [Push.State.QUEUED, Push.State.WAITING, Push.State.BLOCKED, Push.State.IN_FLIGHT, Push.State.SETTLING]
)
def test_a_domain_with_an_open_push_does_not_end(state: Push.State) -> None:
    mailbox = make_mailbox()
    push = make_push(mailbox)
    Push.objects.filter(pk=push.pk).update(state=state, confirmed_update="2026-11-24 10:00:00")
    domains.cut_over(mailbox.domain, actor=ADMIN, reason="now")

    assert code_of(domains.finish, mailbox.domain, reason="now") == "pushes_open"


def test_a_domain_ends_after_the_cut_over_with_a_reason_while_somebody_is_open() -> None:
    domain = filled(active=1, invited=1)

    assert code_of(domains.finish, domain, reason="now") == "not_cut_over"
    domains.cut_over(domain, actor=ADMIN, reason="now")
    assert code_of(domains.finish, domain) == "still_open"
    domains.finish(domain, actor=ADMIN, reason="nobody misses the last one")
    assert code_of(domains.finish, domain, reason="again") == "ended"
    assert code_of(domains.undo_cut_over, domain, reason="again") == "not_cut_over"

    assert Event.objects.get(action=Action.FINISHED).detail["done"] == 1


def ended(state: str = S.ACTIVE) -> Mailbox:
    mailbox = make_mailbox(state=state)
    domains.cut_over(mailbox.domain, actor=ADMIN, reason="now")
    domains.finish(mailbox.domain, actor=ADMIN, reason="now")
    return Mailbox.objects.select_related("domain__customer").get(pk=mailbox.pk)


def test_a_finished_domain_mails_nobody() -> None:
    mailbox = make_mailbox()
    waiting = mailboxes.invite(mailbox, actor=ADMIN)
    domains.cut_over(mailbox.domain, actor=ADMIN, reason="now")
    domains.finish(mailbox.domain, actor=ADMIN, reason="now")

    waiting.refresh_from_db()
    assert waiting.state == Mailing.State.CANCELLED
    late = outbox.enqueue(
        Mailing.Kind.PASSWORD_SAVED, domain=mailbox.domain, mailbox=mailbox, recipient=mailbox.address, language="de"
    )
    outbox.send(late.pk)
    late.refresh_from_db()
    assert late.state == Mailing.State.CANCELLED


@pytest.mark.parametrize("verb", [mailboxes.invite, mailboxes.re_invite, mailboxes.reopen, mailboxes.send_another])
def test_nobody_of_a_finished_domain_is_invited(verb: object) -> None:
    mailbox = ended()

    with pytest.raises(VerbRefused) as refused:
        verb(mailbox, actor=ADMIN)  # type: ignore[operator]

    assert refused.value.code == "ended"
    with pytest.raises(VerbRefused):
        domains.announce(mailbox.domain, actor=ADMIN, subject="s", text="t")


@pytest.mark.parametrize("state", [S.SIGNED_IN, S.ACTIVE])
def test_an_owner_of_a_finished_domain_is_sent_to_the_new_server(mailbox: Mailbox, state: str) -> None:
    client = owner_client(mailbox)
    Mailbox.objects.update(state=state)
    domains.cut_over(mailbox.domain, actor=ADMIN, reason="now")
    domains.finish(mailbox.domain, actor=ADMIN, reason="now")

    page = client.get(reverse("accounts:password"))

    assert "Your mailbox has moved" in page.content.decode()
    mailbox = Mailbox.objects.select_related("domain").get()
    with pytest.raises(VerbRefused) as refused:
        mailboxes.set_password(mailbox, password_hash=HASH, kept_old=False, submission=uuid.uuid4(), ip=None)
    assert refused.value.code == "handed_over"


def test_a_sign_in_after_the_end_shows_the_same_page(mailbox: Mailbox) -> None:
    first_login, secret = make_first_login(mailbox)
    Domain.objects.update(cut_over_at=timezone.now(), ended_at=timezone.now())
    client = Client()

    page = client.post(f"/s/{first_login.locator}", {"address": mailbox.address, "secret": secret}, follow=True)

    assert "Your mailbox has moved" in page.content.decode()
