"""What the API answers. Codes are those of the program, times are UTC, nothing is translated."""

from datetime import date, datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

State = Literal["imported", "invited", "signed_in", "password_set", "active", "moved", "excluded"]
Stage = Literal["imported", "planned", "announced", "inviting", "cut_over", "finished"]
Badge = Literal["mail_not_delivered", "push_waiting", "push_blocked"]


class Numbers(Schema):
    """How many mailboxes are how far."""

    total: int = Field(description="All mailboxes, the excluded ones too.")
    taking_part: int = Field(description="All but the excluded.")
    done: int = Field(description="Whose password works on the new server.")
    open: int = Field(description="Which take part and are not done.")
    percent: int = Field(description="Done of those taking part, rounded down.", ge=0, le=100)
    needing_attention: int = Field(description="Where nothing goes on by itself.")
    by_state: dict[State, int] = Field(description="The number in each state.")


class CampaignAnswer(Schema):
    """The whole move in numbers, or one customer's part of it."""

    customer: str | None = Field(description="Whose part it is; null for all.")
    domains: int
    domains_by_stage: dict[Stage, int]
    domains_overdue: int = Field(description="With open mailboxes after their deadline.")
    domains_paused: int
    paused: bool = Field(description="The whole move is paused.")
    mailboxes: Numbers


class HealthAnswer(Schema):
    """Whether things move; for a wallboard."""

    status: Literal["ok", "paused", "attention", "stopped"]
    oldest_due_seconds: int = Field(description="How long the oldest row of an outbox waits for a worker.")
    restore_waits: bool = Field(description="A restored database waits for an operator's yes.")
    breaker: Literal["closed", "half_open", "open"]
    breaker_reason: str = Field(description="Code of why the breaker is open.")
    paused: bool = Field(description="The whole move is paused.")
    pushes: dict[Literal["queued", "waiting", "blocked", "in_flight"], int]
    mails: dict[Literal["queued", "waiting", "sending"], int]
    mailboxes_needing_attention: int
    cases_open: int


class Plan(Schema):
    """The days of a domain's plan; null where there is none."""

    announce_on: date | None
    invite_on: date | None
    deadline: date | None
    cut_over_on: date | None
    ends_on: date | None


class DomainAnswer(Schema):
    """One domain: its plan, how far it is, what holds it up."""

    name: str = Field(description="In its xn-- form.")
    display_name: str = Field(description="As people write it.")
    customer: str
    stage: Stage
    paused: bool
    overdue: bool = Field(description="The deadline is over and mailboxes are open.")
    plan: Plan
    plan_problems: list[str] = Field(description="Codes of why the plan waits for a person.")
    announced_at: datetime | None
    cut_over_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime = Field(description="When something last happened to it or a mailbox of it.")
    mailboxes: Numbers
    desk_url: str = Field(description="The page for staff.")


class DomainsAnswer(Schema):
    """A page of domains in the order of their names."""

    domains: list[DomainAnswer]
    next: str | None = Field(description="Ask again with `after` set to this; null on the last page.")


class MailboxAnswer(Schema):
    """How far one mailbox is. No name without the scope for it, never anything secret."""

    address: str
    name: str | None = Field(description="The owner's name; null without the scope `names:read`.")
    state: State
    kind: str
    badges: list[Badge] = Field(description="What somebody has to look at, or waits for.")
    push_reason: str | None = Field(description="Code of why a push waits or is blocked.")
    bounce_code: str | None = Field(description="Status code of a mail that came back (RFC 3463).")
    imported_at: datetime
    updated_at: datetime
    desk_url: str = Field(description="The page for staff.")


class MailboxesAnswer(Schema):
    """A page of mailboxes in the order of their local parts."""

    mailboxes: list[MailboxAnswer]
    next: str | None = Field(description="Ask again with `after` set to this; null on the last page.")


class EventAnswer(Schema):
    """One thing that happened. No IP address, no typed text, of staff only that it was staff."""

    id: int
    at: datetime
    action: str = Field(description="Code of what happened.")
    by: str = Field(description="owner, worker, clock, staff, command, …")
    domain: str | None
    mailbox: str | None = Field(description="The address; without the scope `mailboxes:read` masked: a…@kunde.example.")
    reason: str | None = Field(description="Code of why a push waits or is blocked, or of a bounce.")


class EventsAnswer(Schema):
    """Events in the order in which they happened."""

    events: list[EventAnswer]
    last: int = Field(description="Ask again with `since` set to this.")
    more: bool = Field(description="There are more already.")
