"""The web server of a domain may tell mail programs something else. It is asked warily: its owner says where it is."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migration.dns.client_records import pages
from migration.dns.lines import Line, Verdict
from migration.dns.lookup import Lookup
from migration.dns.well_known import Fetcher
from tests.contract import certificates
from tests.contract.raw_server import Connection, RawServer
from tests.nameserving import DOMAIN, WANTED, lookup_of, zone

DRIPS = b"drips"
HOME = f"{DOMAIN}. 60 IN A 127.0.0.1"
CONFIG = "<clientConfig><emailProvider><incomingServer><hostname>{host}</hostname></incomingServer></emailProvider>"


class Web:
    """A web server with a certificate, and what trusts it."""

    def __init__(self, folder: Path, answer: bytes, name: str = DOMAIN) -> None:
        certificate, key = certificates.make(folder, name)
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(certificate, key)
        self.trusting = ssl.create_default_context(cafile=str(certificate))
        self.server = RawServer(lambda peer: self._serve(peer, answer), own)

    def _serve(self, peer: Connection, answer: bytes) -> None:
        if not peer.request():
            return
        if answer == DRIPS:
            peer.drip(b"HTTP/1.1 200 OK")
        peer.send(answer)

    @contextmanager
    def asked_by(self, zone_text: str = "", *, wary: bool = False) -> Iterator[list[Line]]:
        """The lines about its pages."""
        with self.server, lookup_of(zone_text or zone(HOME)) as (lookup, _server):
            yield pages(DOMAIN, WANTED, self._fetcher(lookup, wary=wary))

    def _fetcher(self, lookup: Lookup, *, wary: bool) -> Fetcher:
        port = int(self.server.url.rpartition(":")[2])
        if wary:
            return Fetcher(lookup, port=port, context=self.trusting)
        return Fetcher(lookup, may_connect=lambda _address: True, port=port, context=self.trusting, seconds=0.5)


def said(status: str, body: str = "", *head: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *head, "", body]).encode()


@pytest.mark.parametrize(
    ("answer", "verdicts", "codes"),
    [
        (said("404 Not Found"), {Verdict.MATCH}, ["nothing", "nothing"]),
        (said("200 OK", CONFIG.format(host="mail.provider.example")), {Verdict.MATCH}, ["as_wanted", "as_wanted"]),
        (said("200 OK", CONFIG.format(host="alt.provider.example")), {Verdict.CONFLICT}, ["page_elsewhere"] * 2),
        (said("200 OK", "<html>our shop</html>"), {Verdict.MATCH, Verdict.UNKNOWN}, ["nothing", "page_answers"]),
        (said("301 Moved", "", "Location: https://www.kunde.example/"), {Verdict.UNKNOWN}, ["page_moved"] * 2),
        (said("503 Later"), {Verdict.UNKNOWN}, ["failed", "failed"]),
        (b"SSH-2.0-OpenSSH_9.6\r\n", {Verdict.UNKNOWN}, ["failed", "failed"]),
    ],
)
def test_what_the_web_server_says_is_judged(
    answer: bytes, verdicts: set[Verdict], codes: list[str], tmp_path: Path
) -> None:
    with Web(tmp_path, answer).asked_by() as lines:
        assert ({line.verdict for line in lines}, [line.code for line in lines]) == (verdicts, codes)
        assert [line.needed for line in lines] == [False, False]


def test_a_redirect_is_told_and_not_followed(tmp_path: Path) -> None:
    web = Web(tmp_path, said("302 Found", "", "Location: http://169.254.169.254/latest/meta-data/"))

    with web.asked_by() as lines:
        assert "169.254.169.254" in str(lines[0])

    assert len(web.server.requests) == 2
    assert all(b"Host: kunde.example\r\n" in request for request in web.server.requests)


@pytest.mark.parametrize("record", ["A 127.0.0.1", "A 10.0.0.1", "AAAA ::1", "A 169.254.169.254", "AAAA ::ffff:a00:1"])
def test_a_name_that_points_inside_is_not_connected_to(record: str, tmp_path: Path) -> None:
    web = Web(tmp_path, said("200 OK"))

    with web.asked_by(zone(f"{DOMAIN}. 60 IN {record}"), wary=True) as lines:
        assert {line.detail["why"] for line in lines} == {"private"}

    assert web.server.requests == []


def test_one_private_address_among_public_ones_is_enough_to_stay_away(tmp_path: Path) -> None:
    web = Web(tmp_path, said("200 OK"))

    with web.asked_by(zone(f"{DOMAIN}. 60 IN A 9.9.9.9", HOME), wary=True) as lines:
        assert {line.detail["why"] for line in lines} == {"private"}


def test_a_certificate_for_another_name_is_no_answer(tmp_path: Path) -> None:
    with Web(tmp_path, said("200 OK"), name="other.example").asked_by() as lines:
        assert {line.detail["why"] for line in lines} == {"tls"}


def test_nobody_there_is_unknown_and_no_address_is_no_page(tmp_path: Path) -> None:
    web = Web(tmp_path, said("200 OK"))
    with web.asked_by(zone()) as lines:
        assert {line.code for line in lines} == {"nothing"}

    with lookup_of(zone(HOME)) as (lookup, _server):
        gone = Fetcher(lookup, may_connect=lambda _address: True, port=int(web.server.url.rpartition(":")[2]))
        assert gone.get(DOMAIN, "/").failure == "network"


def test_an_endless_page_is_read_no_further_than_the_cap(tmp_path: Path) -> None:
    web = Web(tmp_path, said("200 OK", "x" * 3_000_000 + CONFIG.format(host="alt.provider.example")))

    with web.asked_by() as lines:
        assert lines[0].code == "nothing"


def test_a_page_that_drips_is_given_up(tmp_path: Path) -> None:
    with Web(tmp_path, DRIPS).asked_by() as lines:
        assert {line.detail["why"] for line in lines} == {"timeout"}
