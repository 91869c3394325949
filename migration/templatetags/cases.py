"""How many cases are open: for the desk's navigation, which every page of the desk has."""

from django import template

from migration.models import Case

register = template.Library()


@register.simple_tag
def open_cases() -> int:
    """Cases nobody has closed yet."""
    return Case.objects.filter(closed_at=None).count()
