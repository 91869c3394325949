"""Reading reports of undelivered mail: what each server means, and that nothing of the mail itself stays."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migration.mailings import dsn
from tests import reports

TO = "support+m17.abcdefgh@provider.example"
SECRET = "Kfp7-mrt4-xwd9-hc3q"


@pytest.mark.parametrize(
    ("template", "code", "words"),
    [
        (reports.POSTFIX, "5.1.1", "User unknown"),
        (reports.EXCHANGE, "5.2.2", "mailbox full"),
        (reports.QMAIL, "5.1.1", "no mailbox here"),
        (reports.EXIM, "5.3.4", "message too big"),
    ],
)
def test_report_tells_the_code_and_the_words_of_the_other_server(template: str, code: str, words: str) -> None:
    read = dsn.read(reports.report(template, TO))

    assert read is not None
    assert (read.failed, read.code) == (True, code)
    assert words in read.text
    assert TO in read.addresses


def test_delay_is_no_failure() -> None:
    read = dsn.read(reports.report(reports.POSTFIX, TO, action="delayed", status="4.4.1"))

    assert read is not None
    assert (read.failed, read.code) == (False, "4.4.1")


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", ""])
def test_report_of_success_is_none_of_a_failure(action: str) -> None:
    assert dsn.read(reports.report(reports.POSTFIX, TO, action=action, status="2.0.0")) is None


def test_giving_up_after_days_of_tries_is_a_failure() -> None:
    read = dsn.read(reports.report(reports.POSTFIX, TO, action="failed", status="4.4.1"))

    assert read is not None
    assert (read.failed, read.code) == (True, "4.4.1")


def test_general_status_gives_way_to_what_the_words_tell() -> None:
    read = dsn.read(reports.report(reports.POSTFIX, TO, status="5.0.0"))

    assert read is not None
    assert read.code == "5.1.1"


def test_absence_note_and_common_mail_are_no_reports() -> None:
    assert dsn.read(reports.report(reports.ABSENCE, TO)) is None
    assert dsn.read(b"From: anna@demo.example\r\nSubject: Undelivered?\r\n\r\n550 5.1.1 no\r\n") is None
    assert dsn.read(b"") is None


@pytest.mark.parametrize("shown", [SECRET, SECRET.lower(), SECRET.replace("-", ""), SECRET.replace("-", " - ")])
def test_secret_quoted_in_the_other_servers_words_is_struck_out(shown: str) -> None:
    content = reports.report(reports.POSTFIX, TO).replace(
        b"User unknown", f"spam: {shown} https://umzug.example/s/abc".encode()
    )

    read = dsn.read(content)

    assert read is not None
    assert "(struck out)" in read.text
    assert "xwd9" not in read.text.lower()
    assert "umzug.example" not in read.text


@pytest.mark.parametrize("template", [reports.POSTFIX, reports.EXCHANGE, reports.QMAIL, reports.EXIM])
def test_mail_that_a_report_quotes_is_not_read(template: str) -> None:
    quoted = f"Subject: 550 5.7.1 x\n\n{SECRET}\nDiagnostic-Code: smtp; 550 5.7.1 {SECRET}\n"

    read = dsn.read(reports.report(template, TO, mail=quoted))

    assert read is not None
    assert "5.7.1" not in read.code + read.text
    assert SECRET not in repr(read)


def test_mail_of_any_size_is_read_at_its_beginning_only() -> None:
    read = dsn.read(reports.report(reports.POSTFIX, TO) + b"x" * 5_000_000)

    assert read is not None
    assert read.code == "5.1.1"


_LINES = st.sampled_from(
    [
        b"Content-Type: multipart/report; boundary=x",
        b"Content-Type: message/delivery-status",
        b"Content-Type: message/global-delivery-status",
        b"Content-Type: text/plain; charset=nonsense",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: x-uuencode",
        b"From: MAILER-DAEMON",
        b"Subject: =?utf-8?q?Undelivered?=",
        b"Subject: Undelivered \xff\xfe",
        b"To: support+m1@provider.example",
        b"Action: failed",
        b"Status: 5.1.1",
        b"Diagnostic-Code: smtp; 550 \xc3\xa4",
        b"--x",
        b"--x--",
        b"",
        b" folded",
        b":",
    ]
)


@given(
    st.one_of(st.binary(max_size=400), st.lists(st.one_of(_LINES, st.binary(max_size=20)), max_size=40).map(b"\n".join))
)
@example(b"Content-Type: message/delivery-status\n\n\n\n")
@example(b"From: MAILER-DAEMON\nSubject: failure notice\n\n\xff 550")
@example(b"Content-Type: message/global-delivery-status\n\nContent-Type: ;charset\n\xff")
def test_any_bytes_give_a_report_or_none(content: bytes) -> None:
    read = dsn.read(content)

    if read is not None:
        assert len(read.text) <= dsn.MAX_TEXT
        assert len(read.code) <= 11
        assert read.text.isascii()
        assert all(len(address) <= 500 for address in read.addresses)


def test_report_cut_anywhere_gives_a_report_or_none() -> None:
    for template in (reports.POSTFIX, reports.EXCHANGE, reports.QMAIL, reports.EXIM):
        whole = reports.report(template, TO)
        for length in range(0, len(whole), 7):
            dsn.read(whole[:length])
