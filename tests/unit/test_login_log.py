"""Logins on the old server are read from every form a log comes in, and from nothing that only looks like one."""

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.addresses import parse
from migration.imports.login_log import MAX_LINE, LoginLog, SeenLogin, lines_of, read

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")
ANNA = parse("anna@demo.example")
REST = ", method=PLAIN, rip=192.0.2.7, lip=198.51.100.2, mpid=4711, TLS, session=<aBc/dEfGh>"
LOGIN = f"imap-login: Login: user=<anna@demo.example>{REST}"


def log_of(text: str, **options: str) -> LoginLog:
    return read(lines_of(io.BytesIO(text.encode())), zone=VIENNA, now=NOW, **options)


@pytest.mark.parametrize(
    "line",
    [
        f"Mar  2 09:15:01 mailhaus dovecot: {LOGIN}",
        f"Mar 02 09:15:01 mailhaus dovecot[812]: {LOGIN}",
        f"2026-03-02T09:15:01.000000+01:00 mailhaus dovecot: {LOGIN}",
        f"2026-03-02T09:15:01+0100 mail-haus.iteg.example dovecot[812]: {LOGIN}",
        f"2026-03-02T08:15:01Z mailhaus dovecot: {LOGIN}",
        f"2026-03-02 09:15:01 {LOGIN.replace('Login:', 'Info: Login:')}",
        f"Mar 02 09:15:01 {LOGIN.replace('Login:', 'Info: Login:')}",
        f"Mar 02 09:15:01 {LOGIN.replace('Login:', 'Info: Logged in:')}",
        f"Mar  2 09:15:01 mailhaus dovecot: {LOGIN}\r",
        f"Mar  2 09:15:01 mailhaus dovecot: {LOGIN.replace('anna@demo', 'Anna@DEMO')}",
    ],
)
def test_a_login_is_read_in_every_form_of_the_log(line: str) -> None:
    log = log_of(line + "\n")

    assert log.newest == {ANNA: SeenLogin(datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC), "192.0.2.7", "imap")}
    assert (log.logins, log.bad) == (1, 0)


def test_pop3_and_ipv6_are_read() -> None:
    line = (
        "Mar  2 09:15:01 m dovecot: pop3-login: Login: user=<anna@demo.example>, method=PLAIN, rip=2001:db8::7, lip=::1"
    )

    assert log_of(line).newest[ANNA] == SeenLogin(datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC), "2001:db8::7", "pop3")


@pytest.mark.parametrize(
    "line",
    [
        "Mar  2 09:15:01 m dovecot: auth: passwd-file(anna@demo.example,192.0.2.7): unknown user",
        "Mar  2 09:15:01 m dovecot: imap-login: Aborted login (auth failed, 1 attempts): user=<anna@demo.example>",
        "Mar  2 09:15:01 m dovecot: imap-login: Disconnected: user=<imap-login: Login: user=<anna@demo.example>, ",
        f"Mar  2 09:15:01 m dovecot: imap-login: Aborted login: user=<x> Mar  2 09:15:01 m dovecot: {LOGIN}",
        f"Mar  2 09:15:01 m evil: Mar  2 09:15:01 m dovecot: {LOGIN}",
        f"Mar  2 09:15:01 m dovecot: managesieve-login: Login: user=<anna@demo.example>{REST}",
        "Mar  2 09:15:01 m dovecot: imap(anna@demo.example): Logged out in=10 out=20",
        "Mar  2 09:15:01 m postfix/smtpd[1]: connect from unknown[192.0.2.7]",
        "",
        "-- Logs begin at Mon --",
    ],
)
def test_what_is_no_successful_login_is_skipped(line: str) -> None:
    log = log_of(line + "\n")

    assert (log.newest, log.logins, log.bad) == ({}, 0, 0)


def test_the_newest_login_wins_whatever_the_order() -> None:
    log = log_of(
        f"Mar  1 09:00:00 m dovecot: {LOGIN}\nMar  2 09:00:00 m dovecot: {LOGIN}\nFeb 28 09:00:00 m dovecot: {LOGIN}\n"
    )

    assert log.logins == 3
    assert log.newest[ANNA].at == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "year"),
    [("Mar  2 12:00:00", 2026), ("Mar  3 12:59:59", 2026), ("Mar  3 13:00:01", 2025), ("Dec 31 23:59:59", 2025)],
)
def test_a_time_without_year_is_the_newest_that_is_not_ahead(written: str, year: int) -> None:
    assert log_of(f"{written} m dovecot: {LOGIN}").newest[ANNA].at.astimezone(VIENNA).year == year


def test_a_line_of_new_years_eve_read_elsewhere_is_not_a_year_old() -> None:
    now = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)

    log = read([f"Jan  1 00:10:00 m dovecot: {LOGIN}".encode()], zone=VIENNA, now=now)

    assert log.newest[ANNA].at == datetime(2025, 12, 31, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "start",
    [
        "Feb 30 09:15:01",
        "Xyz 01 09:15:01",
        "anF 01 09:15:01",
        "Mar 01 25:15:01",
        "2026-13-01T09:15:01",
        "2026-05-01T09:15:01",
    ],
)
def test_an_impossible_time_is_counted_as_bad_with_its_line(start: str) -> None:
    log = log_of(f"# log\n{start} m dovecot: {LOGIN}\n", file_format="dovecot")

    if start.startswith("anF"):
        assert log.bad == 0
    else:
        assert (log.newest, log.bad, log.first_bad_line) == ({}, 1, 2)


def test_a_user_without_domain_is_completed_when_a_domain_is_named() -> None:
    line = f"Mar  2 09:15:01 m dovecot: {LOGIN}".replace("anna@demo.example", "anna")

    assert log_of(line).bad == 1
    assert set(log_of(line, domain="demo.example").newest) == {ANNA}


def test_invalid_bytes_and_endless_lines_do_no_harm() -> None:
    noise = b"\xff\xfe\x00" * MAX_LINE
    line = f"Mar  2 09:15:01 m dovecot: {LOGIN}\n".encode()

    log = read(lines_of(io.BytesIO(noise + line + line)), zone=VIENNA, now=NOW, file_format="dovecot")

    assert log.logins == 1  # the first is the end of the endless line


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("header", ["address;time;ip;protocol\n", "", "\ufeffAddress;time;ip;protocol\n"])
def test_a_table_is_read_with_or_without_header(delimiter: str, header: str) -> None:
    row = "Anna@demo.example;2026-03-02T09:15:01+01:00;192.0.2.7;IMAP\n"

    log = log_of((header + row).replace(";", delimiter))

    assert log.newest == {ANNA: SeenLogin(datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC), "192.0.2.7", "imap")}


@pytest.mark.parametrize("moment", ["1772439301", "1772439301.25", "2026-03-02 09:15:01", "2026-03-02T08:15:01Z"])
def test_a_table_may_leave_out_ip_and_protocol(moment: str) -> None:
    [login] = log_of(f"anna@demo.example;{moment}\n").newest.values()

    assert login.at.replace(microsecond=0) == datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC)
    assert (login.ip, login.protocol) == (None, "")


@pytest.mark.parametrize(
    "row",
    [
        "anna@demo.example;yesterday;;",
        "anna@demo.example;2026-03-02;999.1.1.1;imap",
        "anna@demo.example;2026-03-02;fe80::1%eth0;imap",
        "anna@demo.example;2026-03-02;192.0.2.7;imap<script>",
        "anna@demo.example;2026-03-02;192.0.2.7;imap;more",
        "anna@demo.example;2027-03-02;192.0.2.7;imap",
        "anna@demo.example;;192.0.2.7;imap",
        "no address;2026-03-02;192.0.2.7;imap",
        "anna@demo.example;0001-01-01T00:00:00+14:00;192.0.2.7;imap",
        "anna@demo.example;1970-01-01;192.0.2.7;imap",
        'anna@demo.example;"2026-03-02',
    ],
)
def test_a_bad_row_is_counted_and_stops_no_good_one(row: str) -> None:
    log = log_of(f"address;time;ip;protocol\n{row}\nanna@demo.example;2026-03-02;;\n")

    assert (log.logins, log.bad, log.first_bad_line) == (1, 1, 2)


fragments = st.sampled_from(
    [
        "Mar  2 09:15:01 ",
        "2026-03-02T09:15:01",
        "9999-12-31 23:59:59-14:00 ",
        "m dovecot: ",
        LOGIN,
        "user=<",
        ";",
        "\t",
        '"',
        "imap-login: Info: Login: user=<a@b.example>, rip=",
        "::",
        "%",
        "anna@demo.example",
        "1772439301",
        "\0",
        "\n",
        "\r",
    ]
)


@given(st.lists(fragments | st.text(max_size=20), max_size=12), st.sampled_from(["", "dovecot", "csv"]))
def test_no_file_is_too_strange_to_be_read(pieces: list[str], file_format: str) -> None:
    log = log_of("".join(pieces).encode("utf-8", "surrogatepass").decode("utf-8", "replace"), file_format=file_format)

    assert log.logins >= len(log.newest)
    assert all(login.at <= NOW + timedelta(days=1) for login in log.newest.values())


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange_to_be_read(data: bytes) -> None:
    for file_format in ("", "dovecot", "csv"):
        read(lines_of(io.BytesIO(data)), zone=VIENNA, now=NOW, file_format=file_format)
