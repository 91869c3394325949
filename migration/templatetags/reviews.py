"""What waits of contacts' answers: for the desk's navigation and the page of a domain."""

from typing import Any

from django import template

from migration.models import Answer, Domain, Review

register = template.Library()


@register.simple_tag
def waiting_lists() -> int:
    """How many lists have answers that staff have to decide."""
    waiting = Answer.objects.filter(Answer.is_waiting()).order_by()
    return waiting.values("review").distinct().count()


@register.inclusion_tag("desk/review_badge.html")
def contacts_list(domain: Domain) -> dict[str, Any]:
    """How far the contact's list of a domain is, in one line."""
    review = Review.objects.filter(domains=domain).defer("mac").first()
    about = Answer.objects.filter(mailbox__domain=domain) | Answer.objects.filter(alias__domain=domain)
    waiting = about.filter(Answer.is_waiting()).count() if review else 0
    return {"domain": domain, "review": review, "waiting": waiting}
