"""Mail that comes back: matched to its mail, believed only with the right address, shown, and kept out of sight."""

import smtplib
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migration import reports as move_reports
from migration.mailings import bounces, verp
from migration.mailings.bounces import Outcome
from migration.mailings.lmtp import Endpoint
from migration.models import Event, Mailbox, Mailing
from sandbox.stack import free_port
from tests import factories, reports
from tests.integration.test_mail_outbox import invite
from tests.reports import report

SECRET = "Kfp7-mrt4-xwd9-hc3q"


@pytest.fixture
def sent(mailbox: Mailbox) -> Mailing:
    mailing = invite(mailbox)
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.SENT, sent_at=timezone.now())
    mailing.refresh_from_db()
    return mailing


def refreshed(mailing: Mailing) -> Mailing:
    mailing.refresh_from_db()
    return mailing


@pytest.mark.parametrize("template", [reports.POSTFIX, reports.EXCHANGE, reports.QMAIL, reports.EXIM])
def test_bounce_is_matched_by_the_address_it_comes_to(sent: Mailing, template: str) -> None:
    to = verp.sender(sent.pk)

    by_envelope = bounces.take(report(template, "somebody@provider.example"), recipients=[to])

    assert by_envelope == Outcome.NOTED
    assert refreshed(sent).bounced_at is not None
    event = Event.objects.get(action=Event.Action.BOUNCED)
    assert (event.mailbox, event.actor, event.detail["mailing"]) == (sent.mailbox, "worker", sent.pk)
    assert event.detail["code"] == sent.bounce_code


def test_bounce_without_an_envelope_is_matched_by_its_headers(sent: Mailing) -> None:
    assert bounces.take(report(reports.POSTFIX, verp.sender(sent.pk).upper())) == Outcome.NOTED
    assert refreshed(sent).bounce_code == "5.1.1"


def test_hundred_bounces_are_matched_a_hundred_times(mailbox: Mailbox) -> None:
    rows = [factories.make_first_login(factories.make_mailbox(domain=mailbox.domain))[0] for _ in range(100)]
    mailings = Mailing.objects.bulk_create(
        Mailing(
            kind=Mailing.Kind.INVITATION,
            domain=mailbox.domain,
            mailbox=row.mailbox,
            recipient=row.mailbox.address,
            language="de",
            state=Mailing.State.SENT,
        )
        for row in rows
    )
    templates = [reports.POSTFIX, reports.EXCHANGE, reports.QMAIL, reports.EXIM]

    for number, mailing in enumerate(mailings):
        bounces.take(report(templates[number % 4], verp.sender(mailing.pk)))

    assert Mailing.objects.filter(bounced_at__isnull=False).count() == 100
    assert Event.objects.filter(action=Event.Action.BOUNCED).values("mailbox").distinct().count() == 100


def test_same_report_twice_is_one_event(sent: Mailing) -> None:
    to = verp.sender(sent.pk)

    assert bounces.take(report(reports.POSTFIX, to)) == Outcome.NOTED
    assert bounces.take(report(reports.POSTFIX, to)) == Outcome.KNOWN
    assert Event.objects.filter(action=Event.Action.BOUNCED).count() == 1


def test_delay_is_noted_and_is_no_failure(sent: Mailing) -> None:
    to = verp.sender(sent.pk)

    bounces.take(report(reports.POSTFIX, to, action="delayed", status="4.4.1"))

    assert (refreshed(sent).bounced_at, sent.bounce_code) == (None, "4.4.1")
    assert sent.delayed_at is not None
    assert not Event.objects.filter(action=Event.Action.BOUNCED).exists()
    assert bounces.take(report(reports.POSTFIX, to)) == Outcome.NOTED


def test_nobody_can_make_a_mail_bounce_that_he_has_not_seen(sent: Mailing) -> None:
    other = invite(sent.mailbox) if sent.mailbox else sent
    wrong = verp.sender(other.pk).replace(f"+m{other.pk}.", f"+m{sent.pk}.")

    for to in (wrong, f"support+m{sent.pk}@provider.example", f"support+m{sent.pk}.@provider.example"):
        assert bounces.take(report(reports.POSTFIX, to)) == Outcome.NOT_OURS

    assert refreshed(sent).bounced_at is None


def test_mail_of_before_the_mac_is_still_matched(sent: Mailing) -> None:
    Mailing.objects.filter(pk=sent.pk).update(plain_sender=True)

    assert bounces.take(report(reports.POSTFIX, f"support+m{sent.pk}@provider.example")) == Outcome.NOTED


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, report(reports.ABSENCE, "support@provider.example")])
def test_what_is_no_report_changes_nothing(sent: Mailing, content: bytes) -> None:
    assert bounces.take(content, recipients=[verp.sender(sent.pk)]) == Outcome.NO_REPORT
    assert refreshed(sent).bounced_at is None


def test_nothing_of_the_mail_is_kept_or_logged(
    sent: Mailing, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    content = report(reports.POSTFIX, verp.sender(sent.pk), mail=f"Subject: x\n\n{SECRET}\n")

    bounces.take(content.replace(b"User unknown", SECRET.encode()))

    kept = str(Mailing.objects.values().get(pk=sent.pk)) + str(list(Event.objects.values()))
    assert "xwd9" not in (kept + caplog.text + "".join(capsys.readouterr())).lower()


def test_bounced_invitation_needs_attention_until_the_next_is_sent(sent: Mailing, mailbox: Mailbox) -> None:
    bounces.take(report(reports.POSTFIX, verp.sender(sent.pk)))
    assert list(move_reports.needing_attention()) == [mailbox]

    invite(mailbox)

    assert not move_reports.needing_attention().exists()


def test_support_reads_on_the_desk_why_it_came_back_and_what_to_do(
    sent: Mailing, mailbox: Mailbox, support_client: Client
) -> None:
    bounces.take(report(reports.EXCHANGE, verp.sender(sent.pk)))

    page = support_client.get(reverse("desk:mailbox", args=[mailbox.pk])).content.decode()

    assert "not delivered" in page
    assert "The mailbox is full." in page
    assert "mail came back" in page


def test_announcement_that_came_back_does_not_count(db: None) -> None:
    domain = factories.make_domain()
    mailing = domain.mailings.get()

    bounces.take(report(reports.POSTFIX, verp.sender(mailing.pk)))

    assert domain.announced_at is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5.1.1", "no such mailbox"),
        ("5.2.2", "is full"),
        ("5.7.1", "rules"),
        ("5.3.4", "too big"),
        ("4.4.1", "could not be reached"),
        ("5.0.0", "say why"),
    ],
)
def test_each_class_of_code_has_plain_words(code: str, words: str) -> None:
    assert words in str(bounces.words(code))


def test_the_mailbox_page_does_not_call_a_mail_good_that_came_back(support_client: Client, sent: Mailing) -> None:
    to = verp.sender(sent.pk)
    address = f"/staff/mailboxes/{sent.mailbox_id}/"

    bounces.take(report(reports.POSTFIX, to, action="delayed", status="4.4.1"))
    delayed = support_client.get(address).content.decode()
    bounces.take(report(reports.POSTFIX, to))
    failed = support_client.get(address).content.decode()

    assert "told to be delayed" in delayed
    assert "came back" in failed
    assert "5.1.1" in failed
    assert '<span class="badge good">accepted by the server' not in failed


# --- at the endpoint ---


@pytest.fixture
def lmtp(transactional_db: None) -> Iterator[smtplib.LMTP]:
    endpoint = Endpoint("127.0.0.1", free_port())
    endpoint.start()
    with smtplib.LMTP("127.0.0.1", endpoint.port, timeout=10) as client:
        yield client
    endpoint.stop()


def test_endpoint_notes_what_the_mail_server_hands_in(lmtp: smtplib.LMTP, sent: Mailing) -> None:
    to = verp.sender(sent.pk)

    assert lmtp.sendmail("", [to], report(reports.POSTFIX, to)) == {}

    assert refreshed(sent).bounced_at is not None


def test_endpoint_takes_no_address_that_is_none_of_a_mail(lmtp: smtplib.LMTP, sent: Mailing) -> None:
    for address in ("support@provider.example", f"support+m{sent.pk}.aaaaaaaa@provider.example", "eve@evil.example"):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            lmtp.sendmail("", [address], report(reports.POSTFIX, address))
        assert refused.value.recipients[address][0] == 550

    assert refreshed(sent).bounced_at is None
