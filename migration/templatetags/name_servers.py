"""What the name servers said last of a domain, in short."""

from typing import Any

from django import template

from migration import dns_checks
from migration.desk.checks import TONES
from migration.models import Domain

register = template.Library()

LINES_AT_MOST = 3


@register.simple_tag
def newest_check(domain: Domain) -> dict[str, Any] | None:
    """The newest check with its colour and the first records that are not as wanted; None before the first."""
    row = dns_checks.newest(domain)
    if row is None:
        return None
    worst = [line for line in row.found if line.counts and line.verdict == row.verdict != "match"]
    return {"row": row, "tone": TONES.get(row.verdict, ""), "worst": worst[:LINES_AT_MOST]}
