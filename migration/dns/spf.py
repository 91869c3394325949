"""Sender Policy Framework, RFC 7208, as far as it matters here: does a record allow our servers, at what cost?"""

import ipaddress
import re
from dataclasses import dataclass, field

from .lines import Wanted
from .lookup import Lookup

LOOKUPS_ALLOWED = 10
# Far above what anybody may have, and low enough that a maze of includes ends.
LOOKUPS_AT_MOST = 30
_TERM = re.compile(
    r"(?P<sign>[+?~-]?)(?P<name>[a-z0-9_.-]+)(?:[:=](?P<value>[^/]+(?:/\d+)?|[^/]*))?(?:/\S*)?", re.IGNORECASE
)


def is_spf(text: str) -> bool:
    """Whether a TXT record is one of SPF (RFC 7208, 4.5)."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


@dataclass
class Policy:
    """What a record says. `broken`: the name it refers to that has no record; `failure`: why a lookup brought nothing.

    `lookups` as RFC 7208, 4.6.4 counts them.
    """

    domain: str
    wanted: Wanted
    lookup: Lookup
    allows: bool = False
    lookups: int = 0
    broken: str = ""
    failure: str = ""
    _seen: set[str] = field(default_factory=set)

    def read(self, text: str) -> "Policy":
        """Go through the record of the domain."""
        self._terms(self.domain, text)
        return self

    def _terms(self, name: str, text: str) -> None:
        terms = [found for term in text.split()[1:] if (found := _TERM.fullmatch(term))]
        ends = any(term["name"].lower() == "all" for term in terms)
        for term in terms:
            if self.lookups > LOOKUPS_AT_MOST:
                return
            value = (term["value"] or name).lower().rstrip(".")
            host = value.partition("/")[0]
            yes = term["sign"] in ("", "+")
            match term["name"].lower():
                case "include":
                    self._other(value, allowing=yes)
                case "redirect" if not ends:
                    self._other(value, allowing=True)
                case "a":
                    self.lookups += 1
                    self.allows |= yes and not self.allows and self._has_our_addresses(host)
                case "mx":
                    self.lookups += 1
                    self.allows |= yes and host == self.domain
                case "ptr" | "exists":
                    self.lookups += 1
                case "ip4" | "ip6":
                    self.allows |= yes and not self.allows and self._is_ours(value)

    def _other(self, name: str, *, allowing: bool) -> None:
        self.lookups += 1
        self.allows |= allowing and name == self.wanted.spf_include
        if name in self._seen or "%" in name:
            return
        self._seen.add(name)
        answer = self.lookup.ask(name, "TXT")
        records = [value for value in answer.values if is_spf(value)]
        if answer.failure:
            self.failure = answer.failure
        elif len(records) != 1:
            self.broken = name
        else:
            before = self.allows
            self._terms(name, records[0])
            self.allows = before or (self.allows and allowing)

    def _has_our_addresses(self, host: str) -> bool:
        if host in self.wanted.mx:
            return True
        theirs = self.lookup.addresses(host).values
        ours = {address for mx in self.wanted.mx for address in self.lookup.addresses(mx).values}
        return bool(ours) and ours <= set(theirs)

    def _is_ours(self, network: str) -> bool:
        """Whether the addresses of all our MX hosts that are of this kind lie in the network."""
        try:
            block = ipaddress.ip_network(network, strict=False)
        except ValueError:
            return False
        record = "A" if block.version == 4 else "AAAA"
        ours = [address for host in self.wanted.mx for address in self.lookup.ask(host, record).values]
        return bool(ours) and all(ipaddress.ip_address(address) in block for address in ours)


def with_us(text: str, wanted: Wanted) -> str:
    """The record as it should be: the one there with our servers added, or a new one. Ours come first."""
    ours = f"include:{wanted.spf_include}" if wanted.spf_include else "mx"
    rest = text.split()[1:] if text else ["~all"]
    return " ".join(["v=spf1", ours, *rest])
