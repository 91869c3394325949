"""All records of one domain, in the order people change them."""

from . import client_records, mail_records
from .lines import Line, Wanted
from .lookup import Lookup
from .well_known import Fetcher


def check(domain: str, wanted: Wanted, lookup: Lookup, fetcher: Fetcher | None = None) -> list[Line]:
    """Look everything up and judge it. `domain` in its xn-- form. Without a `fetcher` no web server is asked."""
    lines = [
        mail_records.mx(domain, wanted, lookup),
        mail_records.spf(domain, wanted, lookup),
        mail_records.dkim(domain, wanted, lookup),
        *client_records.hosts(domain, wanted, lookup),
        mail_records.dmarc(domain, lookup),
        *client_records.services(domain, wanted, lookup),
        *mail_records.to_know(domain, lookup),
    ]
    if fetcher and wanted.well_known:
        lines += client_records.pages(domain, wanted, fetcher)
    return lines
