"""What must hold after any weather; each function returns its violations in words.

I1  every password an owner saw as saved was superseded by a newer one of his, or is the one mailcow ends with
I2  after a newer password was accepted, no older one stays; nor does it ever appear, unless its own write had ended
    without a known outcome
I3  an invitation is accepted by the old server once at most
I7  each change of state has its one event
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from migration.models import Event, FirstLogin, Mailbox, Mailing, Push
from sandbox.mailcow import MailcowStandIn
from sandbox.mailhost import MailHost

A = Event.Action
_LINK = re.compile(r"/s/([A-Za-z0-9_-]{11})")
_LEADS_TO = {
    A.INVITED: Mailbox.State.INVITED,
    A.PASSWORD_SET: Mailbox.State.PASSWORD_SET,
    A.ACTIVE: Mailbox.State.ACTIVE,
}
_TOLD_AS = {
    Mailing.State.SENT: A.MAIL_SENT,
    Mailing.State.UNCLEAR: A.MAIL_UNCLEAR,
    Mailing.State.FAILED: A.MAIL_FAILED,
}

Saved = dict[int, dict[int, str]]


def newest_is_there(saved: Saved, mailcow: MailcowStandIn) -> Iterator[str]:
    """I1, on mailcow's own row and in its journal, and in our database."""
    last = {entry.address: entry.digest for entry in mailcow.journal}
    for mailbox in Mailbox.objects.filter(pk__in=saved).select_related("domain"):
        versions = saved[mailbox.pk]
        newest = versions[max(versions)]
        if mailbox.version != max(versions) or sorted(versions) != list(range(1, mailbox.version + 1)):
            yield f"{mailbox.address}: saved were {sorted(versions)}, the row is at {mailbox.version}"
        if mailcow.mailboxes[mailbox.address].password != newest or last.get(mailbox.address) != digest_of(newest):
            yield f"{mailbox.address}: mailcow does not end with the newest"
        push = Push.objects.get(mailbox=mailbox, version=mailbox.version)
        if not push.is_delivered or not mailbox.is_done:
            yield f"{mailbox.address}: {mailbox.state}, push {push.state} {push.reason}"


def no_older_one_returns(saved: Saved, mailcow: MailcowStandIn) -> Iterator[str]:
    """I2, for every write that mailcow accepted."""
    for mailbox in Mailbox.objects.filter(pk__in=saved).select_related("domain"):
        of = {digest_of(text): version for version, text in saved[mailbox.pk].items()}
        highest = 0
        for entry in mailcow.journal:
            if entry.address != mailbox.address:
                continue
            version = of.get(entry.digest)
            if version is None:
                yield f"{mailbox.address}: mailcow was given what nobody had saved"
                continue
            unknown = Push.objects.filter(mailbox=mailbox, version=version, write_open_at__isnull=False)
            if version < highest and not unknown.exists():
                yield f"{mailbox.address}: version {version} after version {highest}"
            highest = max(highest, version)


def no_invitation_twice(host: MailHost) -> Iterator[str]:
    """I3, in the old mailboxes."""
    arrived = Counter(locator for mail in host.mails() for locator in set(_LINK.findall(mail.text)))
    for locator, times in arrived.items():
        if times > 1:
            yield f"invitation {locator} arrived {times} times"
    known = set(FirstLogin.objects.values_list("locator", flat=True))
    yield from (f"nobody made the invitation {locator}" for locator in set(arrived) - known)


def one_event_for_each_change() -> Iterator[str]:
    """I7: the events, read in their order, end at the states of the rows."""
    for mailbox in Mailbox.objects.select_related("domain"):
        events = list(Event.objects.filter(mailbox=mailbox).order_by("pk"))
        yield from _replayed(mailbox, events)
        for push in Push.objects.filter(mailbox=mailbox):
            of_it = Counter(event.action for event in events if event.detail.get("version") == push.version)
            delivered = of_it[A.PUSH_DELIVERED] - of_it[A.SETTLE_REPUSH]
            if delivered != push.is_delivered or of_it[A.PASSWORD_SET] != 1:
                yield f"{mailbox.address} v{push.version} is {push.state}: {dict(of_it)}"
        if FirstLogin.objects.filter(mailbox=mailbox).count() != sum(event.action == A.INVITED for event in events):
            yield f"{mailbox.address}: not one event for each invitation"
    for mailing in Mailing.objects.exclude(kind=Mailing.Kind.ANNOUNCEMENT):
        told = list(Event.objects.filter(detail__mailing=mailing.pk).values_list("action", flat=True))
        if told != ([_TOLD_AS[Mailing.State(mailing.state)]] if mailing.state in _TOLD_AS else []):
            yield f"mail {mailing.pk} is {mailing.state}, told was {told}"


def _replayed(mailbox: Mailbox, events: list[Event]) -> Iterator[str]:
    state = Mailbox.State.IMPORTED
    for event in events:
        if event.action == A.ACTIVE and state != Mailbox.State.PASSWORD_SET:
            yield f"{mailbox.address}: became active from {state}"
        if event.action == A.SIGNED_IN and state == Mailbox.State.INVITED:
            state = Mailbox.State.SIGNED_IN
        state = _LEADS_TO.get(A(event.action), state)
    if state != mailbox.state:
        yield f"{mailbox.address}: the events end at {state}, the row is {mailbox.state}"


def digest_of(password_hash: str) -> str:
    """As the stand-in's journal writes it."""
    return hashlib.sha256(password_hash.encode()).hexdigest()
