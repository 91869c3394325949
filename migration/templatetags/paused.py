"""What stands on every page of the desk while something is paused or over."""

from typing import Any

from django import template

from migration import campaign
from migration.models import Domain

register = template.Library()


@register.inclusion_tag("desk/paused.html", takes_context=True)
def paused_banner(context: template.Context) -> dict[str, Any]:
    """Of everything, and of the domain the page is about: its own, or that of its mailbox or case."""
    known = context["all_paused"] if "all_paused" in context else campaign.paused()
    return {"all": known, "domain": _domain(context)}


def _domain(context: template.Context) -> Domain | None:
    for name in ("domain", "mailbox", "case"):
        found = context.get(name)
        found = getattr(found, "mailbox", found)
        found = getattr(found, "domain", found)
        if isinstance(found, Domain):
            return found
    return None
