"""The owner's sign-in: the one function that looks at a first-login password, with the attempt budgets inside.

Whoever asks, for whichever mailbox or none, gets the same work done and the same answer: the budgets are spent first,
then the password is checked once. Why a try failed is written on the mailbox's timeline and nowhere else.
"""

from enum import Enum

import structlog
from django.views.decorators.debug import sensitive_variables

from migration import first_login as first_logins
from migration import mailboxes
from migration.addresses import Address, InvalidAddress, parse
from migration.models import Event, FirstLogin, Mailbox
from migration.refusals import VerbRefused

from .attempts import Bucket, address_bucket, give_back, network, reset, spend

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

    `locator` is the one of the mailed link, or empty. It chooses the budget, and only if it belongs to the address.
    """
    mailbox, own = _whose(address, locator)
    networks = _networks(network(ip), with_link=own.budget == "link")
    if any(count > bucket.limit for bucket, count in spend(*networks).items()):
        return Refusal.NETWORK_EXHAUSTED
    count = spend(own)[own]
    found = first_logins.check(mailbox, typed if len(typed) <= MAX_TYPED else "")
    if found and count <= own.limit:
        give_back(*networks)
        reset(own)
        return found
    _note(mailbox, own, ip, count)
    return Refusal.WRONG


def ask_again(address: str, *, ip: str) -> None:
    """Queue a new invitation if the mailbox waits for its owner and every first-login password of it has expired.

    Whoever asks learns nothing from it, and while a mailed password is valid a stranger can change nothing by asking:
    no second mail goes out, no session ends.
    """
    parsed, key = _parse(address)
    own, net = Bucket("again", address_bucket(key).subject), Bucket("network_again", network(ip))
    counts = spend(own, net)
    mailbox = Mailbox.objects.by_address(parsed or Address("", "")).first()
    expired = _why(mailbox) == "expired"
    if mailbox and expired and all(count <= bucket.limit for bucket, count in counts.items()):
        if mailbox.first_logins.filter(minted_at=None).exists():
            return  # a mail waits in the outbox already
        try:
            mailboxes.re_invite(mailbox, actor="owner")
        except VerbRefused as refusal:
            log.info("asked_again_in_vain", mailbox=mailbox.pk, code=refusal.code)


def _whose(address: str, locator: str) -> tuple[Mailbox | None, Bucket]:
    """The mailbox of the address, and the bucket of its own that a try uses up."""
    parsed, key = _parse(address)
    invitation = first_logins.find(locator)
    mailbox = Mailbox.objects.by_address(parsed or Address("", "")).first()
    if invitation and mailbox and invitation.mailbox_id == mailbox.pk:
        return mailbox, Bucket("link", str(invitation.pk))
    return mailbox, address_bucket(key)


def _networks(net: str, *, with_link: bool) -> tuple[Bucket, ...]:
    """The buckets of the network. Tries with a link have one of their own, and count as others only beyond it."""
    if with_link:
        own = Bucket("network_link", net)
        if spend(own)[own] <= own.limit:
            return ()
    return Bucket("network", net), Bucket("network_long", net)


def _parse(address: str) -> tuple[Address | None, str]:
    """The address, and the text its budget is kept under: canonical if it is an address, else as typed."""
    try:
        parsed = parse(address)
    except InvalidAddress:
        return None, address[:1000]
    return parsed, str(parsed)


def _note(mailbox: Mailbox | None, own: Bucket, ip: str, count: int) -> None:
    """Write the failed try down. Of those beyond the budget only the first, or a stranger could fill the timeline.

    A try for an address we do not have does the same: one query, one committed write. Else the time would tell.
    """
    if count > own.limit + 1:
        return
    reason = _why(mailbox)
    if mailbox is None:
        spend(Bucket("unlisted", own.subject))
    elif count <= own.limit:
        Event.record(Event.Action.SIGN_IN_FAILED, actor="owner", mailbox=mailbox, ip=ip, reason=reason)
    else:
        Event.record(Event.Action.SIGN_IN_REFUSED, actor="owner", mailbox=mailbox, ip=ip)


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
