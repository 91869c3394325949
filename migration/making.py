"""One object on mailcow: look, make it if it is not there, look again, and settle how it ended.

What is there is compared and left as it is. After an unclear outcome the next try looks again, so nothing is made
twice. The calls run outside any transaction; every settling UPDATE asks for the lease of the claim.
"""

import secrets as random

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Coalesce, Now

from . import breaker, conflicts, schemes, wanted
from .delivery import FIRST_RETRY, LAST_RETRY
from .findings import NOT_MADE, Finding, Severity
from .mailcow import provisioning as verbs
from .mailcow.client import Client
from .mailcow.errors import Blocked, MailcowError, Missing, Reason, Refused
from .mailcow.objects import NotMade, Refusal
from .models import Event, Mailbox, ProvisionedObject

log = structlog.get_logger(__name__)
State, Kind = ProvisionedObject.State, ProvisionedObject.Kind

# mailcow says so although it was not there a moment ago: an earlier call of ours came late. Looked at once more.
_LATE = (f"{NOT_MADE}{Refusal.EXISTS}", f"{NOT_MADE}{Refusal.IS_TAKEN}", Reason.NOT_STORED.value)


def make(thing: ProvisionedObject, mailcow: Client) -> bool:
    """Carry out a claimed row and settle it. False when mailcow gave no clear answer. Raises nothing of mailcow's."""
    try:
        findings = _look_and_make(thing, mailcow)
    except _LeaseLost:
        log.warning("making_lease_lost", object=thing.pk)
    except Refused as error:
        _turned_away(thing, error.reason)
    except NotMade as error:
        _not_made(thing, f"{NOT_MADE}{error.refusal}")
    except Blocked as error:
        _not_made(thing, error.reason.value)
    except MailcowError as error:
        _wait(thing, error.reason.value)
        return False
    except (
        ValueError
    ):  # an address of ours that must not reach the wire; without this its row would come again for ever
        _not_made(thing, f"{NOT_MADE}{Refusal.GOTO if thing.alias else Refusal.NAME}")
    else:
        _settle(thing, findings)
    return True


class _LeaseLost(Exception):
    """Another worker has the row now, or it is gone."""


def _look_and_make(thing: ProvisionedObject, mailcow: Client) -> list[Finding]:
    """How what is there afterwards differs from what is wanted. Raises MailcowError, _LeaseLost."""
    try:
        return _compared(thing, mailcow)
    except Missing:
        if finding := _hindrance(thing):
            return [finding]
    _renew_lease(thing, written_at=Coalesce("written_at", Now()))
    _add(thing, mailcow)
    _renew_lease(thing)
    try:
        return _compared(thing, mailcow)
    except Missing:
        raise Blocked(Reason.NOT_STORED) from None


def _compared(thing: ProvisionedObject, mailcow: Client) -> list[Finding]:
    """How the object there differs; none when it is as wanted. Raises MailcowError: Missing when it is not there."""
    if thing.mailbox:
        box = wanted.mailbox(thing.mailbox)
        return conflicts.of_mailbox(box, mailcow.mailbox(box.new.address))
    if thing.alias:
        alias = wanted.alias(thing.alias)
        return conflicts.of_alias(alias, verbs.alias(mailcow, alias.address))
    domain = wanted.of(thing.domain).domain
    return conflicts.of_domain(domain, verbs.domain(mailcow, domain.name))


def _hindrance(thing: ProvisionedObject) -> Finding | None:
    """What in our own data speaks against making it, without asking mailcow in vain."""
    if thing.alias is None:
        return None
    alias = wanted.alias(thing.alias)
    ours = Mailbox.objects.filter(domain=thing.domain, local_part=thing.alias.local_part)
    if ours.exclude(state=Mailbox.State.EXCLUDED).exists():
        return Finding(Severity.STOP, "alias_is_own_mailbox", alias.address)
    if alias.goto == (alias.address,):
        return Finding(Severity.STOP, "alias_to_itself", alias.address)
    return None


def _add(thing: ProvisionedObject, mailcow: Client) -> None:
    if thing.mailbox:
        # Nobody knows this password: the owner's own one comes with the push.
        unusable = schemes.make_hash(random.token_urlsafe(32))
        verbs.add_mailbox(mailcow, wanted.mailbox(thing.mailbox).new, password_hash=unusable)
    elif thing.alias:
        verbs.add_alias(mailcow, wanted.alias(thing.alias))
    else:
        verbs.add_domain(mailcow, wanted.of(thing.domain).domain)


def _renew_lease(thing: ProvisionedObject, **changes: object) -> None:
    """Before each further call: still ours, and long enough for the call. Raises _LeaseLost."""
    if _mine(thing).update(lease_until=Now() + settings.PUSH_LEASE, **changes) != 1:
        raise _LeaseLost
    if changes:
        thing.refresh_from_db(fields=list(changes))


def _settle(thing: ProvisionedObject, findings: list[Finding]) -> None:
    told = [finding for finding in findings if finding.severity is not Severity.NOTE]
    made = thing.written_at is not None
    state = State.MADE if made else State.THERE
    if told:
        state = State.BLOCKED if told[0].severity is Severity.STOP else State.DIFFERS
    reason = {"reason": told[0].code, "detail": dict(told[0].detail)} if told else {"reason": "", "detail": {}}
    with transaction.atomic():
        if not _release(thing, state=state, settled_at=Now(), **reason):
            return
        if thing.is_probe:
            breaker.recover(actor="worker")
        if made and thing.kind != Kind.ALIAS:
            about: dict[str, Model | None] = {"mailbox": thing.mailbox} if thing.mailbox else {"domain": thing.domain}
            Event.record(Event.Action.MADE_THERE, actor="worker", **about)  # type: ignore[arg-type]
    log.info("object_settled", object=thing.pk, kind=thing.kind, state=state.value)


def _not_made(thing: ProvisionedObject, reason: str) -> None:
    """Needs a person, unless a second look may help."""
    if reason in _LATE and thing.reason != reason:
        _wait(thing, reason)
    else:
        _release(thing, state=State.BLOCKED, reason=reason, detail={}, settled_at=Now())
        log.warning("object_not_made", object=thing.pk, kind=thing.kind, reason=reason)


def _wait(thing: ProvisionedObject, reason: str) -> None:
    """Not before half a minute: a call that was cut off may still be carried out."""
    delay = min(FIRST_RETRY * (1 << min(thing.attempts - 1, 10)), LAST_RETRY)
    _release(thing, state=State.WAITING, reason=reason, detail={}, due_at=Now() + delay)
    log.info("object_waits", object=thing.pk, kind=thing.kind, reason=reason)


def _turned_away(thing: ProvisionedObject, reason: Reason) -> None:
    """Stop every call until a person closes the breaker; this row waits for that, due at once."""
    with transaction.atomic():
        breaker.trip(reason)
        _release(thing, state=State.WAITING, reason=reason.value, detail={}, due_at=Now())


def _release(thing: ProvisionedObject, **changes: object) -> bool:
    return _mine(thing).update(lease="", lease_until=None, **changes) == 1


def _mine(thing: ProvisionedObject) -> QuerySet[ProvisionedObject]:
    return ProvisionedObject.objects.filter(pk=thing.pk, lease=thing.lease, state=State.IN_FLIGHT)
