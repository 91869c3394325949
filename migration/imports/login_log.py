"""The newest login of each mailbox on the old server, from Dovecot's log or from a table.

Dovecot's log, as syslog, rsyslog, journald or Dovecot itself wrote it, lines of other programs in between:

    Mar  2 09:15:01 mailhaus dovecot: imap-login: Login: user=<anna@demo.example>, method=PLAIN, rip=192.0.2.7, …
    2026-03-02T09:15:01.123456+01:00 mailhaus dovecot[812]: pop3-login: Login: user=<…>, …
    2026-03-02 09:15:01 imap-login: Info: Logged in: user=<…>, …

(https://doc.dovecot.org/2.3/configuration_manual/logging/; 2.4 writes "Logged in".) Only a login that succeeded counts.
The line is read from its first character on: what somebody typed as his user name cannot pose as another line.

Or a table, its columns separated by semicolon, comma or tab, the first line naming them or not:

    address;time;ip;protocol

`time` as in 2026-03-02T09:15+01:00 or as Unix seconds; ip and protocol may be empty. Times without a zone are of the
zone given, those without a year of the newest year that is not in the future. Nothing of the file is kept but what is
returned.
"""

import csv
import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import BinaryIO

from migration.addresses import Address, parse

MAX_LINE = 16 * 1024
FORMATS = ("dovecot", "csv")
_AHEAD = timedelta(days=1)

_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_SYSLOG_TIME = r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<clock>\d{2}:\d{2}:\d{2})"
_ISO_TIME = r"(?P<iso>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)"
_LOGIN = re.compile(
    rf"(?:{_SYSLOG_TIME}|{_ISO_TIME}) "
    r"(?:[\w.:-]+ dovecot(?:\[\d+\])?: )?"
    r"(?P<protocol>imap|pop3)-login: (?:Info: )?(?:Login|Logged in): "
    r"user=<(?P<user>[^<>]*)>(?P<rest>.*)",
    re.DOTALL,
)
_IP = re.compile(r", rip=(?P<ip>[0-9A-Fa-f:.]{2,45})(?:,|$)")
_PROTOCOL = re.compile(r"[a-z0-9-]{0,16}")
_SECONDS = re.compile(r"\d{9,11}(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class SeenLogin:
    """One login: when (UTC), from where, by which protocol; the last two may be unknown."""

    at: datetime
    ip: str | None
    protocol: str


@dataclass
class LoginLog:
    """What a log told: the newest login by address, and how many lines told of one or could not be understood.

    `first_bad_line` is the number of the first of the latter; the text is not kept.
    """

    newest: dict[Address, SeenLogin] = field(default_factory=dict)
    logins: int = 0
    bad: int = 0
    first_bad_line: int = 0


def read(lines: Iterable[bytes], *, zone: tzinfo, now: datetime, file_format: str = "", domain: str = "") -> LoginLog:
    """Read the lines of a log or a table, one at a time.

    `zone` is that of times without one, `now` an aware time. Without a format the first line that is not blank
    decides. `domain` completes users written without one. Nothing is raised: a line of another program is skipped, one
    that should tell of a login and does not is counted as bad.
    """
    log, reader = LoginLog(), _Reader(zone, now, domain)
    for number, raw in enumerate(lines, start=1):
        line = raw[:MAX_LINE].decode("utf-8", "replace").removeprefix("\ufeff").strip("\r\n")
        if not line.strip():
            continue
        file_format = file_format or guess(line)
        try:
            found = reader.table_row(line) if file_format == "csv" else reader.log_line(line)
        except ValueError:
            log.bad += 1
            log.first_bad_line = log.first_bad_line or number
            continue
        if found is None:
            continue
        log.logins += 1
        address, login = found
        known = log.newest.get(address)
        if known is None or login.at > known.at:
            log.newest[address] = login
    return log


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, however long: beyond MAX_LINE the rest of one is skipped and never taken for another."""
    begins = True
    while piece := file.readline(MAX_LINE):
        if begins:
            yield piece
        begins = piece.endswith(b"\n")


def guess(line: str) -> str:
    """The format of a file that begins with this line."""
    first = re.split(r"[;,\t]", line)[0].strip().strip('"').lower()
    return "csv" if first == "address" or re.fullmatch(r"[^\s@]+@[^\s@]+", first) else "dovecot"


class _Reader:
    """Reads one line; None for one that tells of no login, ValueError for one that should and cannot be read."""

    def __init__(self, zone: tzinfo, now: datetime, domain: str) -> None:
        self.zone = zone
        self.now = now
        self.domain = domain

    def log_line(self, line: str) -> tuple[Address, SeenLogin] | None:
        match = _LOGIN.fullmatch(line)
        if match is None:
            return None
        at = self._moment(match["iso"]) if match["iso"] else self._without_year(match)
        ip = _IP.search(match["rest"])
        return self._address(match["user"]), SeenLogin(at, _ip(ip["ip"] if ip else ""), match["protocol"])

    def table_row(self, line: str) -> tuple[Address, SeenLogin] | None:
        delimiter = next((sign for sign in ";\t," if sign in line), ";")
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
        except csv.Error:
            raise ValueError from None
        if cells[0].lower() == "address":
            return None
        address, moment, ip, protocol = (cells + [""] * 4)[:4]
        if len(cells) > 4 or not _PROTOCOL.fullmatch(protocol.lower()):
            raise ValueError
        return self._address(address), SeenLogin(self._moment(moment), _ip(ip), protocol.lower())

    def _address(self, user: str) -> Address:
        return parse(f"{user}@{self.domain}" if self.domain and user and "@" not in user else user)

    def _moment(self, text: str) -> datetime:
        if _SECONDS.fullmatch(text):
            return self._not_ahead(datetime.fromtimestamp(float(text), UTC))
        at = datetime.fromisoformat(re.sub(r"[.,](\d{1,6})\d*", r".\1", text))
        return self._not_ahead(at if at.tzinfo else at.replace(tzinfo=self.zone))

    def _without_year(self, match: re.Match[str]) -> datetime:
        """Of this year, or of last year where that would be ahead."""
        month, rest = divmod(_MONTHS.index(match["month"]), 3)
        if rest:
            raise ValueError
        written = f"{month + 1:02}-{int(match['day']):02}T{match['clock']}"
        for year in (self.now.year + 1, self.now.year, self.now.year - 1):
            try:
                at = datetime.fromisoformat(f"{year}-{written}").replace(tzinfo=self.zone)
                return self._not_ahead(at)
            except ValueError:  # ahead, or no such day in this year
                continue
        raise ValueError

    def _not_ahead(self, at: datetime) -> datetime:
        if at.year < 2000 or at > self.now + _AHEAD:  # before 2000 it is the mark of a clock that was not set
            raise ValueError
        return at.astimezone(UTC)


def _ip(text: str) -> str | None:
    if "%" in text:  # an interface of that machine, nobody's network
        raise ValueError
    return str(ipaddress.ip_address(text)) if text else None
