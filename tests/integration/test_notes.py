"""Notes on mailboxes: support writes them and follows them up, who reads only reads them, and they hold no secret."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import retention
from migration import first_login, notes
from migration.models import Event, Mailbox, Note
from migration.refusals import VerbRefused
from tests.factories import HASH, make_first_login, make_mailbox, make_staff

pytestmark = pytest.mark.django_db

LIST = "/staff/follow-ups/"


def today() -> date:
    return timezone.localdate()


@pytest.fixture
def note(mailbox: Mailbox) -> Note:
    """To be followed up today."""
    return notes.write(mailbox, actor="staff:eva@x.example", text="Calls back.", follow_up_on=today())


def test_support_writes_a_note_and_the_trail_tells_so_without_its_text(
    mailbox: Mailbox, support_client: Client
) -> None:
    answer = support_client.post(
        f"/staff/mailboxes/{mailbox.pk}/note/", {"text": "Calls back.\r\nAsk Eva.", "follow_up_on": ""}, follow=True
    )

    written = Note.objects.get()
    assert (written.mailbox, written.text, written.follow_up_on, written.follow_up_by) == (
        mailbox,
        "Calls back.\nAsk Eva.",
        None,
        "",
    )
    assert "Calls back.<br>Ask Eva." in answer.content.decode()
    event = Event.objects.get(action=Event.Action.NOTED)
    assert event.detail == {"note": written.pk}
    assert event.actor == written.written_by


@pytest.mark.parametrize(
    "text",
    [
        "Password is Kfp7-mrt4-xwd9-hc3q",
        "kfp7mrt4xwd9hc3q",
        "KFP7 MRT4 XWD9 HC3Q!",
        "kfp7\u2013mrt4\u2013xwd9\u2013hc3q",
        HASH,
        "$2y$10$abcdefgh",
    ],
)
def test_a_note_with_a_password_is_refused(text: str, mailbox: Mailbox) -> None:
    with pytest.raises(VerbRefused) as refused:
        notes.write(mailbox, actor="staff:eva", text=text)

    assert refused.value.code == "note_with_secret"
    assert not Note.objects.exists()


def test_the_password_that_was_mailed_is_refused_as_it_is_shown(mailbox: Mailbox) -> None:
    _row, secret = make_first_login(mailbox)

    for typed in (secret, first_login.show(secret)):
        with pytest.raises(VerbRefused):
            notes.write(mailbox, actor="staff:eva", text=f"He has {typed} from us.")


@pytest.mark.parametrize("text", ["Ruft 0664 1234 5678 9012 an, Postfach bb-cc.", "Wird nächste Woche übersiedelt."])
def test_a_plain_sentence_is_none(text: str, mailbox: Mailbox) -> None:
    assert notes.write(mailbox, actor="staff:eva", text=text).text == text


@pytest.mark.parametrize(
    ("text", "day", "code"), [(" \n", None, "no_note"), ("x", today() - timedelta(days=1), "follow_up_over")]
)
def test_what_cannot_be_kept_is_refused(text: str, day: date | None, code: str, mailbox: Mailbox) -> None:
    with pytest.raises(VerbRefused) as refused:
        notes.write(mailbox, actor="staff:eva", text=text, follow_up_on=day)

    assert refused.value.code == code


def test_a_note_that_is_too_long_comes_back_with_its_text(mailbox: Mailbox, support_client: Client) -> None:
    text = "long " * 500

    answer = support_client.post(f"/staff/mailboxes/{mailbox.pk}/note/", {"text": text})

    assert answer.status_code == 422
    assert text.strip() in answer.content.decode()
    assert not Note.objects.exists()


def test_the_days_work_is_listed_and_counted_on_every_page(note: Note, support_client: Client) -> None:
    notes.write(note.mailbox, actor="staff:eva@x.example", text="Later.", follow_up_on=today() + timedelta(days=3))

    rows = support_client.get(LIST).context["rows"]

    assert [(row["note"].text, row["is_due"]) for row in rows] == [("Calls back.", True), ("Later.", False)]
    assert 'class="badge warn">1<span' in support_client.get("/staff/").content.decode()


def test_one_click_and_it_is_followed_up(note: Note, support_client: Client) -> None:
    answer = support_client.post(f"/staff/notes/{note.pk}/done/", {"back": LIST})
    again = support_client.post(f"/staff/notes/{note.pk}/done/", {"back": "https://evil.example/"}, follow=True)

    note.refresh_from_db()
    assert answer.headers["Location"] == LIST
    assert note.done_at is not None
    assert note.done_by.startswith("staff:")
    assert [message.level_tag for message in again.context["messages"]][-1] == "error"
    assert again.redirect_chain == [(f"/staff/mailboxes/{note.mailbox_id}/", 302)]
    assert Event.objects.filter(action=Event.Action.FOLLOWED_UP).count() == 1
    assert support_client.get(LIST).context["rows"] == []


def test_a_colleague_can_be_asked_to_follow_up(mailbox: Mailbox, staff_client: Callable[..., Client]) -> None:
    eva, max_ = (staff_client("support", email=f"{name}@x.example", name=name.title()) for name in ("eva", "max"))
    eva.post(
        f"/staff/mailboxes/{mailbox.pk}/note/",
        {"text": "Ask.", "follow_up_on": today().isoformat(), "follow_up_by": "staff:max@x.example"},
    )

    assert [row["by"] for row in max_.get(LIST, {"mine": "1"}).context["rows"]] == ["Max"]
    assert eva.get(LIST, {"mine": "1"}).context["rows"] == []


def test_who_may_not_write_is_not_to_choose(mailbox: Mailbox, support_client: Client) -> None:
    make_staff("reads@x.example", role="readonly")

    answer = support_client.post(
        f"/staff/mailboxes/{mailbox.pk}/note/", {"text": "Ask.", "follow_up_by": "staff:reads@x.example"}
    )

    assert answer.status_code == 422


def test_who_reads_only_reads_notes_and_writes_none(note: Note, staff_client: Callable[..., Client]) -> None:
    client = staff_client("readonly")

    page = client.get(f"/staff/mailboxes/{note.mailbox_id}/").content.decode()

    assert "Calls back." in page
    assert f"/staff/mailboxes/{note.mailbox_id}/note/" not in page
    assert client.post(f"/staff/mailboxes/{note.mailbox_id}/note/", {"text": "x"}).status_code == 403
    assert client.post(f"/staff/notes/{note.pk}/done/").status_code == 403
    assert staff_client("operator").get(LIST).status_code == 403


def test_a_note_cannot_become_markup(mailbox: Mailbox, support_client: Client) -> None:
    notes.write(mailbox, actor="staff:eva", text="<script>alert(1)</script>", follow_up_on=today())

    for address in (LIST, f"/staff/mailboxes/{mailbox.pk}/"):
        assert "<script>alert" not in support_client.get(address).content.decode()


def test_more_follow_ups_take_no_more_queries(note: Note, support_client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            support_client.get(LIST)
        return len(captured)

    queries()
    before = queries()
    for number in range(10):
        who = f"staff:{make_staff(f's{number}@x.example').email}"
        notes.write(make_mailbox(), actor=who, text="x", follow_up_on=today())

    assert queries() == before


def test_a_note_goes_after_a_year_unless_it_is_still_to_be_followed_up(note: Note) -> None:
    notes.write(note.mailbox, actor="staff:eva", text="Old.")

    with time_machine.travel(timezone.now() + timedelta(days=366)):
        notes_gone = next(rule for rule in retention.RULES if rule.code == "note")
        chosen = notes_gone.due(timezone.now() - notes_gone.after)
        notes_gone.erase(chosen)

    assert [left.text for left in Note.objects.all()] == ["Calls back."]
