"""The records by which mail programs find their server: autoconfig, autodiscover, SRV (RFC 6186, 8314), two pages."""

import secrets
from dataclasses import replace

from .lines import Line, Verdict, Wanted
from .lookup import Answer, Lookup
from .mail_records import failed, host_of
from .well_known import Fetcher, Page

HTTPS = 443
# Of mail programs that read SRV: (service, port, whether the target offers it by all means). A target of "." says that
# there is none. mailcow itself asks for them only if its ports are unusual.
SERVICES = (("_imaps", 993, True), ("_pop3s", 995, False), ("_submissions", 465, True))
# Older names of the same. Nothing has to be there, but an old server's would lead mail programs to it.
OLD_SERVICES = (("_imap", 143), ("_pop3", 110), ("_submission", 587), ("_caldavs", HTTPS), ("_carddavs", HTTPS))
PAGES = (
    ("autoconfig_page", "/.well-known/autoconfig/mail/config-v1.1.xml"),
    ("autodiscover_page", "/autodiscover/autodiscover.xml"),
)


def hosts(domain: str, wanted: Wanted, lookup: Lookup) -> list[Line]:
    """`autoconfig` (Thunderbird) and `autodiscover` (Outlook), the latter as a name or as an SRV record."""
    config = _host("autoconfig", f"autoconfig.{domain}", domain, wanted, lookup)
    discover = _host("autodiscover", f"autodiscover.{domain}", domain, wanted, lookup)
    service = _service("autodiscover_srv", f"_autodiscover._tcp.{domain}", HTTPS, wanted.client_host, wanted, lookup)
    if service.verdict is Verdict.MATCH and discover.verdict is Verdict.MISSING:
        discover = replace(discover, needed=False)
    return [config, discover, service]


def services(domain: str, wanted: Wanted, lookup: Lookup) -> list[Line]:
    """The SRV records of the protocols; those by an older name only if they lead elsewhere or nobody can tell."""
    lines = []
    for service, port, offered in SERVICES:
        line = _service("srv", f"{service}._tcp.{domain}", port, wanted.mail_host, wanted, lookup, offered=offered)
        lines.append(line)
    for service, port in OLD_SERVICES:
        host = wanted.client_host if port == HTTPS else wanted.mail_host
        line = _service("srv", f"{service}._tcp.{domain}", port, host, wanted, lookup, offered=False)
        if line.verdict is Verdict.CONFLICT:
            lines.append(replace(line, wanted=()))
    return lines


def pages(domain: str, wanted: Wanted, fetcher: Fetcher) -> list[Line]:
    """What the domain's own web server tells mail programs, which some of them ask first."""
    return [_page(kind, domain, path, wanted, fetcher.get(domain, path)) for kind, path in PAGES]


def _host(kind: str, name: str, domain: str, wanted: Wanted, lookup: Lookup) -> Line:
    answer, ours = lookup.addresses(name), wanted.client_host
    shown = (*(f"CNAME {host}" for host in answer.chain), *answer.values)
    there = answer.chain[-1] if answer.chain else ", ".join(answer.values)
    detail: dict[str, str | int] = {}
    if ours in answer.chain:
        verdict, code = Verdict.MATCH, "as_wanted"
    elif answer.failure and not answer.chain:
        return failed(kind, name, "CNAME", answer, wanted=(ours,))
    elif not there:
        verdict, code = Verdict.MISSING, "host_none"
    elif answer.values and (known := lookup.addresses(ours)) and set(answer.values) <= set(known.values):
        verdict, code, detail = Verdict.MATCH, "host_by_address", {"host": ours}
    elif answer.values and known.failure:
        return failed(kind, name, "CNAME", known, wanted=(ours,))
    else:
        verdict, detail = Verdict.CONFLICT, {"there": there}
        code = _foreign(domain, answer, wanted, lookup)
    foreign = shown if verdict is Verdict.CONFLICT and code != "host_wildcard" else ()
    return Line(kind, name, "CNAME", verdict, code, (ours,), shown, foreign, detail, answer.ttl)


def _foreign(domain: str, answer: Answer, wanted: Wanted, lookup: Lookup) -> str:
    nobody = lookup.addresses(f"{secrets.token_hex(8)}.{domain}")
    if nobody.values and (nobody.values, nobody.chain) == (answer.values, answer.chain):
        return "host_wildcard"
    source = {address for host in wanted.source_hosts for address in lookup.addresses(host).values}
    if set(answer.chain) & set(wanted.source_hosts) or (answer.values and set(answer.values) <= source):
        return "host_source"
    return "host_elsewhere"


def _service(
    kind: str, name: str, port: int, host: str, wanted: Wanted, lookup: Lookup, *, offered: bool = True
) -> Line:
    answer = lookup.ask(name, "SRV")
    ours = f"0 1 {port} {host}"
    if answer.failure:
        return failed(kind, name, "SRV", answer, wanted=(ours,), needed=False)
    hosts_of_ours = {host, wanted.client_host, wanted.mail_host, *wanted.mx}
    foreign = tuple(value for value in answer.values if host_of(value) not in hosts_of_ours)
    detail: dict[str, str | int] = {}
    if not answer.values:
        verdict, code = Verdict.MISSING, "srv_none"
    elif not foreign:
        verdict, code = Verdict.MATCH, "as_wanted"
    elif all(host_of(value) == "." for value in answer.values):
        verdict, code = (Verdict.CONFLICT, "srv_refused") if offered else (Verdict.MATCH, "srv_not_offered")
    else:
        verdict, code = Verdict.CONFLICT, "srv_elsewhere"
        detail = {"there": ", ".join(sorted({host_of(value) for value in foreign}))}
    foreign = foreign if verdict is Verdict.CONFLICT else ()
    return Line(kind, name, "SRV", verdict, code, (ours,), answer.values, foreign, detail, answer.ttl, needed=False)


def _page(kind: str, domain: str, path: str, wanted: Wanted, page: Page) -> Line:
    name = f"https://{domain}{path}"
    foreign = tuple(sorted(set(page.hosts) - {wanted.mail_host, wanted.client_host, *wanted.mx}))
    detail: dict[str, str | int] = {}
    if page.failure:
        return failed(kind, name, "https", Answer(failure=page.failure), needed=False)
    if foreign:
        verdict, code, detail = Verdict.CONFLICT, "page_elsewhere", {"there": ", ".join(foreign)}
    elif page.moved_to and page.moved_to not in (wanted.client_host, wanted.mail_host):
        verdict, code, detail = Verdict.UNKNOWN, "page_moved", {"there": page.moved_to}
    elif page.hosts or page.moved_to:
        verdict, code = Verdict.MATCH, "as_wanted"
    elif kind == "autodiscover_page" and page.status in (200, 401):
        verdict, code = Verdict.UNKNOWN, "page_answers"
    elif page.status >= 500:
        return failed(kind, name, "https", Answer(failure="broken"), needed=False)
    else:
        verdict, code = Verdict.MATCH, "nothing"
    return Line(kind, name, "https", verdict, code, found=page.hosts, foreign=foreign, detail=detail, needed=False)
