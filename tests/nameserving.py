"""A domain whose DNS is as wanted, to take lines out of and put others in."""

from collections.abc import Iterator
from contextlib import contextmanager

from migration.dns.checking import check
from migration.dns.lines import Line, Wanted
from migration.dns.lookup import Lookup
from sandbox.nameserver import NameServer

DOMAIN = "kunde.example"
KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA21tUSjyasQyhJmVjPnlRGfzx6TPhYj8mXY9DVOzSAE64GddwIDAQAB"
WANTED = Wanted(
    mx=("mail.provider.example",),
    client_host="mailcow.provider.example",
    mail_host="mail.provider.example",
    spf_include="spf.provider.example",
    dkim_key=KEY,
    source_hosts=("alt.provider.example",),
)
PROVIDER = """
provider.example.           3600 IN NS    ns.provider.example.
ns.provider.example.        3600 IN A     127.0.0.1
mail.provider.example.      3600 IN A     192.0.2.10
mail.provider.example.      3600 IN AAAA  2001:db8::10
mailcow.provider.example.   3600 IN A     192.0.2.10
alt.provider.example.       3600 IN A     192.0.2.99
spf.provider.example.       3600 IN TXT   "v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::/64 -all"
"""
AS_WANTED = f"""
kunde.example.                        3600 IN NS    ns.provider.example.
kunde.example.                       86400 IN MX    10 mail.provider.example.
kunde.example.                        3600 IN TXT   "v=spf1 include:spf.provider.example -all"
dkim._domainkey.kunde.example.        3600 IN TXT   "v=DKIM1;k=rsa;t=s;s=email;p={KEY[:40]}" "{KEY[40:]}"
_dmarc.kunde.example.                 3600 IN TXT   "v=DMARC1; p=quarantine"
autoconfig.kunde.example.             3600 IN CNAME mailcow.provider.example.
autodiscover.kunde.example.           3600 IN CNAME mailcow.provider.example.
_autodiscover._tcp.kunde.example.     3600 IN SRV   0 1 443 mailcow.provider.example.
_imaps._tcp.kunde.example.            3600 IN SRV   0 1 993 mail.provider.example.
_submissions._tcp.kunde.example.      3600 IN SRV   0 1 465 mail.provider.example.
_pop3s._tcp.kunde.example.            3600 IN SRV   0 0 0 .
"""


def zone(*instead: str, without: tuple[str, ...] = ()) -> str:
    """The records of provider and domain: without those that begin with one of these, and with those instead."""
    gone = tuple(f"{name} " for name in without)
    kept = [line for line in AS_WANTED.strip().splitlines() if not line.startswith(gone)]
    return "\n".join([PROVIDER, *kept, *instead, ""])


def without_type(record: str, *instead: str, name: str = DOMAIN) -> str:
    """The records without the domain's one of this type, and with those instead."""
    rows = [line.split() for line in AS_WANTED.strip().splitlines()]
    kept = [" ".join(row) for row in rows if not (row[0] == f"{name}." and row[3] == record)]
    return "\n".join([PROVIDER, *kept, *instead, ""])


@contextmanager
def lookup_of(zone_text: str) -> Iterator[tuple[Lookup, NameServer]]:
    """A lookup that asks a name server with this zone, and the server."""
    with NameServer(zone_text) as server:
        yield asking(server), server


def asking(server: NameServer) -> Lookup:
    """A lookup that asks this server, also as the domain's own."""
    return Lookup([server.address], lifetime=1.0, may_ask=lambda _address: True, authority_port=server.port)


def checked(zone_text: str, wanted: Wanted = WANTED, domain: str = DOMAIN) -> dict[str, Line]:
    """The lines of a check by what they are about: `mx`, or `srv _imaps` for one of several."""
    with lookup_of(zone_text) as (lookup, _server):
        lines = check(domain, wanted, lookup)
    return {f"srv {line.name.partition('.')[0]}" if line.kind == "srv" else line.kind: line for line in lines}
