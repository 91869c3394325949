"""A small name server on this machine: zones as text, over UDP and TCP, with the ways in which real ones fail.

It answers as a resolver would that has all the zones itself: CNAMEs are followed, a wildcard answers for what is not
there, and what lies in none of its zones does not exist.
"""

import argparse
import socketserver
import threading
from enum import StrEnum
from typing import Any, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

from . import zones

CHAIN_AT_MOST = 8


class Mode(StrEnum):
    """How it answers."""

    ANSWERS = "answers"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"
    TRUNCATED = "truncated"  # by UDP only the note that there is more; all of it by TCP
    LAME = "lame"  # knows neither the zone nor whom to ask


class NameServer:
    """Serves the records of `zone_text` (a zone file with absolute names) on 127.0.0.1. Use as a context manager."""

    def __init__(self, zone_text: str = "", *, port: int = 0) -> None:
        self.mode = Mode.ANSWERS
        self.asked: list[str] = []
        self._records: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dns.rrset.RRset] = {}
        self._udp, self._tcp = _pair(self, port)
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            for server in (self._udp, self._tcp)
        ]
        self.serve(zone_text)

    @property
    def port(self) -> int:
        """Where it listens, by UDP and TCP."""
        port: int = self._udp.server_address[1]
        return port

    @property
    def address(self) -> str:
        """As `PORTAL_DNS_SERVERS` has it."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def serve(self, zone_text: str) -> None:
        """Answer from these records and no others."""
        zone = dns.zone.from_text(
            zone_text, origin=dns.name.root, relativize=False, check_origin=False, allow_include=False
        )
        records = {}
        for name, rdataset in zone.iterate_rdatasets():
            rrset = dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
            records[name, rdataset.rdtype] = rrset
        self._records = records

    def answer(self, wire: bytes, *, by_udp: bool) -> bytes | None:
        """The answer to one question; None for none."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        question = query.question[0]
        self.asked.append(f"{question.name} {dns.rdatatype.to_text(question.rdtype)} {'UDP' if by_udp else 'TCP'}")
        if self.mode is Mode.SILENT:
            return None
        response = dns.message.make_response(query, recursion_available=self.mode is not Mode.LAME)
        if self.mode is Mode.TRUNCATED and by_udp:
            response.flags |= dns.flags.TC
        elif self.mode in (Mode.SERVFAIL, Mode.REFUSED):
            response.set_rcode(dns.rcode.from_text(self.mode.value.upper()))
        elif self.mode is not Mode.LAME:
            response.flags |= dns.flags.AA
            self._fill(response, question.name, question.rdtype)
        try:
            return response.to_wire(max_size=0 if by_udp else 65_535)
        except dns.exception.TooBig:
            response.flags |= dns.flags.TC
            response.answer.clear()
            return response.to_wire()

    def _fill(self, response: dns.message.Message, name: dns.name.Name, record: dns.rdatatype.RdataType) -> None:
        for _link in range(CHAIN_AT_MOST):
            source = self._source_of(name)
            if source is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            if found := self._records.get((source, record)):
                response.answer.append(_named(found, name))
                return
            link = self._records.get((source, dns.rdatatype.CNAME))
            if link is None:
                return
            response.answer.append(_named(link, name))
            name = link[0].target

    def _source_of(self, name: dns.name.Name) -> dns.name.Name | None:
        """The name the records stand at: its own, or the wildcard that covers it (RFC 4592)."""
        known = {own for own, _record in self._records}
        if any(own.is_subdomain(name) for own in known):
            return name
        while name != dns.name.root:
            name = name.parent()
            if (wildcard := dns.name.from_text("*", name)) in known:
                return wildcard
            if any(own.is_subdomain(name) for own in known):
                return None
        return None


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _pair(server: NameServer, port: int) -> tuple[_Udp, _Tcp]:
    class ByUdp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            if found := server.answer(wire, by_udp=True):
                sock.sendto(found, self.client_address)

    class ByTcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = int.from_bytes(self.rfile.read(2), "big")
            if length and (found := server.answer(self.rfile.read(length), by_udp=False)):
                self.wfile.write(len(found).to_bytes(2, "big") + found)

    for _try in range(20):
        tcp = _Tcp(("127.0.0.1", port), ByTcp)
        try:
            return _Udp(("127.0.0.1", tcp.server_address[1]), ByUdp), tcp
        except OSError:
            tcp.server_close()
            if port:
                raise
    raise OSError("no port that is free by UDP and TCP")


def _named(rrset: dns.rrset.RRset, name: dns.name.Name) -> dns.rrset.RRset:
    records: list[Any] = list(rrset)
    return dns.rrset.from_rdata_list(name, rrset.ttl, records)


def main() -> None:
    """Serve the domains of the demo until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    with NameServer(zones.text(), port=options.port):
        threading.Event().wait()


if __name__ == "__main__":
    main()
