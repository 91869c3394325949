"""The demo's DNS has what the desk is to show: as wanted, at the old server, led astray, and nobody told."""

import pytest

from migration.addresses import domain_to_ascii
from migration.dns.checking import check
from migration.dns.lines import Verdict, Wanted, worst
from sandbox import zones
from tests.nameserving import lookup_of

WANTED = Wanted(mx=(zones.TARGET,), client_host=zones.CLIENTS, mail_host=zones.TARGET, source_hosts=(zones.SOURCE,))


@pytest.mark.parametrize(
    ("name", "verdict", "codes"),
    [
        ("steinmetz-hölzl.example", Verdict.UNKNOWN, {"dkim": "dkim_not_told", "mx": "as_wanted"}),
        ("sonnleitner.example", Verdict.CONFLICT, {"mx": "mx_source", "autodiscover": "host_elsewhere"}),
        ("bäckerei-müller.example", Verdict.CONFLICT, {"autodiscover": "host_wildcard", "autoconfig": "host_source"}),
        ("hofladen.example", Verdict.CONFLICT, {"mx": "mx_source", "spf": "spf_without"}),
    ],
)
def test_each_domain_has_its_story(name: str, verdict: Verdict, codes: dict[str, str]) -> None:
    with lookup_of(zones.text()) as (lookup, _server):
        lines = check(domain_to_ascii(name), WANTED, lookup)

    found = {line.kind: line.code for line in lines}
    assert worst(lines) is verdict
    assert codes.items() <= found.items()
