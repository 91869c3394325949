"""Every odd reply to the write, as bytes on the wire, through to the row: what support reads, and whether all stops.

The numbers R1 to R22 name the corpus of replies; the same ones stand in `unit/test_mailcow_replies.py` for the parser.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from migration.mailcow.errors import Reason
from migration.models import Mailbox, Push, Target
from tests.contract import certificates
from tests.contract.raw_server import Connection, RawServer, Script, http
from tests.contract.test_client_wire import tls_context
from tests.factories import make_push
from tests.pushing import deliver

pytestmark = pytest.mark.django_db
STATES = Push.State
ANNA = "anna@demo.example"
HTML = "text/html; charset=UTF-8"
MODIFIED = {"type": "success", "log": [], "msg": ["mailbox_modified", ANNA]}


def facts(passwd_update: object = "2026-01-01 00:00:01", authsource: str = "mailcow") -> bytes:
    known = {"username": ANNA, "active": 1, "authsource": authsource, "quota": 0}
    logins = {f"last_{service}_login": 0 for service in ("imap", "pop3", "smtp")}
    return http(json.dumps(known | logins | {"attributes": {"passwd_update": passwd_update}}).encode())


BEFORE, AFTER = facts(), facts("2026-01-01 00:00:02")


def said(document: object) -> bytes:
    return http(json.dumps(document).encode())


def danger(message: object) -> bytes:
    return said([{"type": "danger", "log": [], "msg": message}])


def chunked(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body


WAITING, BLOCKED = STATES.WAITING, STATES.BLOCKED
ODD = WAITING, Reason.UNEXPECTED
NO_JSON = WAITING, Reason.NOT_JSON
GARBLED = {
    "R17 warning before JSON": b"<b>Warning</b>: Undefined\n" + json.dumps([MODIFIED]).encode(),
    "R18 invalid UTF-8": b'[{"type":"success","msg":"\xff"}]',
    "R18 BOM": b"\xef\xbb\xbf[]",
    "R18 member twice": b'[{"type":"danger","type":"success","msg":["mailbox_modified","anna@demo.example"]}]',
    "R18 NaN": b"[NaN]",
    "R18 deep": b"[" * 100_000 + b"]" * 100_000,
}
RETRY_AFTER = "Retry-After: 1000000000"

UNDER_WAY: dict[str, tuple[bytes, tuple[STATES, str]]] = {
    "R1 list": (said([]), ODD),
    "R1 null": (said(None), ODD),
    "R1 text": (said(""), ODD),
    "R2 task completed": (said({"type": "success", "msg": "Task completed"}), ODD),
    "R4 refused and done": (said([{"type": "danger", "log": [], "msg": "access_denied"}, MODIFIED]), ODD),
    "R8 warning": (said([{"type": "warning", "msg": "hm"}]), ODD),
    "R8 info": (said([{"type": "info", "msg": ["mailbox_modified", ANNA]}]), ODD),
    "R9 number": (danger(5), ODD),
    "R9 nested": (danger([["password_complexity"]]), ODD),
    "R10 login page": (http(b"<html>please sign in</html>", "200 OK", HTML), NO_JSON),
    "R10 JSON called HTML": (http(json.dumps([MODIFIED]).encode(), "200 OK", HTML), NO_JSON),
    "R13 405 of nginx": (http(b"<html></html>", "405 Not Allowed", HTML), (WAITING, Reason.SERVER_ERROR)),
    "R15 429": (http(b"", "429 Too Many Requests"), (WAITING, Reason.BUSY)),
    "R15 429, come back in 30 years": (
        http(b"", "429 Too Many", "application/json", RETRY_AFTER),
        (WAITING, Reason.BUSY),
    ),
    **{f"R16 {n}": (http(b"<html>", f"{n} Error", HTML), (WAITING, Reason.SERVER_ERROR)) for n in (500, 502, 503, 504)},
    **{name: (http(body), NO_JSON) for name, body in GARBLED.items()},
    "R19 chunk cut": (chunked(b"20\r\n[{"), (WAITING, Reason.CONNECTION_LOST)),
    "R19 wrong length": (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n[]",
        (WAITING, Reason.CONNECTION_LOST),
    ),
    "R19 bomb": (http(gzip.compress(b"[" * 9**7), "200 OK", "application/json", "Content-Encoding: gzip"), NO_JSON),
    "R19 two megabytes": (http(b" " * 2_000_000), (WAITING, Reason.TOO_LARGE)),
    "nothing at all": (b"", (WAITING, Reason.CONNECTION_LOST)),
}
ANSWERED: dict[str, tuple[bytes, tuple[STATES, str]]] = {
    "R1 empty body": (http(b""), (WAITING, Reason.EMPTY)),
    "R3 another address": (
        said([{**MODIFIED, "msg": ["mailbox_modified", "b@demo.example"]}]),
        (BLOCKED, Reason.OTHER_ADDRESS),
    ),
    "R4 no such mailbox": (danger("access_denied"), (WAITING, Reason.MISSING)),
    "R6 complexity": (danger("password_complexity"), (BLOCKED, Reason.POLICY)),
    "R6 mismatch": (danger("password_mismatch"), (BLOCKED, Reason.MISMATCH)),
    "R7 quota": (danger(["mailbox_quota_left_exceeded", 70]), (BLOCKED, Reason.QUOTA)),
    "R9 half a megabyte": (danger("x" * 500_000), (BLOCKED, Reason.REJECTED)),
    "deadlock": (danger("SQLSTATE[40001]: Serialization failure"), (WAITING, Reason.DATABASE)),
    "crash": (danger("An unknown error occured"), (WAITING, Reason.CRASH)),
}
TURNED_AWAY: dict[str, tuple[bytes, Reason]] = {
    "R11 302": (http(b"", "302 Found", HTML, "Location: /"), Reason.REDIRECTED),
    "R11 308": (http(b"", "308 Permanent", HTML, "Location: http://mail.example/"), Reason.REDIRECTED),
    "R12 key": (http(b'{"type":"error","msg":"authentication failed"}', "401 U"), Reason.KEY),
    "R12 address": (http(b'{"type":"error","msg":"api access denied for ip 1.2.3.4"}', "401 U"), Reason.NETWORK),
    "R13 read-only": (http(b'{"msg":"API read/write access denied"}', "403 Forbidden"), Reason.READ_ONLY),
    "R13 403": (http(b"", "403 Forbidden", HTML), Reason.FORBIDDEN),
    "R13 404": (http(b"", "404 Not Found", HTML), Reason.NO_ROUTE),
    "R13 405 of mailcow": (http(b'{"msg":"only POST"}', "405 Not Allowed"), Reason.NO_ROUTE),
    "R14 400": (http(b'{"msg":"Request body is not valid json"}', "400 Bad Request"), Reason.BAD_REQUEST),
}


@pytest.fixture
def push(mailbox: Mailbox) -> Push:
    return make_push(mailbox)


@pytest.fixture
def answering(push: Push, settings: Any) -> Iterator[Callable[..., RawServer]]:
    """Deliver the push to a mailcow that says exactly these bytes, one reply a call."""
    settings.MAILCOW_API_KEY = "key"
    settings.MAILCOW_CALL_SECONDS = 20
    running = ExitStack()

    def answer(*replies: bytes, then: Script | None = None) -> RawServer:
        left = list(replies)

        def script(connection: Connection) -> None:
            while left and connection.request():
                connection.send(left.pop(0))
            if then and connection.request():
                then(connection)

        server = running.enter_context(RawServer(script))
        settings.MAILCOW_URL = server.url
        deliver(push)
        return server

    with running:
        yield answer


def test_what_is_right_is_believed(push: Push, answering: Callable[..., RawServer]) -> None:
    answering(BEFORE, said([MODIFIED]), AFTER)

    assert (push.state, push.payload, push.mailbox.state) == (STATES.DELIVERED, None, Mailbox.State.ACTIVE)


@pytest.mark.parametrize(("reply", "expected"), [*UNDER_WAY.values(), *ANSWERED.values()], ids=[*UNDER_WAY, *ANSWERED])
def test_an_odd_reply_to_the_write_is_never_taken_for_done(
    push: Push, answering: Callable[..., RawServer], reply: bytes, expected: tuple[STATES, str]
) -> None:
    server = answering(BEFORE, reply)

    assert (push.state, push.reason) == expected
    assert push.payload is not None
    assert push.mailbox.state == Mailbox.State.PASSWORD_SET
    assert len(server.requests) == 2, "nothing is repeated at once"
    assert not Target.objects.filter(breaker_opened_at__isnull=False).exists()
    assert (push.write_open_at is not None) is ((reply, expected) in UNDER_WAY.values())
    if push.state == WAITING and push.reason != Reason.MISSING:
        assert push.due_at <= timezone.now() + timedelta(minutes=15)


@pytest.mark.parametrize(("reply", "reason"), TURNED_AWAY.values(), ids=TURNED_AWAY)
@pytest.mark.parametrize("at", ["look", "write"])
def test_being_turned_away_opens_the_breaker(
    push: Push, answering: Callable[..., RawServer], reply: bytes, reason: Reason, at: str
) -> None:
    server = answering(*([reply] if at == "look" else [BEFORE, reply]))

    assert (push.state, push.reason) == (WAITING, reason)
    assert Target.objects.get().breaker_reason == reason
    assert len(server.requests) == (1 if at == "look" else 2)
    assert push.write_open_at is None


READ_BACKS: dict[str, tuple[bytes, bytes, tuple[STATES, str], int]] = {
    "R5 LDAP": (facts(authsource="ldap"), b"", (BLOCKED, Reason.AUTHSOURCE), 1),
    "R5 LDAP meanwhile": (BEFORE, facts("2026-01-01 00:00:02", "ldap"), (BLOCKED, Reason.AUTHSOURCE), 3),
    "R22 null": (BEFORE, facts(None), (BLOCKED, Reason.READ_BACK), 3),
    "R22 no time": (BEFORE, facts("yesterday"), (BLOCKED, Reason.READ_BACK), 3),
    "R22 impossible": (BEFORE, facts("2026-02-30 00:00:00"), (BLOCKED, Reason.READ_BACK), 3),
    "unchanged": (BEFORE, BEFORE, (WAITING, Reason.NOT_STORED), 3),
}


@pytest.mark.parametrize(("before", "after", "expected", "calls"), READ_BACKS.values(), ids=READ_BACKS)
def test_what_the_read_back_does_not_prove_is_not_done(
    push: Push,
    answering: Callable[..., RawServer],
    before: bytes,
    after: bytes,
    expected: tuple[STATES, str],
    calls: int,
) -> None:
    server = answering(before, said([MODIFIED]), after)

    assert (push.state, push.reason) == expected
    assert len(server.requests) == calls
    assert push.mailbox.state == Mailbox.State.PASSWORD_SET


def test_r22_a_time_in_the_future_is_a_change_like_any(push: Push, answering: Callable[..., RawServer]) -> None:
    answering(BEFORE, said([MODIFIED]), facts("2099-01-01 00:00:00"))

    assert push.state == STATES.DELIVERED


def test_r20_a_drip_meets_the_deadline(push: Push, answering: Callable[..., RawServer], settings: Any) -> None:
    settings.MAILCOW_CALL_SECONDS = 0.4
    answering(BEFORE, then=lambda connection: connection.drip(b"HTTP/1.1 200 OK\r\nX: aaa"))

    assert (push.state, push.reason) == (WAITING, Reason.TIMEOUT)
    assert push.write_open_at is not None


@pytest.mark.parametrize(("name", "expired"), [("localhost", True), ("other", False)], ids=["expired", "other name"])
def test_r21_a_false_certificate_opens_the_breaker(
    push: Push, settings: Any, tmp_path: Path, name: str, expired: bool
) -> None:
    files = certificates.make(tmp_path, name, expired=expired)
    settings.MAILCOW_CA_FILE = str(files[0])
    with RawServer(lambda connection: connection.send(BEFORE), tls_context(files)) as server:
        settings.MAILCOW_URL = server.url
        deliver(push)

    assert (push.state, push.reason) == (WAITING, Reason.TLS)
    assert Target.objects.get().breaker_reason == Reason.TLS
