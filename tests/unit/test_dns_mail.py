"""Before a cut-over: where mail arrives, who may send it, and what signatures are checked with."""

from dataclasses import replace

import pytest

from migration.dns.lines import Verdict, worst
from tests.nameserving import DOMAIN, KEY, PROVIDER, WANTED, checked, without_type, zone

MX = f"{DOMAIN}. 3600 IN MX"
TXT = f"{DOMAIN}. 3600 IN TXT"
DKIM = f"dkim._domainkey.{DOMAIN}."


def test_a_domain_as_wanted_is_a_match_in_every_line() -> None:
    lines = checked(zone())

    assert {name: (line.verdict, line.code) for name, line in lines.items() if line.verdict is not Verdict.MATCH} == {}
    assert worst(lines.values()) is Verdict.MATCH


def test_a_domain_without_anything_misses_what_is_needed() -> None:
    lines = checked(PROVIDER)

    missing = {name for name, line in lines.items() if line.verdict is Verdict.MISSING and line.needed}
    assert missing == {"mx", "spf", "dkim", "autoconfig", "autodiscover"}
    assert worst(lines.values()) is Verdict.MISSING
    assert "no MX record" in str(lines["mx"])


@pytest.mark.parametrize(
    ("records", "code", "foreign"),
    [
        (["10 alt.provider.example."], "mx_source", ("10 alt.provider.example",)),
        (["0 kunde-example.mail.protection.example."], "mx_elsewhere", ("0 kunde-example.mail.protection.example",)),
        (["10 mail.provider.example.", "20 alt.provider.example."], "mx_mixed", ("20 alt.provider.example",)),
        (["0 ."], "mx_null", ("0 .",)),
    ],
)
def test_mail_that_arrives_elsewhere_is_a_conflict_that_names_it(
    records: list[str], code: str, foreign: tuple[str, ...]
) -> None:
    line = checked(without_type("MX", *(f"{MX} {record}" for record in records)))["mx"]

    assert (line.verdict, line.code, line.foreign) == (Verdict.CONFLICT, code, foreign)


def test_several_of_our_hosts_are_as_wanted() -> None:
    wanted = replace(WANTED, mx=("mail.provider.example", "mail2.provider.example"))

    line = checked(zone(f"{MX} 20 MAIL2.provider.example."), wanted)["mx"]

    assert line.verdict is Verdict.MATCH
    assert line.wanted == ("10 mail.provider.example", "20 mail2.provider.example")


def test_the_ttl_of_mx_is_the_one_of_the_domains_own_servers() -> None:
    assert checked(zone())["mx"].ttl == 86400


@pytest.mark.parametrize(
    ("records", "verdict", "code"),
    [
        (["v=spf1 include:spf.provider.example ~all"], Verdict.MATCH, "as_wanted"),
        (["V=SPF1 Include:SPF.provider.example. ~all"], Verdict.MATCH, "as_wanted"),
        (["v=spf1 mx -all"], Verdict.MATCH, "as_wanted"),
        (["v=spf1 a:mail.provider.example -all"], Verdict.MATCH, "as_wanted"),
        (["v=spf1 ip4:192.0.2.0/24 -all"], Verdict.MATCH, "as_wanted"),
        (["v=spf1 redirect=spf.provider.example"], Verdict.MATCH, "as_wanted"),
        (["v=spf1 ip4:198.51.100.0/24 -all"], Verdict.CONFLICT, "spf_without"),
        (["v=spf1 -include:spf.provider.example ?all"], Verdict.CONFLICT, "spf_without"),
        (["v=spf1 include:gone.provider.example mx -all"], Verdict.CONFLICT, "spf_broken"),
        (["v=spf1 mx -all", "v=spf1 include:spf.provider.example -all"], Verdict.CONFLICT, "spf_several"),
        (["google-site-verification=x", "v=spf10 mx"], Verdict.MISSING, "spf_none"),
        ([f"v=spf1 mx {' '.join(f'a:h{n}.example' for n in range(10))} -all"], Verdict.UNKNOWN, "spf_too_many"),
    ],
)
def test_who_may_send_is_read_as_others_read_it(records: list[str], verdict: Verdict, code: str) -> None:
    line = checked(without_type("TXT", *(f'{TXT} "{record}"' for record in records)))["spf"]

    assert (line.verdict, line.code) == (verdict, code)


def test_includes_that_go_round_in_circles_end() -> None:
    circle = [f'r{n}.example. 60 IN TXT "v=spf1 include:r{(n + 1) % 3}.example -all"' for n in range(3)]

    line = checked(without_type("TXT", f'{TXT} "v=spf1 include:r0.example -all"', *circle))["spf"]

    assert line.code == "spf_without"


def test_the_record_to_write_keeps_what_else_may_send() -> None:
    line = checked(without_type("TXT", f'{TXT} "v=spf1 ip4:198.51.100.7 include:news.example ~all"', NEWS))["spf"]

    assert line.wanted == ("v=spf1 include:spf.provider.example ip4:198.51.100.7 include:news.example ~all",)


NEWS = 'news.example. 60 IN TXT "v=spf1 ip4:198.51.100.8 -all"'


@pytest.mark.parametrize(
    ("records", "told", "verdict", "code"),
    [
        ([f'"v=DKIM1; k=rsa; p={KEY[:30]}" "{KEY[30:]}"'], KEY, Verdict.MATCH, "as_wanted"),
        ([f'"p={KEY}"'], f"v=DKIM1;k=rsa;t=s;s=email;p={KEY}", Verdict.MATCH, "as_wanted"),
        ([f'"v=DKIM1; p={KEY}"'], f'"v=DKIM1;p={KEY[:50]}" "{KEY[50:]}"', Verdict.MATCH, "as_wanted"),
        (['"v=DKIM1; p=AAAA"'], KEY, Verdict.CONFLICT, "dkim_other"),
        (['"v=DKIM1; p="'], KEY, Verdict.CONFLICT, "dkim_revoked"),
        ([f'"v=DKIM1; p={KEY}"', '"v=DKIM1; p=AAAA"'], KEY, Verdict.CONFLICT, "dkim_several"),
        ([f'"v=DKIM1; p={KEY}"'], "", Verdict.UNKNOWN, "dkim_not_told"),
        (['"wildcard of the web host"'], KEY, Verdict.MISSING, "dkim_none"),
        ([], "", Verdict.MISSING, "dkim_none_known"),
    ],
)
def test_the_key_is_compared_not_the_text_around_it(records: list[str], told: str, verdict: Verdict, code: str) -> None:
    texts = (f"{DKIM} 3600 IN TXT {record}" for record in records)

    line = checked(zone(*texts, without=(DKIM,)), replace(WANTED, dkim_key=told))["dkim"]

    assert (line.verdict, line.code) == (verdict, code)


def test_a_key_that_another_zone_holds_counts() -> None:
    elsewhere = f'key.provider.example. 60 IN TXT "v=DKIM1; p={KEY}"'

    line = checked(zone(f"{DKIM} 60 IN CNAME key.provider.example.", elsewhere, without=(DKIM,)))["dkim"]

    assert line.verdict is Verdict.MATCH


@pytest.mark.parametrize(
    ("records", "verdict", "code"),
    [
        ([], Verdict.MISSING, "dmarc_none"),
        (["v=DMARC1; p=reject; rua=mailto:x@kunde.example"], Verdict.MATCH, "as_wanted"),
        (["v=DMARC1; rua=mailto:x@kunde.example"], Verdict.CONFLICT, "dmarc_broken"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], Verdict.CONFLICT, "dmarc_several"),
    ],
)
def test_dmarc_may_be_missing_but_not_wrong(records: list[str], verdict: Verdict, code: str) -> None:
    name = f"_dmarc.{DOMAIN}."

    line = checked(zone(*(f'{name} 60 IN TXT "{record}"' for record in records), without=(name,)))["dmarc"]

    assert (line.verdict, line.code, line.counts) == (verdict, code, verdict is Verdict.CONFLICT)


def test_a_policy_for_tls_is_told_but_is_no_obstacle() -> None:
    lines = checked(zone(f'_mta-sts.{DOMAIN}. 60 IN TXT "v=STSv1; id=1"'))

    assert lines["mta_sts"].code == "mta_sts"
    assert worst(lines.values()) is Verdict.MATCH
