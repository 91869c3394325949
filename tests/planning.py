"""Domains with a plan, and the hours of a day in Vienna."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import time_machine
from django.utils import timezone

from migration.models import Domain, FirstLogin, Mailbox, Mailing
from tests import factories

VIENNA = ZoneInfo("Europe/Vienna")
ADMIN = "staff:eva@provider.example"


def on(day: str, hour: int = 9, minute: int = 0) -> time_machine.travel:
    """The clock stands still at this local time."""
    at = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=VIENNA)
    return time_machine.travel(at.replace(hour=hour, minute=minute), tick=False)


def planned(*, announced: bool = True, **dates: Any) -> Domain:
    """A domain whose plan was saved long ago."""
    fields: dict[str, Any] = {"planned_at": datetime(2026, 1, 1, tzinfo=VIENNA)} | dates
    return factories.make_domain(announced=announced, **fields)


def invited(domain: Domain, *, on: str = "2026-11-02", **fields: Any) -> Mailbox:
    """A mailbox of the domain that was invited that day and has the mail."""
    mailbox = factories.make_mailbox(domain=domain, **fields)
    first_login, _secret = factories.make_first_login(mailbox)
    at = datetime.combine(date.fromisoformat(on), datetime.min.time(), tzinfo=VIENNA)
    FirstLogin.objects.filter(pk=first_login.pk).update(created_at=at, minted_at=timezone.now())
    Mailing.objects.filter(first_login=first_login).update(created_at=at)
    return mailbox
