"""What is to change in a domain's DNS, in words and as lines of a zone file, for whoever runs it."""

import math
from collections.abc import Iterable, Iterator, Sequence

from django.utils import timezone, translation

from .dns.lines import Line, Verdict
from .mailings import layout
from .mailings.occasion import day
from .models import Domain

LOW_TTL = 300
# So that a string of a TXT record fits into a line of a mail; DNS allows 255 (RFC 1035, 3.3.14).
STRING_CHARACTERS = 60
# What is changed on the day itself: before it, mail and mail programs belong to the old server.
ON_THE_DAY = ("mx", "autoconfig", "autodiscover", "autodiscover_srv", "srv")


def changes(lines: Iterable[Line]) -> list[Line]:
    """What has to change, as far as we can say what it is to be."""
    return [line for line in lines if line.to_change and (line.wanted or line.foreign)]


def draft(domain: Domain, lines: Sequence[Line], language: str) -> tuple[str, str]:
    """Subject and text of the mail, in that language."""
    with translation.override(language):
        to_change = changes(lines)
        first = [line for line in to_change if line.kind not in ON_THE_DAY]
        then = [line for line in to_change if line.kind in ON_THE_DAY]
        mx = next((line for line in to_change if line.kind == "mx"), None)
        high = mx is not None and (mx.ttl or 0) > LOW_TTL
        planned = domain.cut_over_on if domain.cut_over_on and domain.cut_over_on >= timezone.localdate() else None
        context: dict[str, object] = {
            "domain": domain.display_name,
            "name": domain.name if domain.name != domain.display_name else "",
            "first": first,
            "first_zone": zone_file(domain.name, first),
            "then": then,
            "then_zone": zone_file(domain.name, then),
            "ttl": mx.ttl if mx and high else None,
            "hours": hours(mx.ttl) if mx and high else None,
            "low": LOW_TTL,
            "cut_over_on": day(planned, language),
            "is_over": domain.cut_over_at is not None,
        }
        subject, text = (
            layout.rendered(f"mail/{language}/dns_{part}.txt", language, context) for part in ("subject", "text")
        )
    return layout.one_line(subject, layout.MAX_SUBJECT), layout.tidy(text)


def hours(ttl: int | None) -> int:
    """How long others may remember a record, in whole hours."""
    return math.ceil((ttl or 0) / 3600)


def zone_file(domain: str, lines: Iterable[Line]) -> list[str]:
    """The records that are to be there, and as comments those that are to go."""
    records = [text for line in lines for text in _records(domain, line)]
    return [f"$ORIGIN {domain}.", *records] if records else []


def _records(domain: str, line: Line) -> Iterator[str]:
    if line.record == "https":
        return
    own = "@" if line.name == domain else line.name.removesuffix(f".{domain}")
    gone = line.foreign or (line.found if line.verdict is Verdict.CONFLICT and line.code != "host_wildcard" else ())
    for value in gone:
        if value not in line.wanted:
            yield f"; - {own} IN {_data(line, value)}"
    for value in line.wanted:
        if line.record == "TXT" and len(value) > STRING_CHARACTERS:
            yield f"{own} {LOW_TTL} IN TXT ("
            for at in range(0, len(value), STRING_CHARACTERS):
                yield f"  {_quoted(value[at : at + STRING_CHARACTERS])}"
            yield "  )"
        else:
            yield f"{own} {LOW_TTL} IN {_data(line, value)}"


def _data(line: Line, value: str) -> str:
    """Type and value of a record, as a zone file has them. Where a CNAME is to be, an address may stand."""
    if line.record == "TXT":
        return f"TXT {_quoted(value)}"
    if line.record == "CNAME" and value not in line.wanted and not value.startswith("CNAME "):
        return f"{'AAAA' if ':' in value else 'A'} {value}"
    return f"{line.record} {value.removeprefix('CNAME ').rstrip('.')}."


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
