"""Ask name servers. A failure is told as a failure: only a server that answered can say that nothing is there."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from .servers import address_and_port, is_public

LIFETIME_SECONDS = 5.0
# After so many silent questions in a row nobody is there, and the rest is not asked any more.
SILENT_AT_MOST = 3
VALUES_AT_MOST = 20
CHARACTERS_AT_MOST = 2_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_RCODES = {"SERVFAIL": "servfail", "REFUSED": "refused"}


@dataclass(frozen=True)
class Answer:
    """What came of one question. Without a `failure`, no values means that there are none.

    `chain`: names the question was sent on to by CNAME. `ttl` of the values, or of the shortest link of the chain.
    """

    values: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    ttl: int | None = None
    failure: str = ""


class Lookup:
    """Asks each question once.

    `servers`: addresses, with `:port` or `[v6]:port` if it is not 53; none: those of the system. `may_ask` says which
    authoritative servers may be asked, by address; `authority_port` is theirs.
    """

    def __init__(
        self,
        servers: Sequence[str] = (),
        *,
        lifetime: float = LIFETIME_SECONDS,
        may_ask: Callable[[str], bool] = is_public,
        authority_port: int = 53,
    ) -> None:
        self._known: dict[tuple[str, str], Answer] = {}
        self._lifetime = lifetime
        self._may_ask = may_ask
        self._authority_port = authority_port
        self._silent = 0
        self._resolver: dns.resolver.Resolver | None = None
        try:
            resolver = dns.resolver.Resolver(configure=not servers)
            if servers:
                resolver.nameservers = [dns.nameserver.Do53Nameserver(*address_and_port(text)) for text in servers]
            resolver.use_edns(0, 0, 1232)
            self._resolver = resolver
        except (dns.exception.DNSException, OSError):  # no usable /etc/resolv.conf
            pass

    def ask(self, name: str, record: str) -> Answer:
        """The records of this type; names without a final dot, in lower case."""
        key = (name.lower().rstrip("."), record)
        if key not in self._known:
            self._known[key] = self._asked(*key)
        return self._known[key]

    def addresses(self, name: str) -> Answer:
        """The IPv4 and IPv6 addresses of a host together."""
        four, six = self.ask(name, "A"), self.ask(name, "AAAA")
        values = four.values + six.values
        failure = "" if values else four.failure or six.failure
        return Answer(values, four.chain or six.chain, four.ttl if four.ttl is not None else six.ttl, failure)

    def original_ttl(self, name: str, record: str) -> int | None:
        """The TTL as the domain's own servers give it; None if they cannot be asked.

        A resolver tells only what is left of it.
        """
        servers = next((answer.values for zone in _upwards(name) if (answer := self.ask(zone, "NS")).values), ())
        for server in servers[:2]:
            for address in self.ask(server, "A").values[:1]:
                if self._may_ask(address) and (ttl := self._authoritative(name, record, address)) is not None:
                    return ttl
        return None

    def _asked(self, name: str, record: str) -> Answer:
        if self._resolver is None:
            return Answer(failure="network")
        if self._silent >= SILENT_AT_MOST:
            return Answer(failure="timeout")
        try:
            response = self._response(self._resolver, name, record)
        except (dns.exception.DNSException, UnicodeError, ValueError, OSError) as error:
            self._silent += isinstance(error, dns.exception.Timeout)
            return Answer(failure=_why(error))
        self._silent = 0
        return _read(response, record)

    def _response(self, resolver: dns.resolver.Resolver, name: str, record: str) -> dns.message.Message:
        try:
            answer = resolver.resolve(name, record, lifetime=self._lifetime, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as error:
            # The last link of a chain that leads nowhere: the response has the links before it.
            responses: dict[Any, dns.message.Message] = error.kwargs["responses"]
            return next(iter(responses.values()))
        return answer.response

    def _authoritative(self, name: str, record: str, address: str) -> int | None:
        query = dns.message.make_query(name, record, flags=0)
        try:
            response, _by_tcp = dns.query.udp_with_fallback(query, address, 2.0, self._authority_port)
        except (dns.exception.DNSException, OSError, ValueError, EOFError):
            return None
        return _read(response, record).ttl if response.flags & dns.flags.AA else None


def _read(response: dns.message.Message, record: str) -> Answer:
    wanted = dns.rdatatype.from_text(record)
    chain, values, ttls = [], [], []
    for rrset in response.answer:
        if rrset.rdtype == wanted:
            values += [_text(rdata) for rdata in rrset]
            ttls.append(rrset.ttl)
        elif rrset.rdtype == dns.rdatatype.CNAME:
            chain += [_host(rdata.target) for rdata in rrset]
            ttls.append(rrset.ttl)
    if not values and not chain and _is_lame(response):
        return Answer(failure="lame")
    return Answer(tuple(sorted(values)[:VALUES_AT_MOST]), tuple(chain), min(ttls, default=None))


def _is_lame(response: dns.message.Message) -> bool:
    """An empty answer of a server that neither has the zone nor asks others for it."""
    return not response.flags & (dns.flags.AA | dns.flags.RA)


def _text(rdata: Any) -> str:
    kind = dns.rdatatype.to_text(rdata.rdtype)
    if kind == "TXT":
        text = b"".join(rdata.strings).decode("utf-8", "replace")
    elif kind == "MX":
        text = f"{rdata.preference} {_host(rdata.exchange)}"
    elif kind == "SRV":
        text = f"{rdata.priority} {rdata.weight} {rdata.port} {_host(rdata.target)}"
    elif kind in ("NS", "CNAME"):
        text = _host(rdata.target)
    else:
        text = rdata.to_text()
    return _UNPRINTABLE.sub(" ", text)[:CHARACTERS_AT_MOST]


def _host(name: dns.name.Name) -> str:
    return _UNPRINTABLE.sub(" ", name.to_text(omit_final_dot=True).lower())


def _why(error: Exception) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "timeout"
    if isinstance(error, dns.resolver.NoNameservers):
        errors: Any = error.kwargs.get("errors", ())
        codes = [dns.rcode.to_text(each[4].rcode()) for each in errors if each[4] is not None]
        if codes:
            return _RCODES.get(codes[-1], "broken")
        return "network" if any(isinstance(each[3], OSError) for each in errors) else "broken"
    return "network" if isinstance(error, OSError) else "broken"


def _upwards(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
