"""Lists of mailboxes as files, of one domain, a customer or all; who took which is kept."""

from itertools import chain
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from migration import spreadsheets
from migration.models import Customer, Domain, Event, Mailbox

from . import access, export_rows, listing
from .access import actor, staff_with

FORMATS = ("csv", "xlsx")


@staff_with("migration.export_mailbox")
@require_safe
def domain(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The mailboxes of a domain, narrowed by what its page is narrowed by."""
    found = access.domain(pk)
    wanted = listing.wanted(listing.FilterForm(request.GET))
    told = {name: value for name, value in wanted.query.items() if name != "sort"}
    return _file(request, listing.matching(found, wanted), found.name, domain=found, what="domain", only=told)


@staff_with("migration.export_mailbox")
@require_safe
def customer(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The mailboxes of all domains of a customer."""
    found = get_object_or_404(Customer, pk=pk)
    mailboxes = Mailbox.objects.filter(domain__customer=found)
    return _file(request, mailboxes, f"customer-{found.pk}", what="customer", customer=found.pk)


@staff_with("migration.export_mailbox")
@require_safe
def everything(request: HttpRequest) -> HttpResponseBase:
    """The mailboxes of all domains."""
    return _file(request, Mailbox.objects.all(), "all", what="all")


def _file(
    request: HttpRequest, mailboxes: QuerySet[Mailbox], name: str, *, domain: Domain | None = None, **told: Any
) -> HttpResponseBase:
    kind = request.GET.get("format", "csv")
    if kind not in FORMATS:
        raise Http404
    language = translation.get_language() or "de"
    if request.method != "HEAD":
        number = mailboxes.count()
        Event.record(Event.Action.EXPORTED, actor=actor(request), domain=domain, format=kind, number=number, **told)
    rows = export_rows.rows(mailboxes if request.method != "HEAD" else mailboxes.none(), language)
    head, file_name = export_rows.head(language), f"{name}-{timezone.localdate():%Y-%m-%d}.{kind}"
    if kind == "xlsx":
        return spreadsheets.workbook(head, rows, file_name)
    return spreadsheets.streamed(chain([head], rows), file_name)
