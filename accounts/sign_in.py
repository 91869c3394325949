"""The owner's sign-in: the one function that looks at a first-login password, with the attempt budgets inside.

Whoever asks, for whichever mailbox or none, gets the same work done and the same answer: the budgets are spent first,
then the password is checked once. Why a try failed is written on the mailbox's timeline and nowhere else.
"""

from dataclasses import dataclass
from enum import Enum
from unicodedata import normalize

import structlog
from django.conf import settings
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from migration import first_login as first_logins
from migration import mailboxes
from migration.addresses import Address, InvalidAddress, parse
from migration.models import Event, FirstLogin, Mailbox
from migration.refusals import VerbRefused

from .attempts import Bucket, address_bucket, count_failure, give_back, network, reset, spend
from .waits import TooEarly, spend_in_turn

log = structlog.get_logger(__name__)

# The longest text that can be a first-login password, blanks and dashes included; anything longer is none.
MAX_TYPED = 200


class Refusal(Enum):
    """The two answers to a failed try; neither tells whether the mailbox exists."""

    WRONG = "wrong"
    NETWORK_EXHAUSTED = "network exhausted"


@sensitive_variables("typed")
def attempt(address: str, typed: str, *, locator: str, ip: str) -> FirstLogin | Refusal:
    """Check an address and a first-login password as they were typed; the valid FirstLogin or why not.

    A success is noted on the mailbox's timeline, and clears the counters of its tries.

    `locator` is the one of the mailed link, or empty. It chooses the budget, and only if it belongs to the address.

    Raises TooEarly if the wait after the last wrong try with this link is not over. Such a try is neither looked at nor
    counted anywhere, so it tells nothing about what was typed.
    """
    who = _whose(address, locator)
    networks = _networks(network(ip), with_link=who.link is not None)
    if any(count > bucket.limit for bucket, count in spend(*networks).items()):
        count_failure()
        return Refusal.NETWORK_EXHAUSTED
    try:
        count = _take_turn(who)
    except TooEarly:
        give_back(*networks, *_exempt(network(ip), with_link=who.link is not None))
        raise
    allowed = count <= who.own.limit and _in_a_row(who)
    found = first_logins.check(who.mailbox, typed if len(typed) <= MAX_TYPED else "")
    if found and allowed:
        give_back(*networks)
        with transaction.atomic():
            reset(who.own, who.row, who.turn or who.own)
            mailboxes.record_sign_in(found.mailbox, ip=ip, way="letter" if found.printing_id else "")
        return found
    count_failure()
    _note(who, ip, count, link_needed=count <= who.own.limit and not allowed)
    if who.link and count >= who.own.limit:
        _replace(who.link)
    return Refusal.WRONG


def ask_again(address: str, *, ip: str) -> None:
    """Queue a new invitation if the owner has no way in any more: all expired, or used up by the password he saved.

    Whoever asks learns nothing from it, and while a mailed password is valid a stranger can change nothing by asking:
    no second mail goes out, no session ends. To a mailbox with its new password it is one mail a day.
    """
    parsed, key = canonical(address)
    own, net = Bucket("again", address_bucket(key).subject), Bucket("network_again", network(ip))
    counts = spend(own, net)
    mailbox = Mailbox.objects.by_address(parsed or Address("", "")).first()
    ended = _why(mailbox) in ("expired", "used_up")
    if mailbox and ended and all(count <= bucket.limit for bucket, count in counts.items()):
        if mailbox.first_logins.filter(minted_at=None).exists():
            return  # a mail waits in the outbox already
        try:
            _send_again(mailbox)
        except VerbRefused as refusal:
            log.info("asked_again_in_vain", mailbox=mailbox.pk, code=refusal.code)


@dataclass(frozen=True)
class _Who:
    """Whose try it is: the mailbox of the address, the invitation of the link if it is its own, what it uses up."""

    mailbox: Mailbox | None
    link: FirstLogin | None
    own: Bucket
    row: Bucket
    # Where a try with a mailed link waits for its turn; without a link nothing waits.
    turn: Bucket | None = None


def _whose(address: str, locator: str) -> _Who:
    parsed, key = canonical(address)
    invitation = first_logins.find(locator)
    if invitation and str(parsed) == invitation.mailbox.address:
        mailbox: Mailbox | None = invitation.mailbox
    else:
        mailbox = Mailbox.objects.by_address(parsed or Address("", "")).first()
    own = address_bucket(key)
    row = Bucket("address_row", own.subject)
    if invitation is None or mailbox is None or invitation.mailbox_id != mailbox.pk:
        return _Who(mailbox, None, own, row)
    link = Bucket("link", str(invitation.pk))
    # A link whose password was revoked has no budget of its own any more: a newer mail has. It waits like any other, or
    # the answers would tell that it was revoked.
    if invitation.revoked_at is not None:
        return _Who(mailbox, None, own, row, link)
    return _Who(mailbox, invitation, link, row, link)


def _take_turn(who: _Who) -> int:
    """Count the try in what it uses up; the new count. Raises TooEarly, then nothing is counted."""
    if who.turn is None:
        return spend(who.own)[who.own]
    count = spend_in_turn(who.turn)
    return count if who.turn == who.own else spend(who.own)[who.own]


def _in_a_row(who: _Who) -> bool:
    """Whether the address alone may still open the door: by setting, and after fewer than a hundred failures in a row.

    A mailed link always may: it has a budget of its own that nobody else can use up.
    """
    if who.link:
        return True
    return spend(who.row)[who.row] <= who.row.limit and not settings.SIGN_IN_BY_LINK_ONLY


def _replace(exhausted: FirstLogin) -> None:
    """Its link had too many wrong tries: disable it and mail a fresh one, once a day and mailbox."""
    waiting = FirstLogin.objects.filter(mailbox=exhausted.mailbox_id, minted_at=None)
    if not first_logins.is_valid(exhausted) or waiting.exists():
        return
    once = Bucket("replace", str(exhausted.mailbox_id))
    if spend(once)[once] > once.limit:
        return
    try:
        mailboxes.replace(exhausted, actor="portal")
    except VerbRefused as refusal:
        reset(once)
        log.info("not_replaced", mailbox=exhausted.mailbox_id, code=refusal.code)


def _send_again(mailbox: Mailbox) -> None:
    """Raises VerbRefused."""
    if mailbox.state not in (Mailbox.State.PASSWORD_SET, Mailbox.State.ACTIVE):
        mailboxes.re_invite(mailbox, actor="owner")
        return
    once = Bucket("another", str(mailbox.pk))
    if spend(once)[once] <= once.limit:
        mailboxes.send_another(mailbox, actor="owner")


def _networks(net: str, *, with_link: bool) -> tuple[Bucket, ...]:
    """The buckets of the network. Tries with a link have one of their own, and count as others only beyond it."""
    for own in _exempt(net, with_link=with_link):
        if spend(own)[own] <= own.limit:
            return ()
    return Bucket("network", net), Bucket("network_long", net)


def _exempt(net: str, *, with_link: bool) -> tuple[Bucket, ...]:
    return (Bucket("network_link", net),) if with_link else ()


def canonical(address: str) -> tuple[Address | None, str]:
    """The address, and the text its budget is kept under: canonical if it is an address, else nearly as typed."""
    try:
        parsed = parse(address)
    except InvalidAddress:
        return None, normalize("NFC", address[:1000]).strip().casefold()
    return parsed, str(parsed)


def _note(who: _Who, ip: str, count: int, *, link_needed: bool) -> None:
    """Write the failed try down. Of those beyond the budget only the first, or a stranger could fill the timeline.

    A try for an address we do not have does the same: one query, one committed write. Else the time would tell.
    """
    if count > who.own.limit + 1:
        return
    reason = _why(who.mailbox)
    if who.mailbox is None:
        spend(Bucket("unlisted", who.own.subject))
    elif count <= who.own.limit:
        reason = "link_needed" if link_needed else reason
        Event.record(Event.Action.SIGN_IN_FAILED, actor="owner", mailbox=who.mailbox, ip=ip, reason=reason)
    else:
        Event.record(Event.Action.SIGN_IN_REFUSED, actor="owner", mailbox=who.mailbox, ip=ip)


def _why(mailbox: Mailbox | None) -> str:
    """What support needs to know: is the newest mailed password still good, and so was mistyped?"""
    minted = FirstLogin.objects.filter(mailbox=mailbox.pk if mailbox else 0, minted_at__isnull=False)
    newest = minted.select_related("mailbox__domain").first()
    if mailbox and mailbox.state == Mailbox.State.EXCLUDED:
        return "excluded"
    if newest is None:
        return "not_invited"
    if newest.consumed_at:
        return "used_up"
    if newest.revoked_at:
        return "revoked"
    return "wrong" if first_logins.is_valid(newest) else "expired"
