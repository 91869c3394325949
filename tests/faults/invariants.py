"""What must hold after any weather; each function returns its violations in words.

I1  every password an owner saw as saved was superseded by a newer one of his, or is the one mailcow ends with
I2  after a newer password was accepted, no older one stays; nor does it ever appear, unless its own write had ended
    without a known outcome
I3  an invitation is accepted by the old server once at most
I4  no secret outside its place (in `secrecy`)
I5  tries at the door are counted exactly, and who has the link and its password gets in
I6  after the first call that was turned away mailcow gets four more at most, until somebody mends it
I7  each change of state has its one event, and the audit trail holds
I8  nobody at the door sees an error, except the page that says to try again
"""

import re
from collections import Counter
from collections.abc import Iterator

from accounts.attempts import Attempts, Bucket, address_bucket
from migration.audit import sealing, verifying
from migration.models import Event, FirstLogin, Mailbox, Mailing, Push
from sandbox.mailcow.passwords import verify
from sandbox.mailhost import MailHost
from tests.faults.door import Door
from tests.faults.watched import Watched

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

# mailcow bans an address after ten.
CALLS_AFTER_TURNED_AWAY = 4

Saved = dict[int, dict[int, str]]


def newest_is_there(saved: Saved, mailcow: Watched) -> Iterator[str]:
    """I1, at mailcow's own door and in its journal, and in our database."""
    last = {entry.address: mailcow.given.get(entry.digest, "") for entry in mailcow.journal}
    for mailbox in Mailbox.objects.filter(pk__in=saved).select_related("domain"):
        versions = saved[mailbox.pk]
        newest = versions[max(versions)]
        if mailbox.version != max(versions) or sorted(versions) != list(range(1, mailbox.version + 1)):
            yield f"{mailbox.address}: saved were {sorted(versions)}, the row is at {mailbox.version}"
        if not mailcow.verify(mailbox.address, newest) or not verify(last.get(mailbox.address, ""), newest):
            written = [entry.digest for entry in mailcow.journal if entry.address == mailbox.address]
            order = [_version_of(mailcow.given.get(digest, ""), versions) for digest in written]
            yield f"{mailbox.address}: mailcow does not end with version {max(versions)}, it stored {order}"
        push = Push.objects.get(mailbox=mailbox, version=mailbox.version)
        if not push.is_delivered or not mailbox.is_done:
            yield f"{mailbox.address}: {mailbox.state}, push {push.state} {push.reason}"


def no_older_one_returns(saved: Saved, mailcow: Watched) -> Iterator[str]:
    """I2, for every write that mailcow accepted."""
    for mailbox in Mailbox.objects.filter(pk__in=saved).select_related("domain"):
        written = [entry.digest for entry in mailcow.journal if entry.address == mailbox.address]
        of = {digest: _version_of(mailcow.given.get(digest, ""), saved[mailbox.pk]) for digest in set(written)}
        highest = 0
        for digest in written:
            version = of[digest]
            if version is None:
                yield f"{mailbox.address}: mailcow was given what nobody had saved"
                continue
            unknown = Push.objects.filter(mailbox=mailbox, version=version, write_open_at__isnull=False)
            if version < highest and not unknown.exists():
                yield f"{mailbox.address}: version {version} after version {highest}"
            highest = max(highest, version)


def _version_of(password_hash: str, versions: dict[int, str]) -> int | None:
    return next((version for version, password in versions.items() if verify(password_hash, password)), None)


def no_invitation_twice(host: MailHost) -> Iterator[str]:
    """I3, in the old mailboxes."""
    arrived = Counter(locator for mail in host.mails() for locator in set(_LINK.findall(mail.text)))
    for locator, times in arrived.items():
        if times > 1:
            yield f"invitation {locator} arrived {times} times"
    known = set(FirstLogin.objects.values_list("locator", flat=True))
    yield from (f"nobody made the invitation {locator}" for locator in set(arrived) - known)


def every_try_is_counted(door: Door) -> Iterator[str]:
    """I5, in the counters' rows. An owner turned away may have come with a mail that was revoked: that is a guess."""
    counted = dict(Attempts.objects.values_list("bucket", "count"))
    for address, guesses in door.guesses.items():
        count = counted.get(address_bucket(address).key, 0)
        if not guesses <= count <= guesses + door.turned_away[address]:
            yield f"{address}: {guesses} guesses, counted were {count}"
    for network, guesses in door.guessers.items():
        if counted.get(Bucket("network", network).key, 0) != guesses:
            yield f"{network}: {guesses} guesses, counted were {counted.get(Bucket('network', network).key, 0)}"
    yield from door.locked_out


def few_calls_while_turned_away(mailcow: Watched) -> Iterator[str]:
    """I6, in the stand-in's own list of calls."""
    for count in mailcow.calls_after_turned_away():
        if count > CALLS_AFTER_TURNED_AWAY:
            yield f"{count} calls after the first that was turned away"


def no_error_at_the_door(door: Door) -> Iterator[str]:
    """I8: the answers of all owners and strangers."""
    for status, times in Counter(status for status, _ in door.answers).items():
        if status >= 500 and status != 503:
            yield f"{times} times {status}"


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


def audit_trail_holds() -> Iterator[str]:
    """I7, as `manage.py verify_audit` sees it, once what is new is sealed."""
    sealing.seal_all()
    report = verifying.verify()
    if report.broken:
        yield str(report.broken)
    if report.last < Event.objects.count():
        yield f"{Event.objects.count()} events, sealed are {report.last}"


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
