"""Find a mailbox, an alias, a domain or a customer in all domains, by any part of what it is called.

Exact ones come first, then those that begin with the text, then those that have it somewhere. PostgreSQL finds parts
by trigrams (indexes `mailbox_parts`, `alias_parts`); of one or two characters there is none, so they find beginnings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from migration.addresses import InvalidAddress, domain_to_ascii
from migration.models import Alias, Customer, Domain, Mailbox
from migration.models.customers import folded

from . import tables
from .access import staff_with
from .forms import FindForm

FOUND_AT_MOST = 50
SHORT = 3


@dataclass(frozen=True)
class Found:
    """One group of results, best first; `more` says that there are further ones."""

    rows: Sequence[Any]
    more: bool


@staff_with("migration.view_mailbox")
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Mailboxes, aliases, domains and customers of everybody."""
    form = FindForm(request.GET)
    text = form.cleaned_data["q"].strip() if form.is_valid() else ""
    context = {"section": "search", "form": form, "text": text, "limit": FOUND_AT_MOST, "is_short": len(text) < SHORT}
    return render(request, "desk/search.html", context | (_everywhere(text) if text else {}))


def _everywhere(text: str) -> dict[str, Any]:
    local_part, at, domain = text.casefold().rpartition("@")
    if at:
        conditions = _address(local_part, domain)
        mailboxes = _best(Mailbox.objects.all(), conditions)
        aliases = _best(Alias.objects.all(), [*conditions, Q(goto__contains=f"{local_part}@{_ascii(domain)}")])
    else:
        mailboxes = _best(Mailbox.objects.all(), _anywhere(domain, Q(name__icontains=text)))
        aliases = _best(Alias.objects.all(), _anywhere(domain, Q(goto__contains=domain)))
    domains = _domains(domain if at else text)
    customers = Customer.objects.filter(Q(folded__contains=folded(text)) | Q(contact_email__icontains=text))
    found_customers = list(customers.prefetch_related("domains").order_by("folded")[: FOUND_AT_MOST + 1])
    of_alias = {alias.pk: alias for alias in Alias.objects.filter(pk__in=aliases).select_related("domain")}
    return {
        "mailboxes": Found(tables.listed(mailboxes[:FOUND_AT_MOST]), len(mailboxes) > FOUND_AT_MOST),
        "aliases": _found([of_alias[pk] for pk in aliases if pk in of_alias]),
        "domains": _found(domains),
        "customers": _found(found_customers),
    }


def _found(rows: Sequence[Any]) -> Found:
    return Found(rows[:FOUND_AT_MOST], len(rows) > FOUND_AT_MOST)


def _anywhere(text: str, part: Q) -> list[Q]:
    """Conditions for a text without an @, the best match first."""
    beginnings = [Q(local_part=text), Q(local_part__startswith=text)]
    return beginnings if len(text) < SHORT else [*beginnings, Q(local_part__contains=text) | part]


def _address(local_part: str, domain: str) -> list[Q]:
    """Conditions for an address whose end may be missing; before the @ it may be a part, too."""
    within = Q(domain__in=_beginning_with(domain).values("pk")) if domain else Q()
    if not local_part:
        return [within]
    return [within & condition for condition in _anywhere(local_part, Q(local_part__contains=local_part))]


def _best(rows: QuerySet[Any], conditions: Iterable[Q]) -> list[int]:
    """The numbers of the best matches, one more than are shown; at most one query more than there are conditions.

    Within one condition any will do if there are too many: nobody reads on, and sorting them all takes its time. Their
    names are read afterwards, for SQLite would join before it looks.
    """
    tiers: list[list[int]] = []
    for condition in conditions:
        if sum(map(len, tiers)) <= FOUND_AT_MOST:
            found = rows.filter(condition).order_by().values_list("pk", flat=True)[: FOUND_AT_MOST + 1]
            tiers.append([pk for pk in found if not any(pk in tier for tier in tiers)])
    known = rows.filter(pk__in=[pk for tier in tiers for pk in tier]).order_by()
    names = {pk: name for pk, *name in known.values_list("pk", "local_part", "domain__name")}
    return [pk for tier in tiers for pk in sorted(tier, key=names.__getitem__)][: FOUND_AT_MOST + 1]


def _domains(text: str) -> list[Domain]:
    known = Domain.objects.filter(_named(text, "contains")).select_related("customer").order_by("folded")
    rows = list(known[: FOUND_AT_MOST + 1])
    name, bare = _ascii(text), folded(text)
    return sorted(rows, key=lambda row: (row.name != name, not row.folded.startswith(bare), row.folded))


def _beginning_with(domain: str) -> QuerySet[Domain]:
    exact = Domain.objects.filter(name=_ascii(domain))
    return exact if exact.exists() else Domain.objects.filter(_named(domain, "startswith"))


def _named(text: str, how: str) -> Q:
    """As people write it, with or without its accents, or in the xn-- form."""
    return Q(**{f"folded__{how}": folded(text)}) | Q(**{f"name__{how}": _ascii(text)})


def _ascii(domain: str) -> str:
    try:
        return domain_to_ascii(domain)
    except InvalidAddress:
        return domain.casefold()
