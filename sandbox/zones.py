"""The DNS of the demo's domains: some are where they should be, some still at the old server, some led astray."""

from migration.addresses import domain_to_ascii

from .campaign_plots import PLOTS

TARGET, CLIENTS, SOURCE = "mci.iteg.at", "mailcow.iteg.at", "mailhaus.iteg.at"
TTL = 3600
PROVIDER = f"""
iteg.at. {TTL} IN NS ns.iteg.at.
ns.iteg.at. {TTL} IN A 127.0.0.1
{TARGET}. {TTL} IN A 192.0.2.20
{CLIENTS}. {TTL} IN A 192.0.2.20
{SOURCE}. {TTL} IN A 192.0.2.10
"""
# Where a web host or another provider has left something behind, by domain.
ASTRAY = {
    "sonnleitner.example": ("autodiscover {ttl} IN CNAME autodiscover.office.example.",),
    "bäckerei-müller.example": ("* {ttl} IN A 198.51.100.80", "_imaps._tcp {ttl} IN SRV 0 1 993 mailhaus.iteg.at."),
    "hafner-maschinenbau.example": ('@ {ttl} IN TXT "v=spf1 include:news.example -all"',),
}
OWN = ("sonnleitner.example", "bäckerei-müller.example", "hofladen.example")


def text() -> str:
    """All of it, as a zone file with absolute names."""
    parts = [PROVIDER, 'news.example. 3600 IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n']
    parts += [_before(name) for name in OWN]
    parts += [_after(plot.name) if plot.cut_over is not None else _before(plot.name) for plot in PLOTS]
    return "\n".join(parts) + "\n"


def _before(name: str) -> str:
    """Mail and mail programs are at the old server, with a TTL of a day."""
    records = [
        f"@ 86400 IN MX 10 {SOURCE}.",
        f'@ {TTL} IN TXT "v=spf1 a:{SOURCE} ~all"',
        f"autoconfig {TTL} IN CNAME {SOURCE}.",
    ]
    return _zone(name, records)


def _after(name: str) -> str:
    """All that can be there is there; nobody has told the portal the key yet."""
    records = [
        f"@ 300 IN MX 10 {TARGET}.",
        f'@ {TTL} IN TXT "v=spf1 mx ~all"',
        f'dkim._domainkey {TTL} IN TXT "v=DKIM1;k=rsa;p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA21tUSjyasQyh"',
        f'_dmarc {TTL} IN TXT "v=DMARC1; p=none"',
        *(f"{host} {TTL} IN CNAME {CLIENTS}." for host in ("autoconfig", "autodiscover")),
        f"_imaps._tcp {TTL} IN SRV 0 1 993 {TARGET}.",
    ]
    return _zone(name, records)


def _zone(name: str, records: list[str]) -> str:
    origin = domain_to_ascii(name)
    astray = [record.format(ttl=TTL) for record in ASTRAY.get(name, ())]
    kinds = {_kind(record) for record in astray}
    kept = [record for record in records if _kind(record) not in kinds]
    return "\n".join([f"$ORIGIN {origin}.", f"@ {TTL} IN NS ns.iteg.at.", *kept, *astray])


def _kind(record: str) -> tuple[str, str]:
    own, _ttl, _class, kind = record.split()[:4]
    return own, kind
