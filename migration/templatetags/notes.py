"""How many follow-ups are due: for the desk's navigation, which every page of the desk has."""

from django import template

from migration import notes

register = template.Library()


@register.simple_tag
def follow_ups_due() -> int:
    """Notes whose day has come."""
    return notes.due().count()
