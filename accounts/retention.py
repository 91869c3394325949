"""The whole retention table: what `migration` keeps, and what the doors keep."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from migration import bans, bulk, dns_checks, notes, phone_codes, retention
from migration.api import tokens as api_tokens
from migration.retention import Rule, pks
from migration.review import codes

from . import attempts
from .models import StaffSession


def _outdated_counters(_before: datetime) -> list[Any]:
    return pks(attempts.outdated())


def _delete_counters(chosen: Sequence[Any]) -> None:
    """Those that began to count again meanwhile stay."""
    attempts.outdated().filter(pk__in=chosen).delete()


def _ended_sessions(before: datetime) -> list[Any]:
    return pks(Session.objects.filter(expire_date__lt=before))


def _delete_sessions(chosen: Sequence[Any]) -> None:
    Session.objects.filter(pk__in=chosen).delete()


def _ended_staff_sessions(before: datetime) -> list[Any]:
    there = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gte=before)
    return pks(StaffSession.objects.filter(~Exists(there)))


def _delete_staff_sessions(chosen: Sequence[Any]) -> None:
    StaffSession.objects.filter(pk__in=chosen).delete()


RULES = (
    *retention.RULES,
    *bans.RULES,
    *bulk.RULES,
    *codes.RULES,
    *dns_checks.RULES,
    *notes.RULES,
    *api_tokens.RULES,
    *phone_codes.RULES,
    Rule(
        "staff_session",
        gettext_noop("what names a session of staff is deleted when it has ended"),
        timedelta(0),
        _ended_staff_sessions,
        _delete_staff_sessions,
    ),
    Rule(
        "attempts",
        gettext_noop("a counter of tries is deleted once it can refuse nobody any more"),
        timedelta(0),
        _outdated_counters,
        _delete_counters,
    ),
    Rule(
        "session",
        gettext_noop("a session is deleted when it has ended"),
        timedelta(0),
        _ended_sessions,
        _delete_sessions,
    ),
)


def run(*, dry_run: bool = False) -> dict[str, int]:
    """Erase what is due by any rule, or only count it. Returns the number of rows by the rule's code."""
    return retention.run(RULES, dry_run=dry_run)
