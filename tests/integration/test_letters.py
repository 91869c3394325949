"""Letters, as support sees it: for whom, how many, printed once, and what becomes of earlier passwords."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migration import campaign, first_login, printing
from migration.mailings import letters
from migration.models import Domain, Event, FirstLogin, Mailbox, Mailing, Printing
from migration.printing import Choice, Group
from migration.refusals import VerbRefused
from tests import factories
from tests.racing import at_once

from .door import sign_in

SECRET = re.compile(r"\b[\w]{4}-[\w]{4}-[\w]{4}-[\w]{4}\b")
ADDRESS = "Dorfplatz 1\n6020 Innsbruck"


@pytest.fixture
def domain(db: None) -> Domain:
    """An announced domain whose customer has a postal address."""
    customer = factories.make_customer(name="Sonnleitner GmbH", postal_address=ADDRESS)
    return factories.make_domain("demo.example", customer=customer)


def texts(pdf: bytes) -> list[str]:
    """The text of each page."""
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(io.BytesIO(pdf))]


def secrets(pdf: bytes) -> list[str]:
    """The first-login password of each page."""
    return [SECRET.findall(text)[0] for text in texts(pdf)]


def send(client: Client, domain: Domain, **fields: Any) -> Any:
    """Say yes to the question as it is now."""
    seen = printing.newest(domain) or ""
    return client.post(reverse("desk:letters", args=[domain.pk]), {"seen": seen} | fields)


def printed(domain: Domain, *mailboxes: Mailbox, **fields: Any) -> bytes:
    """The file for these mailboxes."""
    choice = fields.pop("choice", Choice(Group.SELECTED, [mailbox.pk for mailbox in mailboxes]))
    return printing.print_letters(domain, choice, actor="staff:x", seen=printing.newest(domain), **fields)[1]


def test_a_letter_opens_the_door(support_client: Client, domain: Domain) -> None:
    mailbox = factories.make_mailbox("anna", domain=domain, name="Anna Gruber")

    answer = send(support_client, domain, group="selected", mailbox=mailbox.pk)

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    [secret] = secrets(answer.content)
    row = FirstLogin.objects.get()
    assert f"/s/{row.locator}" in texts(answer.content)[0]
    assert sign_in(Client(), mailbox.address, secret, locator=row.locator).status_code == 302
    assert Event.objects.get(action=Event.Action.SIGNED_IN).detail == {"way": "letter"}


def test_printing_invites_and_is_written_down(support_client: Client, domain: Domain) -> None:
    boxes = [factories.make_mailbox(domain=domain) for _ in range(3)]

    send(support_client, domain, group="selected", mailbox=[box.pk for box in boxes])

    assert set(Mailbox.objects.values_list("state", flat=True)) == {Mailbox.State.INVITED}
    told = Event.objects.filter(action=Event.Action.LETTER_PRINTED)
    assert {event.mailbox_id for event in told} == {box.pk for box in boxes}
    assert {event.detail["printing"] for event in told} == {Printing.objects.get().pk}
    assert all(event.actor.startswith("staff:") for event in told)
    assert Printing.objects.get().letters == 3
    page = support_client.get(reverse("desk:mailbox", args=[boxes[0].pk])).content.decode()
    assert f"Printing no. {Printing.objects.get().pk}" in page
    assert "letter printed" in page


def test_nothing_of_the_file_is_kept(support_client: Client, domain: Domain) -> None:
    mailbox = factories.make_mailbox(domain=domain)

    [secret] = secrets(send(support_client, domain, group="selected", mailbox=mailbox.pk).content)

    typed = first_login.normalise(secret)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            stored = str(cursor.fetchall()).lower()
            assert typed not in stored, table
            assert secret.lower() not in stored, table


def test_what_was_mailed_before_keeps_working(domain: Domain) -> None:
    mailbox = factories.make_mailbox(domain=domain)
    _row, mailed = factories.make_first_login(mailbox)

    [on_paper] = secrets(printed(domain, mailbox))

    assert first_login.check(mailbox, mailed)
    assert first_login.check(mailbox, on_paper)


def test_printed_again_the_earlier_letter_dies_and_the_mail_does_not(support_client: Client, domain: Domain) -> None:
    mailbox = factories.make_mailbox(domain=domain)
    _row, mailed = factories.make_first_login(mailbox)
    [lost] = secrets(printed(domain, mailbox))
    number = Printing.objects.get().pk
    address = reverse("desk:letters", args=[domain.pk])
    question = support_client.get(f"{address}?group=again&printing={number}").content.decode()

    [again] = secrets(send(support_client, domain, group="again", printing=number).content)

    assert "The password on it dies with this printing." in question
    assert not first_login.check(mailbox, lost)
    assert first_login.check(mailbox, again)
    assert first_login.check(mailbox, mailed)


def test_a_letter_after_a_later_mail_is_new_and_the_older_letter_dies(domain: Domain) -> None:
    mailbox = factories.make_mailbox(domain=domain)
    [older] = secrets(printed(domain, mailbox))
    _row, mailed = factories.make_first_login(mailbox)

    [newer] = secrets(printed(domain, mailbox))

    assert not first_login.check(mailbox, older)
    assert first_login.check(mailbox, mailed)
    assert first_login.check(mailbox, newer)


def test_the_done_and_the_excluded_are_named_and_get_none(support_client: Client, domain: Domain) -> None:
    states = (Mailbox.State.ACTIVE, Mailbox.State.EXCLUDED, Mailbox.State.PASSWORD_SET)
    others = [factories.make_mailbox(f"x-{state}", domain=domain, state=state) for state in states]
    mailbox = factories.make_mailbox("anna", domain=domain)
    pks = [box.pk for box in (mailbox, *others)]
    query = "&".join(f"mailbox={pk}" for pk in pks)

    question = support_client.get(f"{reverse('desk:letters', args=[domain.pk])}?group=selected&{query}")
    answer = send(support_client, domain, group="selected", mailbox=pks)

    page = question.content.decode()
    assert "Print 1 letter?" in page
    assert all(str(box) in page for box in others)
    assert len(texts(answer.content)) == 1
    assert Mailbox.objects.filter(state=Mailbox.State.INVITED).get() == mailbox


def test_the_groups_find_who_needs_a_letter_and_none_twice(domain: Domain) -> None:
    back, failed, unseen, signed_in = (factories.make_mailbox(name, domain=domain) for name in ("b", "f", "u", "s"))
    for mailbox in (back, failed, unseen, signed_in):
        factories.make_first_login(mailbox)
    Mailing.objects.filter(mailbox=failed).update(state=Mailing.State.FAILED)
    Mailing.objects.filter(mailbox=back).update(state=Mailing.State.SENT, bounced_at=timezone.now())
    Mailbox.objects.filter(pk=signed_in.pk).update(state=Mailbox.State.SIGNED_IN)
    factories.make_mailbox("imported", domain=domain)

    def found(group: Group) -> list[str]:
        return [mailbox.local_part for mailbox in printing.wanted(domain, Choice(group)).letters]

    assert found(Group.UNDELIVERED) == ["b", "f"]
    assert found(Group.NEVER) == ["b", "f", "u"]
    printed(domain, choice=Choice(Group.UNDELIVERED))
    assert found(Group.UNDELIVERED) == []
    assert found(Group.NEVER) == ["u"]
    FirstLogin.objects.filter(printing__isnull=False).update(minted_at=timezone.now() - timedelta(days=60))
    assert found(Group.UNDELIVERED) == ["b", "f"]


def test_more_than_fit_into_a_file_are_left_for_the_next(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "AT_MOST", 2)
    for name in "abc":
        factories.make_first_login(factories.make_mailbox(name, domain=domain))

    first = printing.wanted(domain, Choice(Group.NEVER))
    printed(domain, choice=Choice(Group.NEVER))
    second = printing.wanted(domain, Choice(Group.NEVER))

    assert ([box.local_part for box in first.letters], first.left) == (["a", "b"], 1)
    assert ([box.local_part for box in second.letters], second.left) == (["c"], 0)


def test_the_same_question_sent_twice_prints_once(support_client: Client, domain: Domain) -> None:
    mailbox = factories.make_mailbox(domain=domain)
    sent = {"seen": "", "group": "selected", "mailbox": mailbox.pk}
    address = reverse("desk:letters", args=[domain.pk])
    [secret] = secrets(support_client.post(address, sent).content)

    again = support_client.post(address, sent)

    assert again.status_code == 409
    assert "printed meanwhile" in again.content.decode()
    assert Printing.objects.count() == 1
    assert first_login.check(mailbox, secret)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_print_at_once_one_is_asked_again() -> None:
    customer = factories.make_customer(postal_address=ADDRESS)
    domain = factories.make_domain(customer=customer)
    mailbox = factories.make_mailbox(domain=domain)
    results: list[Any] = []

    def one() -> None:
        try:
            results.append(
                printing.print_letters(domain, Choice(Group.SELECTED, [mailbox.pk]), actor="staff:x", seen=None)[1]
            )
        except VerbRefused as refused:
            results.append(refused.code)

    at_once(one, one)

    [pdf] = [result for result in results if isinstance(result, bytes)]
    assert "printed_meanwhile" in results
    assert first_login.check(mailbox, secrets(pdf)[0])
    assert FirstLogin.objects.count() == 1


def test_a_file_that_cannot_be_made_leaves_everything_as_it_was(
    domain: Domain, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    mailbox = factories.make_mailbox(domain=domain)
    (tmp_path / "broken.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(letters, "TYPESETTER", tmp_path / "broken.py")

    with pytest.raises(letters.NotTypeset, match="ended with 3"):
        printed(domain, mailbox)

    assert Mailbox.objects.get().state == Mailbox.State.IMPORTED
    assert not FirstLogin.objects.exists()
    assert not Printing.objects.exists()


def test_without_a_postal_address_the_page_says_who_mends_it(support_client: Client, db: None) -> None:
    mailbox = factories.make_mailbox()
    address = reverse("desk:letters", args=[mailbox.domain_id])

    page = support_client.get(f"{address}?group=selected&mailbox={mailbox.pk}").content.decode()
    answer = send(support_client, mailbox.domain, group="selected", mailbox=mailbox.pk)

    assert "The customer has no postal address." in page
    assert answer.status_code == 409
    assert not Printing.objects.exists()


@pytest.mark.parametrize("why", ["paused", "all_paused", "ended", "not_begun"])
def test_no_letter_leaves_where_no_mail_may(support_client: Client, domain: Domain, why: str) -> None:
    mailbox = factories.make_mailbox(domain=domain)
    if why == "paused":
        Domain.objects.update(paused_at=timezone.now())
    elif why == "all_paused":
        campaign.pause(actor="staff:x")
    elif why == "ended":
        Domain.objects.update(ended_at=timezone.now())
    else:
        domain.mailings.all().delete()

    answer = send(support_client, domain, group="selected", mailbox=mailbox.pk)

    assert answer.status_code == 409
    assert Mailbox.objects.get().state == Mailbox.State.IMPORTED


def test_readers_and_mailboxes_from_elsewhere_get_none(
    staff_client: Callable[..., Client], support_client: Client, domain: Domain
) -> None:
    elsewhere = factories.make_mailbox()

    assert send(staff_client("readonly"), domain, group="never").status_code == 403
    assert send(support_client, domain, group="selected", mailbox=elsewhere.pk).status_code == 409
    assert send(support_client, domain, group="selected", mailbox="9" * 40).status_code == 409
    assert not FirstLogin.objects.exists()


def test_twice_as_many_letters_cost_the_same_queries(domain: Domain) -> None:
    counts = []
    for number in (3, 6):
        boxes = [factories.make_mailbox(domain=domain) for _ in range(number)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            printed(domain, *boxes)
        counts.append(len(captured))

    assert counts[0] == counts[1]
