"""The verbs of staff before the contact answers: send him the list, send a new code, take the link back."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from migration.doorbell import ring
from migration.first_login import new_locator
from migration.models import Customer, Domain, Event, Mailing, Review
from migration.refusals import VerbRefused

Action = Event.Action
_ON_ITS_WAY = (*Mailing.OPEN, Mailing.State.SENDING)


def send(customer: Customer, domains: Iterable[Domain], *, actor: str) -> Review:
    """Mail the customer's contact a link and a code to the list of these domains of his.

    Raises VerbRefused without a domain, if one is paused, or if one is on a list that was not revoked.
    """
    with transaction.atomic():
        Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)  # of two clicks at once the second waits
        chosen = list(Domain.objects.filter(pk__in=[domain.pk for domain in domains], customer=customer))
        if not chosen:
            raise VerbRefused("no_domain")
        if Review.objects.filter(domains__in=chosen, revoked_at=None).exists():
            raise VerbRefused("review_there")
        review = Review.objects.create(customer=customer, locator=new_locator())
        review.domains.set(chosen)
        _mail(review, chosen, actor=actor)
    return review


def send_again(review: Review, *, actor: str) -> None:
    """Mail a new code; the earlier one works until then, and answers stay. Raises VerbRefused."""
    with transaction.atomic():
        locked = (
            Review.objects.select_for_update(of=("self",), no_key=True).select_related("customer").get(pk=review.pk)
        )
        if locked.revoked_at:
            raise VerbRefused("review_revoked")
        if locked.mailings.filter(state__in=_ON_ITS_WAY).exists():
            raise VerbRefused("review_on_its_way")
        _mail(locked, list(locked.domains.all()), actor=actor)


def revoke(review: Review, *, actor: str) -> None:
    """Make the link worthless and end the contact's sessions. What he has handed in stays. Raises VerbRefused."""
    with transaction.atomic():
        if not Review.objects.filter(pk=review.pk, revoked_at=None).update(revoked_at=timezone.now(), mac=None):
            raise VerbRefused("review_revoked")
        tell(review, Action.REVIEW_REVOKED, actor=actor)


def tell(review: Review, action: Event.Action, *, actor: str, ip: str | None = None, **detail: object) -> None:
    """Write the event on the timeline of each domain of the list."""
    Event.objects.bulk_create(
        Event(action=action, actor=actor, domain_id=pk, ip=ip or None, detail={"review": review.pk, **detail})
        for pk in review.domains.order_by("name").values_list("pk", flat=True)
    )


def _mail(review: Review, domains: list[Domain], *, actor: str) -> None:
    if any(domain.paused_at for domain in domains):
        raise VerbRefused("paused")
    tell(review, Action.REVIEW_SENT, actor=actor)
    mailing = Mailing.objects.create(
        kind=Mailing.Kind.REVIEW,
        domain=domains[0],
        review=review,
        recipient=review.customer.contact_email,
        language=review.customer.language,
    )
    ring("send_mail", mailing.pk)
