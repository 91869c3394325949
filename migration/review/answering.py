"""The verbs of the contact: open the list, answer its lines, hand it in, take it back. Nothing else changes by them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from migration.addresses import InvalidAddress, parse
from migration.cases import plain
from migration.models import Answer, Domain, Event, Mailbox, Review
from migration.refusals import VerbRefused

from . import lists
from .asking import tell

Choice = Answer.Choice
ACTOR = "contact"
LONGEST_NAME = 100
LONGEST_PERSON = 200


@dataclass(frozen=True)
class Said:
    """A valid answer to a line; `choice` is empty to take an earlier one back."""

    line: lists.Line
    choice: str
    detail: str = ""
    note: str = ""


def refusal(line: lists.Line, choice: str, detail: str, addresses: Iterable[str]) -> tuple[str, str]:
    """The canonical `detail` of an answer, and the code of what is wrong with it ("" if nothing is).

    `addresses` are the mailboxes of the list: what is to become an alias delivers to one of them.
    """
    if choice == Choice.PERSON:
        name = plain(detail).replace("\n", " ")
        return name, "" if name and len(name) <= LONGEST_PERSON else "no_person"
    if choice not in (Choice.ALIAS, Choice.SHARED, Choice.MACHINE):
        return "", ""
    try:
        address = str(parse(detail))
    except InvalidAddress:
        return "", "no_target" if choice == Choice.ALIAS else "no_responsible"
    if choice == Choice.ALIAS and (address not in addresses or address == line.canonical):
        return "", "no_target"
    return address, ""


def record_opened(review: Review, *, ip: str | None) -> None:
    """Note that the contact got in with the code. Only the first time is an event."""
    with transaction.atomic():
        if Review.objects.filter(pk=review.pk, opened_at=None).update(opened_at=timezone.now()):
            tell(review, Event.Action.REVIEW_OPENED, actor=ACTOR, ip=ip)


def save(review: Review, answers: list[Said]) -> None:
    """Keep these answers, each in place of an earlier one. Raises VerbRefused once the list was handed in."""
    with transaction.atomic():
        _locked(review)
        for field, said in _by_field(answers).items():
            taken_back = [key for key, one in said.items() if not one.choice]
            Answer.objects.filter(review=review, **{f"{field}__in": taken_back}).delete()
            Answer.objects.bulk_create(
                [
                    Answer(review=review, choice=one.choice, detail=one.detail, note=one.note, **{field: key})
                    for key, one in said.items()
                    if one.choice
                ],
                update_conflicts=True,
                unique_fields=["review", field.removesuffix("_id")],
                update_fields=["choice", "detail", "note", "answered_at"],
            )


def keep_used(review: Review, domain: Domain) -> int:
    """Answer "keep it" for every mailbox of the domain used in the last 180 days and not answered yet; how many.

    Raises VerbRefused once the list was handed in.
    """
    with transaction.atomic():
        _locked(review)
        used = list(lists.used_and_open(review, domain).values_list("pk", flat=True))
        Answer.objects.bulk_create(Answer(review=review, mailbox_id=pk, choice=Choice.KEEP) for pk in used)
    return len(used)


def submit(review: Review, *, name: str, ip: str | None) -> None:
    """Hand the answers in under this name. Raises VerbRefused: handed in before, no name, contradictions."""
    name = plain(name).replace("\n", " ")[:LONGEST_NAME]
    if not name:
        raise VerbRefused("no_name")
    with transaction.atomic():
        _locked(review)
        if contradictions(review):
            raise VerbRefused("contradictions")
        Review.objects.filter(pk=review.pk).update(submitted_at=timezone.now(), submitted_by=name)
        counts = Counter(review.answers.order_by().values_list("choice", flat=True))
        tell(review, Event.Action.REVIEW_SUBMITTED, actor=ACTOR, ip=ip, answers=dict(counts))


def reopen(review: Review, *, ip: str | None) -> None:
    """Take the answers back to change them. Raises VerbRefused once staff have begun to carry them out."""
    with transaction.atomic():
        locked = Review.objects.select_for_update(no_key=True).get(pk=review.pk)
        if locked.revoked_at or locked.submitted_at is None:
            raise VerbRefused("not_submitted")
        if locked.answers.filter(settled_at__isnull=False).exists():
            raise VerbRefused("review_begun")
        Review.objects.filter(pk=review.pk).update(submitted_at=None, submitted_by="")
        tell(review, Event.Action.REVIEW_REOPENED, actor=ACTOR, ip=ip)


def contradictions(review: Review) -> list[str]:
    """Addresses that are to become aliases of a mailbox which is to go, or to become an alias, itself. Two queries."""
    gone = review.answers.filter(choice__in=(Choice.DELETE, Choice.ALIAS), mailbox__isnull=False)
    pairs = gone.values_list("mailbox__local_part", "mailbox__domain__name")
    going = {f"{local_part}@{domain}" for local_part, domain in pairs}
    turned = review.answers.filter(choice=Choice.ALIAS, detail__in=going).select_related("mailbox__domain")
    return sorted(str(answer.mailbox) for answer in turned.defer("mailbox__legacy_hash"))


def _locked(review: Review) -> Review:
    """The row, held until the end of the transaction, so that nothing is answered while it is handed in."""
    locked = Review.objects.select_for_update(no_key=True).get(pk=review.pk)
    if locked.revoked_at or locked.submitted_at:
        raise VerbRefused("submitted")
    return locked


def _by_field(answers: list[Said]) -> dict[str, dict[int, Said]]:
    sorted_out: dict[str, dict[int, Said]] = {"mailbox_id": {}, "alias_id": {}}
    for said in answers:
        thing = said.line.mailbox or said.line.alias
        assert thing is not None  # noqa: S101 - a line has one of the two
        sorted_out["mailbox_id" if isinstance(thing, Mailbox) else "alias_id"][thing.pk] = said
    return sorted_out
