"""The stand-in for the old mail server behaves like one."""

import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from sandbox.mailhost import At, MailHost, phone

PORTAL = "https://umzug.example"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[MailHost]:
    secret = tmp_path / "totp"
    secret.write_text("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n")
    with MailHost(tmp_path / "mails", portal_url=PORTAL, totp_secret_file=secret) as host:
        yield host


def mail(to: str = "anna@old.example", subject: str = "Grüße") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "support@provider.example", to, subject
    message.set_content(f"Bitte: {PORTAL}/s/abc123\n<b>nicht</b> https://evil.example/x\n")
    message.add_alternative("<html><head></head><body><script>x</script>Bitte</body></html>", subtype="html")
    return message


def send(host: MailHost, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", host.smtp_port, timeout=10) as smtp:
        smtp.send_message(message)


def get(host: MailHost, path: str) -> str:
    with urllib.request.urlopen(host.url + path, timeout=10) as answer:
        return str(answer.read().decode())


def test_accepted_mail_lies_in_the_mailbox_with_its_envelope(host: MailHost) -> None:
    send(host, mail())

    (found,) = host.mails("Anna@old.example")
    assert (found.sender, found.recipient, found.subject) == (
        "support@provider.example",
        "anna@old.example",
        "Grüße",
    )
    assert host.mails("bert@old.example") == []


def test_mail_outlives_a_restart(host: MailHost, tmp_path: Path) -> None:
    send(host, mail(subject="one"))

    with MailHost(tmp_path / "mails") as again:
        send(again, mail(subject="two"))
        assert [found.subject for found in again.mails()] == ["one", "two"]


def test_only_links_to_the_portal_can_be_clicked(host: MailHost) -> None:
    send(host, mail())

    page = get(host, "/mail/1")
    assert f'<a href="{PORTAL}/s/abc123">' in page
    assert 'href="https://evil.example' not in page
    assert "&lt;b&gt;nicht&lt;/b&gt;" in page


def test_html_of_a_mail_is_locked_in_a_frame(host: MailHost) -> None:
    send(host, mail())

    page = get(host, "/mail/1?as=html")
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    with urllib.request.urlopen(f"{host.url}/mail/1/html", timeout=10) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-popups")


def test_mailboxes_are_listed_and_found_by_a_part_of_the_address(host: MailHost) -> None:
    send(host, mail("anna@old.example"))
    send(host, mail("bert@old.example", subject='"><script>'))

    assert "anna@old.example" in get(host, "/")
    assert "anna@old.example" not in get(host, "/?q=bert")
    assert "<script>" not in get(host, "/mailbox?address=bert@old.example")


def test_unknown_pages_are_not_found(host: MailHost) -> None:
    for path in ("/mail/99", "/mail/x", "/mailbox", "/../etc/passwd"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(host, path)


def test_tests_read_the_mails_as_json(host: MailHost) -> None:
    send(host, mail())

    (found,) = json.loads(get(host, "/sandbox/mails.json?to=anna@old.example"))
    assert found["subject"] == "Grüße"
    assert f"{PORTAL}/s/abc123" in found["text"]
    assert json.loads(get(host, "/sandbox/mails.json?to=bert@old.example")) == []


@pytest.mark.parametrize(
    ("at", "code"), [(At.GREETING, 421), (At.MAIL, 451), (At.RCPT, 550), (At.DATA, 450), (At.DOT, 554)]
)
def test_faults_happen_as_often_as_asked_for(host: MailHost, at: At, code: int) -> None:
    host.fail(code, at=at, times=2)

    for _ in range(2):
        with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused), match=str(code)):
            send(host, mail())
    assert host.mails() == []
    send(host, mail())
    assert len(host.mails()) == 1


def test_cut_at_the_dot_keeps_the_mail_but_says_nothing(host: MailHost) -> None:
    host.cut(at=At.DOT)

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(host, mail())
    assert len(host.mails()) == 1


def test_faults_are_turned_over_http_too(host: MailHost) -> None:
    def post(body: str) -> None:
        urllib.request.urlopen(host.url + "/sandbox/faults", data=body.encode(), timeout=10).close()

    post('{"at": "rcpt", "code": 450, "times": 5}')
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(host, mail())
    post("{}")
    send(host, mail())
    with pytest.raises(urllib.error.HTTPError, match="400"):
        post('{"at": "never", "code": 1}')


@pytest.mark.parametrize(
    ("at", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_phone_computes_the_codes_of_rfc_6238(at: int, expected: str) -> None:
    assert phone.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at) == expected


def test_phone_shows_a_code_and_reloads(host: MailHost) -> None:
    page = get(host, "/phone")

    assert 'id="code"' in page
    assert 'http-equiv="refresh"' in page


def test_phone_without_a_secret_says_so(tmp_path: Path) -> None:
    with MailHost(tmp_path, totp_secret_file=tmp_path / "missing") as host:
        assert "No authenticator" in get(host, "/phone")
