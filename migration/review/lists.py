"""What a contact's list shows: its lines with his answers, page by page, and how many are answered.

What is not of the list's own domains is not found. The number of queries does not depend on the number of rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from migration.addresses import domain_to_unicode
from migration.kinds import DORMANT_AFTER
from migration.mailings.compose import shown
from migration.models import Alias, Answer, Domain, Mailbox, Review

PER_PAGE = 50
MAILBOXES, ALIASES = "mailboxes", "aliases"
ALL, OPEN, DORMANT = "all", "open", "dormant"


@dataclass(frozen=True)
class Line:
    """One mailbox or alias of the list, and what the contact says about it."""

    mailbox: Mailbox | None = None
    alias: Alias | None = None
    answer: Answer | None = None

    @property
    def key(self) -> str:
        """Its name in forms: m12 or a7."""
        return f"m{self.mailbox.pk}" if self.mailbox else f"a{self.alias.pk if self.alias else ''}"

    @property
    def canonical(self) -> str:
        """The canonical address."""
        return self.mailbox.address if self.mailbox else self.alias.address if self.alias else ""

    @property
    def address(self) -> str:
        """The address as people write it."""
        local_part, _at, domain = self.canonical.rpartition("@")
        return f"{local_part}@{domain_to_unicode(domain)}"

    @property
    def is_catch_all(self) -> bool:
        """Whether it stands for all other addresses of the domain."""
        return self.alias is not None and self.alias.local_part == "*"

    @property
    def delivers_to(self) -> str:
        """Where its mail goes on: an alias's targets, a mailbox's forwards."""
        targets = self.alias.goto if self.alias else self.mailbox.forwards if self.mailbox else ""
        return shown(targets.split(",")) if targets else ""

    @property
    def outside(self) -> str:
        """Those of them in other domains."""
        thing = self.alias or self.mailbox
        return shown(thing.outside) if thing else ""

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The answers there are to it."""
        allowed = Answer.OF_AN_ALIAS if self.alias else tuple(Answer.Choice)
        return [(choice.value, str(choice.label)) for choice in allowed]


@dataclass(frozen=True)
class Progress:
    """How far the contact is with one domain."""

    domain: Domain
    mailboxes: int
    aliases: int
    answered: int

    @property
    def lines(self) -> int:
        """Mailboxes and aliases together."""
        return self.mailboxes + self.aliases


def mailboxes_of(review: Review) -> QuerySet[Any]:
    """The mailboxes of all its domains that move, and those he answered for."""
    answered = Answer.objects.filter(review=review, mailbox=OuterRef("pk"))
    found = Mailbox.objects.filter(domain__in=review.domains.all()).annotate(is_answered=Exists(answered))
    return found.filter(~Q(state=Mailbox.State.EXCLUDED) | Q(is_answered=True))


def aliases_of(review: Review) -> QuerySet[Any]:
    """The aliases of all its domains."""
    answered = Answer.objects.filter(review=review, alias=OuterRef("pk"))
    return Alias.objects.filter(domain__in=review.domains.all()).annotate(is_answered=Exists(answered))


def used_and_open(review: Review, domain: Domain) -> QuerySet[Any]:
    """The mailboxes of the domain used in the last 180 days and not answered yet."""
    since = timezone.now() - DORMANT_AFTER
    return mailboxes_of(review).filter(domain=domain, is_answered=False, source_login_at__gte=since)


def page(review: Review, domain: Domain, *, of: str = MAILBOXES, show: str = ALL, number: Any = 1) -> Any:
    """One page of lines of a domain: its mailboxes or aliases; all, those not answered yet, or the dormant ones."""
    found: QuerySet[Any] = (aliases_of(review) if of == ALIASES else mailboxes_of(review)).filter(domain=domain)
    if show == OPEN:
        found = found.filter(is_answered=False)
    if show == DORMANT and of == MAILBOXES:
        long_ago = Q(source_login_at__lt=timezone.now() - DORMANT_AFTER)
        found = found.filter(long_ago | Q(kind=Mailbox.Kind.DORMANT))
    one_page = Paginator(_with_answers(found, review), PER_PAGE).get_page(number)
    one_page.object_list = _lines(one_page.object_list)
    return one_page


def named(review: Review, domain: Domain, keys: Iterable[str]) -> list[Line] | None:
    """The lines of the domain with these keys, in the order of the page; None if one of them is none of this domain."""
    wanted = set(keys)
    numbers = {letter: [int(key[1:]) for key in wanted if key[0] == letter] for letter in "ma"}
    rows: list[Any] = []
    for letter, things in (("m", mailboxes_of(review)), ("a", aliases_of(review))):
        if numbers[letter]:
            rows += _with_answers(things.filter(domain=domain, pk__in=numbers[letter]), review)
    return _lines(rows) if len(rows) == len(wanted) else None


def addresses(review: Review) -> list[str]:
    """The canonical addresses of its mailboxes, in the order of the alphabet."""
    pairs = mailboxes_of(review).exclude(state=Mailbox.State.EXCLUDED).order_by("domain__name", "local_part")
    return [f"{local_part}@{domain}" for local_part, domain in pairs.values_list("local_part", "domain__name")]


def progress(review: Review) -> list[Progress]:
    """How far the contact is, by domain. Five queries."""
    counted = [dict[int, int]() for _ in range(4)]
    for place, things in enumerate((mailboxes_of(review), aliases_of(review))):
        counted[place] = _by_domain(things)
        counted[place + 2] = _by_domain(things.filter(is_answered=True))
    mailboxes, aliases, said_of_mailboxes, said_of_aliases = counted
    return [
        Progress(
            domain,
            mailboxes.get(domain.pk, 0),
            aliases.get(domain.pk, 0),
            said_of_mailboxes.get(domain.pk, 0) + said_of_aliases.get(domain.pk, 0),
        )
        for domain in review.domains.order_by("name")
    ]


def _by_domain(things: QuerySet[Any]) -> dict[int, int]:
    return dict(things.order_by().values_list("domain_id").annotate(number=Count("pk")))


def _with_answers(things: QuerySet[Any], review: Review) -> QuerySet[Any]:
    own = Prefetch("answers", queryset=Answer.objects.filter(review=review), to_attr="own_answers")
    things = things.defer("legacy_hash") if things.model is Mailbox else things
    return things.select_related("domain").prefetch_related(own).order_by("local_part")


def _lines(rows: Iterable[Any]) -> list[Line]:
    lines = []
    for row in rows:
        answer = row.own_answers[0] if row.own_answers else None
        lines.append(Line(alias=row, answer=answer) if isinstance(row, Alias) else Line(mailbox=row, answer=answer))
    return lines
