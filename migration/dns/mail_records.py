"""The records that mail itself needs: where it arrives, and who may send it. MX, SPF, DKIM, DMARC; MTA-STS to know."""

import re
from collections.abc import Iterable

from .lines import Line, Verdict, Wanted
from .lookup import Answer, Lookup
from .spf import LOOKUPS_ALLOWED, Policy, is_spf, with_us

NULL_MX = "."
DMARC_TO_BEGIN_WITH = "v=DMARC1; p=none"
_DMARC_POLICY = re.compile(r";\s*p\s*=\s*(?:none|quarantine|reject)\s*(?:;|$)", re.IGNORECASE)


def failed(
    kind: str, name: str, record: str, answer: Answer, *, wanted: Iterable[str] = (), needed: bool = True
) -> Line:
    """The line of a record nobody could look up. Never green."""
    why: dict[str, str | int] = {"why": answer.failure}
    return Line(kind, name, record, Verdict.UNKNOWN, "failed", tuple(wanted), detail=why, needed=needed)


def mx(domain: str, wanted: Wanted, lookup: Lookup) -> Line:
    """Where mail arrives. The TTL is the one of the domain's own servers, if they tell it."""
    answer = lookup.ask(domain, "MX")
    ours = tuple(f"{10 * (place + 1)} {host}" for place, host in enumerate(wanted.mx))
    if answer.failure:
        return failed("mx", domain, "MX", answer, wanted=ours)
    foreign = tuple(value for value in answer.values if host_of(value) not in wanted.mx)
    hosts = [host_of(value) for value in foreign]
    detail: dict[str, str | int] = {"there": ", ".join(hosts)}
    if not answer.values:
        verdict, code = Verdict.MISSING, "mx_none"
    elif not foreign:
        verdict, code, detail = Verdict.MATCH, "as_wanted", {}
    elif len(foreign) < len(answer.values):
        verdict, code = Verdict.CONFLICT, "mx_mixed"
    elif NULL_MX in hosts:
        verdict, code = Verdict.CONFLICT, "mx_null"
    else:
        of_source = set(hosts) <= set(wanted.source_hosts)
        verdict, code = Verdict.CONFLICT, "mx_source" if of_source else "mx_elsewhere"
    ttl = (lookup.original_ttl(domain, "MX") or answer.ttl) if answer.values else None
    return Line("mx", domain, "MX", verdict, code, ours, answer.values, foreign, detail, ttl)


def spf(domain: str, wanted: Wanted, lookup: Lookup) -> Line:
    """Who may send mail of the domain."""
    answer = lookup.ask(domain, "TXT")
    records = tuple(value for value in answer.values if is_spf(value))
    ours: tuple[str, ...] = (with_us(records[0] if records else "", wanted),)
    if answer.failure:
        return failed("spf", domain, "TXT", answer, wanted=ours)
    verdict, code, detail = _judged_spf(domain, records, wanted, lookup)
    if verdict is Verdict.MATCH or code in ("spf_too_many", "failed"):
        ours = records
    return Line("spf", domain, "TXT", verdict, code, ours, records, detail=detail, ttl=answer.ttl)


def _judged_spf(
    domain: str, records: tuple[str, ...], wanted: Wanted, lookup: Lookup
) -> tuple[Verdict, str, dict[str, str | int]]:
    policy = Policy(domain, wanted, lookup)
    if len(records) == 1:
        policy.read(records[0])
    outcomes: tuple[tuple[bool, Verdict, str, dict[str, str | int]], ...] = (
        (not records, Verdict.MISSING, "spf_none", {}),
        (len(records) > 1, Verdict.CONFLICT, "spf_several", {"n": len(records)}),
        (bool(policy.broken), Verdict.CONFLICT, "spf_broken", {"there": policy.broken}),
        # What could not be looked up may allow us, or need lookups of its own.
        (bool(policy.failure), Verdict.UNKNOWN, "failed", {"why": policy.failure}),
        (not policy.allows, Verdict.CONFLICT, "spf_without", {}),
        (policy.lookups > LOOKUPS_ALLOWED, Verdict.UNKNOWN, "spf_too_many", {"n": policy.lookups}),
    )
    found = (outcome[1:] for outcome in outcomes if outcome[0])
    return next(found, (Verdict.MATCH, "as_wanted", {}))


def dkim(domain: str, wanted: Wanted, lookup: Lookup) -> Line:
    """The key that signatures of the target are checked with. Keys are compared, not the text around them."""
    name = f"{wanted.dkim_selector}._domainkey.{domain}"
    answer = lookup.ask(name, "TXT")
    key = key_of(wanted.dkim_key)
    ours = (f"v=DKIM1;k=rsa;t=s;s=email;p={key}",) if key else ()
    if answer.failure:
        return failed("dkim", name, "TXT", answer, wanted=ours)
    # A wildcard may answer with anything; a key has p= (RFC 6376, 3.6.1).
    records = tuple(value for value in answer.values if "p" in _tags(value))
    keys = {key_of(value) for value in records}
    if not records:
        verdict, code = Verdict.MISSING, "dkim_none" if key else "dkim_none_known"
    elif len(records) > 1:
        verdict, code = Verdict.CONFLICT, "dkim_several"
    elif keys == {""}:
        verdict, code = Verdict.CONFLICT, "dkim_revoked"
    elif not key:
        verdict, code = Verdict.UNKNOWN, "dkim_not_told"
    else:
        verdict, code = (Verdict.MATCH, "as_wanted") if keys == {key} else (Verdict.CONFLICT, "dkim_other")
    foreign = tuple(value for value in records if key_of(value) != key) if key and verdict is Verdict.CONFLICT else ()
    return Line("dkim", name, "TXT", verdict, code, ours, records, foreign, ttl=answer.ttl)


def dmarc(domain: str, lookup: Lookup) -> Line:
    """What others shall do with mail that is not signed. Any valid record will do; none is no obstacle."""
    name = f"_dmarc.{domain}"
    answer = lookup.ask(name, "TXT")
    if answer.failure:
        return failed("dmarc", name, "TXT", answer, needed=False)
    records = tuple(value for value in answer.values if value.replace(" ", "").lower().startswith("v=dmarc1"))
    detail: dict[str, str | int] = {}
    if not records:
        verdict, code = Verdict.MISSING, "dmarc_none"
    elif len(records) > 1:
        verdict, code, detail = Verdict.CONFLICT, "dmarc_several", {"n": len(records)}
    elif not _DMARC_POLICY.search(records[0]):
        verdict, code = Verdict.CONFLICT, "dmarc_broken"
    else:
        verdict, code = Verdict.MATCH, "as_wanted"
    wanted = records if verdict is Verdict.MATCH else (DMARC_TO_BEGIN_WITH,)
    return Line("dmarc", name, "TXT", verdict, code, wanted, records, detail=detail, ttl=answer.ttl, needed=False)


def to_know(domain: str, lookup: Lookup) -> list[Line]:
    """MTA-STS (RFC 8461) and TLS reports (RFC 8460): nothing has to be there, but what is may be in the way."""
    lines = []
    for kind, name, begin, verdict in (
        ("mta_sts", f"_mta-sts.{domain}", "v=stsv1", Verdict.UNKNOWN),
        ("tls_reports", f"_smtp._tls.{domain}", "v=tlsrptv1", Verdict.MATCH),
    ):
        answer = lookup.ask(name, "TXT")
        records = tuple(value for value in answer.values if value.lower().startswith(begin))
        if answer.failure:
            lines.append(failed(kind, name, "TXT", answer, needed=False))
        elif records:
            lines.append(Line(kind, name, "TXT", verdict, kind, found=records, ttl=answer.ttl, needed=False))
        else:
            lines.append(Line(kind, name, "TXT", Verdict.MATCH, "nothing", needed=False))
    return lines


def host_of(value: str) -> str:
    """The host of an MX or SRV record: its last word."""
    return value.rpartition(" ")[2]


def key_of(text: str) -> str:
    """The base64 of a public key: out of a whole DKIM record, however it is quoted and folded, or as it stands."""
    text = re.sub(r'["\s()]+', "", text)
    return _tags(text).get("p", "" if ";" in text else text)


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in re.sub(r"\s+", "", text).split(";"))
    return {name.lower(): value for name, equals, value in pairs if equals}
