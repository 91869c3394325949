"""How an address is shown."""

import re
from typing import Any

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from migration.desk.access import address_for

register = template.Library()

# What fits on one line of a narrow phone; a shorter address is shown as it is.
ONE_LINE = 28
_MAY_BREAK = re.compile(r"(?<=[.+_])(?=.)|(?=@)")


@register.filter
def breakable(address: object) -> SafeString:
    """An address that is broken, if a line is too short for it, behind its dots and before its @."""
    text = str(address)
    parts = _MAY_BREAK.split(text) if len(text) > ONE_LINE else [text]
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in parts))


@register.filter
def seen_by(address: object, user: Any) -> str:
    """An address as this user may see it: {{ mailbox|seen_by:user }} is `a…@kunde.example` for an operator."""
    return address_for(user, address)
