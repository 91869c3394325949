"""The verbs of staff on an answer: carry it out by the verbs there are, or leave it. Each is settled once."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from migration import kinds, mailboxes
from migration.models import Alias, Answer, Domain, Event, Mailbox, Review
from migration.refusals import VerbRefused

Choice, Outcome = Answer.Choice, Answer.Outcome
# The first field of a mailbox takes the answer's detail.
_FIELD = {Choice.SHARED: "responsible", Choice.MACHINE: "responsible", Choice.PERSON: "name"}


def about(domain: Domain, review: Review | None = None) -> QuerySet[Answer]:
    """The answers about mailboxes and aliases of the domain, of one list or of all."""
    found = Answer.objects.filter(Q(mailbox__domain=domain) | Q(alias__domain=domain))
    found = found.select_related("review__customer", "mailbox__domain", "alias__domain")
    found = found.defer("mailbox__legacy_hash", "review__mac").order_by("mailbox__local_part", "alias__local_part")
    return found.filter(review=review) if review else found


def waiting(domain: Domain) -> QuerySet[Answer]:
    """Those of all lists that staff have to look at."""
    return about(domain).filter(Answer.is_waiting())


def harmless(domain: Domain) -> list[Answer]:
    """Those waiting that may be carried out together, unread.

    Another person's name; or of what kind a mailbox is, with a responsible person in one of the customer's domains:
    a machine's first-login mail goes there, so it must not leave the house by a click. A note must be read by somebody.
    """
    own = tuple(f"@{name}" for name in domain.customer.domains.values_list("name", flat=True))
    candidates = waiting(domain).filter(choice__in=_FIELD, note="", mailbox__isnull=False)
    moving = candidates.exclude(mailbox__state=Mailbox.State.EXCLUDED)
    return [answer for answer in moving if answer.choice == Choice.PERSON or answer.detail.endswith(own)]


def pointing_at(answer: Answer) -> list[str]:
    """Which addresses send mail on to what is to be deleted: aliases and mailboxes that forward, of any customer.

    Canonical, in the order of the alphabet; none for any other answer. Two queries.
    """
    thing = _thing(answer)
    if answer.choice != Choice.DELETE or thing is None:
        return []
    aliases = Alias.objects.filter(goto__contains=thing.address).select_related("domain")
    moving = Mailbox.objects.exclude(state=Mailbox.State.EXCLUDED).filter(forwards__contains=thing.address)
    senders: list[tuple[str, str]] = [(alias.address, alias.goto) for alias in aliases]
    senders += [(box.address, box.forwards) for box in moving.select_related("domain").defer("legacy_hash")]
    named = {address for address, targets in senders if thing.address in (one.strip() for one in targets.split(","))}
    return sorted(named - {thing.address})


def apply(answer: Answer, *, actor: str, seen: Collection[str] = ()) -> None:
    """Carry one answer out; "keep it" is only ticked off. Raises VerbRefused, and changes nothing then.

    What something still points at is deleted only if all of `pointing_at` has been `seen`.
    """
    with transaction.atomic():
        found = _claimed([answer])[0]
        if not set(pointing_at(found)) <= set(seen):
            raise VerbRefused("pointed_at")
        _HOW[Choice(found.choice)](found, actor)
        _settle([found], Outcome.APPLIED, actor)


def leave(answer: Answer, *, actor: str) -> None:
    """Tick one answer off without carrying it out. Raises VerbRefused if that was decided before."""
    with transaction.atomic():
        _settle(_claimed([answer]), Outcome.LEFT, actor)


def apply_harmless(domain: Domain, *, actor: str, seen: Collection[int], until: datetime) -> int:
    """Carry out those harmless answers about a domain that were seen; how many.

    One settled meanwhile is left out, or one that was answered anew after `until`.
    """
    with transaction.atomic():
        list(Review.objects.select_for_update(no_key=True).filter(domains=domain).order_by("pk"))
        answers = [answer for answer in harmless(domain) if answer.pk in seen and answer.answered_at <= until]
        _set_fields(answers, actor)
        _settle(answers, Outcome.APPLIED, actor)
    return len(answers)


def _claimed(answers: Sequence[Answer]) -> list[Answer]:
    """The rows as they are now, under the lock of their list. Raises VerbRefused if one is settled or taken back."""
    reviews = {answer.review_id for answer in answers}
    list(Review.objects.select_for_update(no_key=True).filter(pk__in=reviews).order_by("pk"))
    unsettled = Answer.objects.filter(settled_at=None, review__submitted_at__isnull=False)
    rows = unsettled.select_related("review", "mailbox__domain__customer", "alias__domain")
    found = list(rows.filter(pk__in=[answer.pk for answer in answers]).defer("mailbox__legacy_hash"))
    if len(found) != len(answers):
        raise VerbRefused("answer_settled")
    return found


def _settle(answers: Sequence[Answer], outcome: Answer.Outcome, actor: str) -> None:
    Answer.objects.filter(pk__in=[answer.pk for answer in answers]).update(
        outcome=outcome, settled_at=timezone.now(), settled_by=actor
    )
    Event.objects.bulk_create(
        Event(
            action=Event.Action.REVIEW_APPLIED,
            actor=actor,
            mailbox_id=answer.mailbox_id,
            domain_id=_thing(answer).domain_id,
            detail={"choice": answer.choice, "outcome": str(outcome)},
        )
        for answer in answers
    )


def _thing(answer: Answer) -> Any:
    return answer.mailbox or answer.alias


def _keep(_answer: Answer, _actor: str) -> None:
    """It moves as it is."""


def _delete(answer: Answer, actor: str) -> None:
    """A mailbox is excluded from the move; an alias is taken off the list of what moves. Neither server is touched."""
    if answer.mailbox:
        _exclude(answer.mailbox, actor, _("The contact wants it deleted."))
    elif answer.alias:
        provisioned = getattr(answer.alias, "provisioned", None)
        if provisioned is not None:
            raise VerbRefused("alias_made")
        domain = answer.alias.domain
        Event.record(Event.Action.EXCLUDED, actor=actor, domain=domain, reason=answer.alias.address)
        Alias.objects.filter(pk=answer.alias.pk).delete()


def _make_alias(answer: Answer, actor: str) -> None:
    """Its address becomes an alias of the other mailbox, and the mailbox is excluded."""
    mailbox = _mailbox(answer)
    local_part, _at, domain = answer.detail.rpartition("@")
    target = Mailbox.objects.filter(
        domain__name=domain, local_part=local_part, domain__customer=mailbox.domain.customer
    )
    if not target.exclude(state=Mailbox.State.EXCLUDED).exclude(pk=mailbox.pk).exists():
        raise VerbRefused("alias_target")
    if Alias.objects.filter(domain=mailbox.domain, local_part=mailbox.local_part).exists():
        raise VerbRefused("alias_there")
    _exclude(mailbox, actor, _("The contact wants it to become an alias."))
    Alias.objects.create(domain=mailbox.domain, local_part=mailbox.local_part, goto=answer.detail)


def _say_whose(answer: Answer, actor: str) -> None:
    """Its kind with who is responsible, or the name of who reads it."""
    _mailbox(answer)
    _set_fields([answer], actor)


def _set_fields(answers: Sequence[Answer], actor: str) -> None:
    for choice, field in _FIELD.items():
        boxes = []
        for answer in answers:
            if answer.choice == choice and answer.mailbox:
                setattr(answer.mailbox, field, answer.detail)
                boxes.append(answer.mailbox)
        if boxes and choice != Choice.PERSON:
            kinds.set_kind(boxes, Mailbox.Kind(choice), actor=actor)
        Mailbox.objects.bulk_update(boxes, [field], batch_size=kinds.BATCH)


def _mailbox(answer: Answer) -> Mailbox:
    if answer.mailbox is None:
        raise VerbRefused("answer_settled")  # an alias has no such answers; it went meanwhile
    return answer.mailbox


def _exclude(mailbox: Mailbox, actor: str, reason: str) -> None:
    if mailbox.state != Mailbox.State.EXCLUDED:
        mailboxes.exclude(mailbox, actor=actor, reason=reason)


_HOW: dict[Answer.Choice, Callable[[Answer, str], None]] = {
    Choice.KEEP: _keep,
    Choice.DELETE: _delete,
    Choice.ALIAS: _make_alias,
    Choice.SHARED: _say_whose,
    Choice.MACHINE: _say_whose,
    Choice.PERSON: _say_whose,
}
