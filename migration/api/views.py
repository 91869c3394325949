"""The addresses of the API, below /api/v1/. Each takes a token with the scope it names; nothing is changed here."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query

from migration import reports
from migration.addresses import InvalidAddress, domain_to_ascii
from migration.models import ApiToken, Domain, Event, Mailbox

from . import reading
from .door import Bearer, Door, access_of
from .problems import Problem, ProblemDocument
from .schemas import (
    CampaignAnswer,
    DomainAnswer,
    DomainsAnswer,
    EventsAnswer,
    HealthAnswer,
    MailboxesAnswer,
    Stage,
    State,
)

Scope = ApiToken.Scope
LIMIT = 200

PROBLEMS: dict[Any, Any] = {frozenset({401, 403, 429}): ProblemDocument}
NAMING: dict[Any, Any] = {frozenset({401, 403, 404, 429}): ProblemDocument}
CHOOSING: dict[Any, Any] = {frozenset({401, 403, 422, 429}): ProblemDocument}
NAMING_AND_CHOOSING: dict[Any, Any] = {frozenset({401, 403, 404, 422, 429}): ProblemDocument}

Limit = Annotated[int, Query(description="At most so many.", ge=1, le=LIMIT)]
Since = Annotated[
    datetime | None,
    Query(description="Only what something has happened to since, as RFC 3339: 2026-11-24T08:00:00Z."),
]

api = Door(
    title="Umzug",
    version="1",
    description="How far the move of mailboxes is. Read only; every request carries a token: "
    "`Authorization: Bearer umzug_…`. Times are UTC. At most 120 requests a minute and token.",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
)


@api.get("/campaign", auth=Bearer(Scope.CAMPAIGN), response={200: CampaignAnswer, **PROBLEMS}, tags=["campaign"])
def campaign(request: HttpRequest) -> Any:
    """The whole move in numbers; with a token of one customer, his part of it."""
    token = access_of(request)
    return reading.campaign_of(_domains(token), token.customer.name if token.customer else None)


@api.get("/health", auth=Bearer(Scope.CAMPAIGN), response={200: HealthAnswer, **PROBLEMS}, tags=["campaign"])
def health(request: HttpRequest) -> Any:
    """Whether mails leave and passwords arrive, for a wallboard. Not for a token of one customer."""
    if access_of(request).customer:
        raise Problem(
            "customer", "Health is of the whole portal. Ask an admin for a token that is not for one customer."
        )
    return reading.health()


@api.get("/domains", auth=Bearer(Scope.DOMAINS), response={200: DomainsAnswer, **CHOOSING}, tags=["domains"])
def domains(  # noqa: PLR0913, PLR0917 - one for each parameter of the address
    request: HttpRequest,
    customer: Annotated[str | None, Query(description="Of the customer of this name.", max_length=200)] = None,
    stage: Annotated[Stage | None, Query(description="At this point of their way.")] = None,
    paused: Annotated[bool | None, Query(description="Which are paused, or are not.")] = None,
    overdue: Annotated[Literal["true"] | None, Query(description="With open mailboxes after the deadline.")] = None,
    needs_attention: Annotated[
        Literal["true"] | None, Query(description="With a mailbox where nothing goes on by itself.")
    ] = None,
    updated_since: Since = None,
    after: Annotated[str, Query(description="`next` of the page before.", max_length=253)] = "",
    limit: Limit = 100,
) -> Any:
    """Domains in the order of their names, page by page."""
    found = _domains(access_of(request))
    if customer is not None:
        found = found.filter(customer__name=customer)
    if stage is not None:
        found = reading.at_stage(found, stage)
    if paused is not None:
        found = found.filter(paused_at__isnull=not paused)
    if overdue:
        found = reading.overdue(found)
    if needs_attention:
        found = found.filter(Exists(reports.needing_attention().filter(domain=OuterRef("pk"))))
    if updated_since is not None:
        found = reading.changed_since(found, _aware(updated_since))
    rows = list(found.filter(name__gt=after).order_by("name")[: limit + 1])
    page = rows[:limit]
    return {"domains": reading.domains_of(page), "next": page[-1].name if len(rows) > limit else None}


@api.get("/domains/{name}", auth=Bearer(Scope.DOMAINS), response={200: DomainAnswer, **NAMING}, tags=["domains"])
def domain(request: HttpRequest, name: str) -> Any:
    """One domain, by its name with umlauts or in its xn-- form."""
    return reading.domains_of([_domain(access_of(request), name)])[0]


@api.get(
    "/domains/{name}/mailboxes",
    auth=Bearer(Scope.MAILBOXES),
    response={200: MailboxesAnswer, **NAMING_AND_CHOOSING},
    tags=["mailboxes"],
)
def mailboxes(
    request: HttpRequest,
    name: str,
    state: Annotated[State | None, Query(description="In this state.")] = None,
    needs_attention: Annotated[Literal["true"] | None, Query(description="Where nothing goes on by itself.")] = None,
    updated_since: Since = None,
    after: Annotated[str, Query(description="`next` of the page before.", max_length=64)] = "",
    limit: Limit = 100,
) -> Any:
    """The mailboxes of a domain in the order of their local parts, page by page."""
    token = access_of(request)
    found = Mailbox.objects.filter(domain=_domain(token, name), local_part__gt=after)
    if state is not None:
        found = found.filter(state=state)
    if needs_attention:
        found = found.filter(pk__in=reports.needing_attention().filter(domain__name=_ascii(name)).values("pk"))
    if updated_since is not None:
        found = found.filter(Exists(Event.objects.filter(mailbox=OuterRef("pk"), at__gte=_aware(updated_since))))
    rows = found.order_by("local_part")[: limit + 1]
    told = reading.mailboxes_of(rows, with_names=Scope.NAMES in token.scopes)
    more = len(told) > limit
    return {"mailboxes": told[:limit], "next": told[limit - 1]["address"].partition("@")[0] if more else None}


@api.get("/events", auth=Bearer(Scope.EVENTS), response={200: EventsAnswer, **CHOOSING}, tags=["events"])
def events(
    request: HttpRequest,
    since: Annotated[int, Query(description="`last` of the answer before; 0 for the first.", ge=0, lt=2**63)] = 0,
    action: Annotated[list[str], Query(description="Only these; may be given several times.", max_length=20)] = [],  # noqa: B006
    limit: Limit = 100,
) -> Any:
    """What has happened since, in its order. It is told half a minute after it happened, so that nothing is missed."""
    token = access_of(request)
    found = reading.settled_events().filter(pk__gt=since)
    if token.customer_id:
        found = found.filter(domain__customer=token.customer_id)
    if action:
        found = found.filter(action__in=action)
    rows = list(found[: limit + 1])
    page, with_addresses = rows[:limit], Scope.MAILBOXES in token.scopes
    return {
        "events": [reading.event(row, with_addresses=with_addresses) for row in page],
        "last": page[-1].pk if page else since,
        "more": len(rows) > limit,
    }


def _domains(token: ApiToken) -> Any:
    """The domains this token may know of."""
    rows = Domain.objects.select_related("customer")
    return rows.filter(customer=token.customer_id) if token.customer_id else rows


def _domain(token: ApiToken, name: str) -> Domain:
    found: Domain | None = _domains(token).filter(name=_ascii(name)).first()
    if found is None:
        raise Problem("not-found", "We have no such domain, or the token is for another customer. See /api/v1/domains.")
    return found


def _ascii(name: str) -> str:
    try:
        return domain_to_ascii(name)
    except InvalidAddress:
        return ""


def _aware(at: datetime) -> datetime:
    return at if timezone.is_aware(at) else at.replace(tzinfo=UTC)
