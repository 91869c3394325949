"""What happened to a mailbox or a domain, each line with its reason in plain words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migration import dns_checks
from migration.mailings import bounces
from migration.models import Answer, Case, Event, Mailbox, PhoneCode, Push, Wording

from . import actors

Action = Event.Action

AT_MOST = 200

# Why a sign-in failed; support hears the other half of it on the phone.
SIGN_IN: dict[str, str | Promise] = {
    "wrong": gettext_lazy("The first-login password was mistyped; the one mailed last still works."),
    "expired": gettext_lazy("The first-login password had expired."),
    "revoked": gettext_lazy("The first-login password had been revoked."),
    "used_up": gettext_lazy("The new password was saved before; the first-login password is used up."),
    "not_invited": gettext_lazy("No first-login password had been sent yet."),
    "excluded": gettext_lazy("The mailbox is excluded from the move."),
    "code_wrong": gettext_lazy("The code from the phone was mistyped."),
    "code_dead": gettext_lazy(
        "The code from the phone was mistyped five times and is dead. Give a new one if need be."
    ),
    "code_none": gettext_lazy("There was no code from the phone that works: none given, too old, or used up."),
    "link_needed": gettext_lazy("Only the link in our mail opens the door now: by setting, or after many wrong tries."),
}

WAYS: dict[str, str | Promise] = {
    "letter": gettext_lazy("with the password of a letter"),
    "phone": gettext_lazy("with a code from the phone"),
}

# Which rules a refused password broke; the password itself is nowhere.
RULES: dict[str, str | Promise] = {
    "short": gettext_lazy("too short"),
    "long": gettext_lazy("too long"),
    "lower": gettext_lazy("no small letter"),
    "upper": gettext_lazy("no capital letter"),
    "digit": gettext_lazy("no digit"),
    "edges": gettext_lazy("a blank at the beginning or the end"),
    "control": gettext_lazy("a control character"),
    "invisible": gettext_lazy("an invisible character"),
    "scheme": gettext_lazy("begins like a password hash"),
    "ascii": gettext_lazy("letters such as ä or €"),
    "words": gettext_lazy("contains the address or the provider's name"),
    "common": gettext_lazy("a password everybody tries first"),
    "guessable": gettext_lazy("easy to guess"),
    "mailed": gettext_lazy("the first-login password itself"),
}

# Events whose detail is a code or two, and the words for them.
_CODES: dict[str, list[tuple[str, str | Promise]]] = {
    Action.CASE_OPENED: list(Case.Kind.choices),
    Action.CASE_CLOSED: list(Case.Kind.choices),
    Action.DNS_CHECKED: list(dns_checks.EVENT_WORDS.items()),
    Action.KIND_SET: list(Mailbox.Kind.choices),
    Action.REVIEW_APPLIED: [*Answer.Choice.choices, *Answer.Outcome.choices],
}

# What the staff did at the desk and with their own access: whatever the event tells, one after the other.
_AT_THE_DESK = frozenset(
    {
        Action.EXPORTED,
        Action.DNS_CHECKED,
        Action.BULK_STARTED,
        Action.TOKEN_MADE,
        Action.TOKEN_REVOKED,
        Action.STAFF_ADDED,
        Action.STAFF_CHANGED,
        Action.STAFF_SIGNED_IN,
        Action.STAFF_SIGN_IN_FAILED,
        Action.STAFF_SIGNED_OUT,
        Action.FACTOR_CHANGED,
        Action.KEYS_ROTATED,
        Action.RETENTION_RUN,
    }
)

# The dates of a plan, as its page calls them.
DATES: dict[str, str | Promise] = {
    "announce_on": gettext_lazy("Pre-announcement"),
    "invite_on": gettext_lazy("Invitations"),
    "deadline": gettext_lazy("Deadline"),
    "remind_days": gettext_lazy("Reminders, days before the deadline"),
    "cut_over_on": gettext_lazy("Cut-over"),
    "ends_on": gettext_lazy("End of the move"),
}


@dataclass(frozen=True)
class Line:
    """One event, who did it, and why."""

    event: Event
    who: str
    why: str


def lines(events: Iterable[Event]) -> list[Line]:
    """The events with who did them and why, in the order given. One query at most."""
    shown = list(events)
    who = actors.words(event.actor for event in shown)
    return [Line(event, who[event.actor], why(event)) for event in shown]


def _server_said(action: str, code: str) -> str:
    if action == Action.BOUNCED:
        return f"{bounces.words(code)} ({code})"
    return _("Answer of the server: %(code)s") % {"code": code}


def why(event: Event) -> str:
    """The reason an event carries, for people. Codes we do not know are shown as they are."""
    detail = event.detail
    reason = str(detail.get("reason", ""))
    if event.action in _WORDED:
        return _WORDED[Action(event.action)](detail, reason)
    if event.action in (Action.PUSH_WAITING, Action.PUSH_BLOCKED, Action.BREAKER_OPENED):
        return str(dict(Push.Reason.choices).get(reason, reason))
    if event.action in _CODES:
        kinds = dict(_CODES[event.action])
        codes = [str(detail[name]) for name in ("before", "kind", "choice", "outcome") if name in detail]
        return " → ".join(str(kinds.get(code, code)) for code in codes)
    if event.action == Action.PASSWORD_REFUSED:
        return ", ".join(str(RULES.get(rule, rule)) for rule in detail.get("rules", []))
    if event.action in (Action.MAIL_FAILED, Action.BOUNCED) and "code" in detail:
        return _server_said(event.action, str(detail["code"] or "–"))
    return _("“%(reason)s”") % {"reason": reason} if reason else _changed(detail)


def _told(detail: Mapping[str, Any]) -> str:
    """Each word, number or list of them that an event tells; a name stands before what would not speak for itself."""
    lists = {name: value for name, value in detail.items() if value not in ("", None, [], {})}
    shown = {
        name: ", ".join(map(str, value)) if isinstance(value, list | dict) else str(value)
        for name, value in lists.items()
    }
    return " · ".join(text if name in _PLAIN else f"{name}: {text}" for name, text in shown.items())


_PLAIN = frozenset({"staff", "name", "verb", "list", "what", "reason", "outcome", "why"})


def _changed(detail: dict[str, Any]) -> str:
    if not {"mail", "language", "version"} <= set(detail):
        return _plan_changed(detail.get("changes", {}))
    label = str(dict(Wording.Mail.choices).get(detail["mail"], detail["mail"]))
    return _("%(mail)s (%(language)s), version %(version)s") % (detail | {"mail": label})


def _plan_changed(changes: dict[str, list[object]]) -> str:
    shown = [(DATES.get(name, name), *map(_value, values)) for name, values in changes.items()]
    return "; ".join(f"{what}: {before} → {after}" for what, before, after in shown)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return formats.date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT") if isinstance(value, str) else "–"


def _code_given(detail: Mapping[str, Any], reason: str) -> str:
    checked = str(dict(PhoneCode.Checked.choices).get(str(detail.get("checked")), ""))
    return f"{checked}: “{reason}”" if reason else checked


_WORDED: dict[Action, Callable[[Mapping[str, Any], str], str]] = {
    Action.SIGN_IN_FAILED: lambda _detail, reason: str(SIGN_IN.get(reason, reason)),
    Action.SIGNED_IN: lambda detail, _reason: str(WAYS.get(str(detail.get("way")), "")),
    Action.CODE_GIVEN: _code_given,
    **dict.fromkeys(_AT_THE_DESK, lambda detail, _reason: _told(detail)),
    Action.LETTER_PRINTED: lambda detail, _reason: _("Printing no. %(number)s") % {"number": detail.get("printing")},
}
