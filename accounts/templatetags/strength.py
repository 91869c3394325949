"""Where the strength meter is."""

from django import template
from django.contrib.staticfiles.finders import find
from django.templatetags.static import static

register = template.Library()

WORKER = "strength/worker.js"


@register.simple_tag
def strength_worker() -> str:
    """The address of the meter's worker, or nothing where it was not built or not collected."""
    try:
        return static(WORKER) if find(WORKER) else ""
    except ValueError:  # it was built after the static files were collected
        return ""
