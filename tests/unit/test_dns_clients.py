"""Before a cut-over: where mail programs are sent. A stale record leads a new account to the old server."""

import pytest

from migration.dns.lines import Verdict, worst
from tests.nameserving import DOMAIN, PROVIDER, WANTED, checked, zone

DISCOVER, CONFIG = f"autodiscover.{DOMAIN}.", f"autoconfig.{DOMAIN}."
SERVICE = f"_autodiscover._tcp.{DOMAIN}."


@pytest.mark.parametrize(
    ("records", "verdict", "code"),
    [
        (["CNAME mailcow.provider.example."], Verdict.MATCH, "as_wanted"),
        (["CNAME clients.provider.example."], Verdict.MATCH, "as_wanted"),
        (["A 192.0.2.10"], Verdict.MATCH, "host_by_address"),
        (["A 192.0.2.10", "A 192.0.2.77"], Verdict.CONFLICT, "host_elsewhere"),
        (["CNAME autodiscover.outlook.example."], Verdict.CONFLICT, "host_elsewhere"),
        (["CNAME alt.provider.example."], Verdict.CONFLICT, "host_source"),
        (["A 192.0.2.99"], Verdict.CONFLICT, "host_source"),
        ([], Verdict.MISSING, "host_none"),
    ],
)
def test_autoconfig_leads_to_us_or_is_named(records: list[str], verdict: Verdict, code: str) -> None:
    chain = "clients.provider.example. 60 IN CNAME mailcow.provider.example."

    line = checked(zone(chain, *(f"{CONFIG} 60 IN {record}" for record in records), without=(CONFIG,)))["autoconfig"]

    assert (line.verdict, line.code) == (verdict, code)


def test_a_foreign_autodiscover_is_named_and_to_be_deleted() -> None:
    lines = checked(zone(f"{DISCOVER} 60 IN CNAME autodiscover.outlook.example.", without=(DISCOVER,)))

    line = lines["autodiscover"]
    assert line.foreign == ("CNAME autodiscover.outlook.example",)
    assert "autodiscover.outlook.example" in str(line)
    assert "Delete this record" in str(line)
    assert worst(lines.values()) is Verdict.CONFLICT


def test_one_way_to_autodiscover_is_enough() -> None:
    by_service = checked(zone(without=(DISCOVER,)))
    by_name = checked(zone(without=(SERVICE,)))

    assert (by_service["autodiscover"].verdict, by_service["autodiscover"].needed) == (Verdict.MISSING, False)
    assert worst(by_service.values()) is Verdict.MATCH
    assert worst(by_name.values()) is Verdict.MATCH


def test_a_wildcard_that_leads_to_a_web_host_is_told_as_one() -> None:
    lines = checked(zone(f"*.{DOMAIN}. 60 IN A 198.51.100.80", without=(CONFIG, DISCOVER)))

    assert {lines[kind].code for kind in ("autoconfig", "autodiscover")} == {"host_wildcard"}
    assert lines["autoconfig"].foreign == ()


def test_a_chain_that_leads_to_our_name_counts_though_the_name_has_no_address() -> None:
    gone = "\n".join(line for line in zone().splitlines() if not line.startswith("mailcow.provider"))

    assert checked(gone)["autodiscover"].verdict is Verdict.MATCH


@pytest.mark.parametrize(
    ("service", "record", "verdict", "code"),
    [
        ("_imaps", "0 1 993 mail.provider.example.", Verdict.MATCH, "as_wanted"),
        ("_imaps", "0 0 0 .", Verdict.CONFLICT, "srv_refused"),
        ("_pop3s", "0 0 0 .", Verdict.MATCH, "srv_not_offered"),
        ("_submissions", "0 1 465 alt.provider.example.", Verdict.CONFLICT, "srv_elsewhere"),
        ("_imap", "0 1 143 alt.provider.example.", Verdict.CONFLICT, "srv_elsewhere"),
    ],
)
def test_services_lead_to_us_or_are_named(service: str, record: str, verdict: Verdict, code: str) -> None:
    name = f"{service}._tcp.{DOMAIN}."

    line = checked(zone(f"{name} 60 IN SRV {record}", without=(name,)))[f"srv {service}"]

    assert (line.verdict, line.code) == (verdict, code)


def test_no_srv_is_no_obstacle_and_an_old_name_is_not_asked_for() -> None:
    names = tuple(f"{service}._tcp.{DOMAIN}." for service in ("_imaps", "_pop3s", "_submissions"))

    lines = checked(zone(without=names))

    assert lines["srv _imaps"].verdict is Verdict.MISSING
    assert "srv _imap" not in lines
    assert worst(lines.values()) is Verdict.MATCH


def test_a_domain_with_umlauts_is_asked_for_by_its_ascii_name() -> None:
    name = "xn--bckerei-mller-hfb0r.example"
    records = zone().removeprefix(PROVIDER).replace(DOMAIN, name)

    lines = checked(PROVIDER + records, WANTED, name)

    assert worst(lines.values()) is Verdict.MATCH
    assert lines["mx"].name == name
