"""The verbs on one mailbox. Each is a guarded transition, its event, and its doorbell, in one transaction."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from . import campaign, first_login, invitations, phone_codes, pushes
from .doorbell import ring
from .mailings import outbox, route
from .models import Domain, Event, FirstLogin, Mailbox, Mailing, Push
from .refusals import VerbRefused
from .states import handed_over, move

INVITE_AGAIN_AFTER = timedelta(minutes=10)
INVITE_AGAIN_A_DAY = 3
INVITE_BATCH = 500


def invite(mailbox: Mailbox, *, actor: str, reason: str = "", rings: bool = True) -> Mailing:
    """Queue the first invitation.

    `reason` says why it may go out although the contact was not told before; one of many that does not ring waits for
    whoever sends mails next. Raises VerbRefused.
    """
    refuse_invitations(mailbox.domain, reason)
    return _invite(mailbox, "invite", actor=actor, rings=rings, **_why(reason))


def invite_all(domain: Domain, *, actor: str, reason: str = "") -> int:
    """Invite every mailbox of the domain that was imported and not invited yet. Returns how many.

    Those of a kind in `Mailbox.ON_REQUEST` are left out: each waits for an `invite` of its own. In batches, each whole
    or not at all; the sweep then sends at the pace of the settings. Raises VerbRefused.
    """
    refuse_invitations(domain, reason)
    invited = 0
    while batch := _invite_batch(domain, actor=actor, **_why(reason)):
        invited += batch
    return invited


def refuse_invitations(domain: Domain, reason: str) -> None:
    """Raise VerbRefused if nothing may be sent into the domain now.

    Nothing that we send may be the first thing a customer hears: without a pre-announcement a reason must be typed.
    """
    campaign.refuse_mails(domain)
    if not reason.strip() and domain.announced_at is None:
        raise VerbRefused("not_announced")


def re_invite(mailbox: Mailbox, *, actor: str, rings: bool = True) -> Mailing:
    """Queue a further invitation. The newest mailed password and its predecessor work; the owner's sessions end.

    Raises VerbRefused, also when the last invitation is younger than ten minutes, or for the staff after three a day.
    """
    return _invite(mailbox, "re_invite", actor=actor, rings=rings)


def replace(spent: FirstLogin, *, actor: str) -> Mailing:
    """Make one first-login password worthless and mail a fresh one in its place. Raises VerbRefused."""
    mailbox = spent.mailbox
    with transaction.atomic():
        mailing = _invite(mailbox, "replace", actor=actor)
        FirstLogin.objects.filter(pk=spent.pk, consumed_at=None, revoked_at=None).update(revoked_at=timezone.now())
        Event.record(Event.Action.REPLACED, actor=actor, mailbox=mailbox, number=spent.number)
    return mailing


def send_another(mailbox: Mailbox, *, actor: str) -> Mailing:
    """Mail a first-login password to an owner who has saved a password and wants to set another one.

    What he saved keeps working, and his state and sessions stay as they are: a stranger may have asked.
    Raises VerbRefused.
    """
    campaign.refuse_mails(mailbox.domain)
    with transaction.atomic():
        row = Mailbox.objects.select_for_update(of=("self",)).select_related("domain").get(pk=mailbox.pk)
        if row.state not in (Mailbox.State.PASSWORD_SET, Mailbox.State.ACTIVE) or handed_over(row):
            raise VerbRefused("wrong_state")
        return _queued(mailbox, FirstLogin.objects.filter(mailbox=mailbox).first(), actor=actor)


def reopen(mailbox: Mailbox, *, actor: str) -> Mailing:
    """Start again with a new invitation; what mailcow has stays as it is. Raises VerbRefused."""
    with transaction.atomic():
        first_login.revoke_all(mailbox)
        phone_codes.revoke_all(mailbox)
        mailing = _invite(mailbox, "reopen", actor=actor)
        Event.record(Event.Action.REOPENED, actor=actor, mailbox=mailbox)
    return mailing


def record_sign_in(mailbox: Mailbox, *, ip: str | None, way: str = "") -> None:
    """Note that the owner signed in, by `way` of "letter" or "phone", else by a mail. A second time is as good."""
    with transaction.atomic(savepoint=False):
        move(mailbox, "enter_code" if way == "phone" else "record_sign_in")
        detail: dict[str, Any] = {"way": way} if way else {}
        Event.record(Event.Action.SIGNED_IN, actor="owner", mailbox=mailbox, ip=ip, **detail)


def set_password(
    mailbox: Mailbox, *, password_hash: str, kept_old: bool, submission: uuid.UUID, ip: str | None
) -> Push:
    """Save the owner's new password: all of it or nothing.

    The push is queued and any older open one superseded and blanked; the first-login passwords are used up; the
    owner's other sessions end (the epoch rises); the event is written; the doorbell rings on commit. Whoever delivers
    the push sees to the notice too. A submission that was saved before returns its push and changes nothing.
    Raises VerbRefused when the mailbox is in a state without a password to set, or has been handed over.
    """
    if handed_over(mailbox):
        raise VerbRefused("handed_over")
    try:
        with transaction.atomic():
            if not move(mailbox, "set_password", raising=["version", "epoch"]):
                raise VerbRefused("wrong_state")
            push = pushes.enqueue(mailbox, password_hash=password_hash, kept_old=kept_old, submission=submission)
            first_login.consume_all(mailbox)
            phone_codes.consume_all(mailbox)
            Event.record(Event.Action.PASSWORD_SET, actor="owner", mailbox=mailbox, ip=ip, version=push.version)
            outbox.notify_saved(mailbox)
            return push
    except IntegrityError:
        # The same form came twice, or twice at once: what the other one saved counts.
        mailbox.refresh_from_db(fields=["state", "version", "epoch"])
        if saved := _saved(mailbox, submission):
            return saved
        raise


def see_login(mailbox: Mailbox, *, at: datetime) -> bool:
    """Note that the owner was seen on the new server, signing in by IMAP or POP3 at that time.

    Counts only with the newest password delivered, and only a login newer than its delivery: an older one was made
    with another password. Returns False, and changes nothing, when it does not count.
    """
    with transaction.atomic():
        newest = Push.objects.filter(mailbox=mailbox).order_by("-version").first()
        if newest is None or newest.delivered_at is None or at <= newest.delivered_at:
            return False
        if not move(mailbox, "see_login"):
            return False
        Event.record(Event.Action.MOVED, actor="worker", mailbox=mailbox, login=at.isoformat())
    return True


def retry_push(mailbox: Mailbox, *, actor: str) -> Push:
    """Try the open push again now. Raises VerbRefused when there is none that waits or is blocked."""
    with transaction.atomic():
        push = pushes.retry(mailbox)
        if push is None:
            raise VerbRefused("nothing_to_retry")
        Event.record(Event.Action.PUSH_RETRIED, actor=actor, mailbox=mailbox, version=push.version)
    return push


def revoke(mailbox: Mailbox, *, actor: str) -> None:
    """Make the mailed first-login passwords worthless and end the owner's sessions."""
    with transaction.atomic():
        first_login.revoke_all(mailbox)
        phone_codes.revoke_all(mailbox)
        Mailbox.objects.filter(pk=mailbox.pk).update(epoch=F("epoch") + 1)
        Event.record(Event.Action.REVOKED, actor=actor, mailbox=mailbox)


def exclude(mailbox: Mailbox, *, actor: str, reason: str) -> None:
    """Take the mailbox out of the move. Raises VerbRefused without a reason or once it is active."""
    _with_reason(mailbox, "exclude", Event.Action.EXCLUDED, actor, reason)


def include(mailbox: Mailbox, *, actor: str, reason: str) -> None:
    """Take an excluded mailbox in again. Raises VerbRefused without a reason."""
    _with_reason(mailbox, "include", Event.Action.INCLUDED, actor, reason)


def _with_reason(mailbox: Mailbox, verb: str, action: Event.Action, actor: str, reason: str) -> None:
    if not reason.strip():
        raise VerbRefused("no_reason")
    with transaction.atomic():
        if not move(mailbox, verb, raising=["epoch"]):
            raise VerbRefused("wrong_state")
        first_login.revoke_all(mailbox)
        phone_codes.revoke_all(mailbox)
        pushes.supersede_open(mailbox)
        Event.record(action, actor=actor, mailbox=mailbox, reason=reason.strip())


def _invite(mailbox: Mailbox, verb: str, *, actor: str, rings: bool = True, **detail: object) -> Mailing:
    campaign.refuse_mails(mailbox.domain)
    if not route.recipient(mailbox):
        raise VerbRefused("no_recipient")
    with transaction.atomic():
        if not move(mailbox, verb, raising=["epoch"]):
            raise VerbRefused("wrong_state")
        # The guarded update holds the row: of two clicks at once the second sees the first one's invitation.
        newest = FirstLogin.objects.filter(mailbox=mailbox).first()
        if verb == "re_invite" and newest and newest.created_at > timezone.now() - INVITE_AGAIN_AFTER:
            raise VerbRefused("too_soon")
        if verb == "re_invite" and actor.startswith("staff:") and _invited_again(mailbox) >= INVITE_AGAIN_A_DAY:
            raise VerbRefused("too_many")
        if verb == "reopen":
            pushes.supersede_open(mailbox)
        return _queued(mailbox, newest, actor=actor, rings=rings, **detail)


def _invited_again(mailbox: Mailbox) -> int:
    """How often the staff sent this mailbox a further invitation within the last day."""
    since = timezone.now() - timedelta(days=1)
    invited = Event.objects.filter(mailbox=mailbox, action=Event.Action.INVITED, at__gt=since, detail__number__gt=1)
    return invited.filter(actor__startswith="staff:").count()


def _queued(
    mailbox: Mailbox, newest: FirstLogin | None, *, actor: str, rings: bool = True, **detail: object
) -> Mailing:
    [mailing] = invitations.queue([mailbox], {mailbox.pk: newest.number + 1 if newest else 1}, actor=actor, **detail)
    if rings:
        ring("send_mail", mailing.pk)
    return mailing


def _invite_batch(domain: Domain, *, actor: str, **detail: object) -> int:
    with transaction.atomic():
        imported = Mailbox.objects.filter(domain=domain, state=Mailbox.State.IMPORTED)
        wanted = imported.exclude(kind__in=Mailbox.ON_REQUEST).select_for_update(of=("self",))
        batch = list(wanted.select_related("domain__customer")[:INVITE_BATCH])
        if any(not route.recipient(mailbox) for mailbox in batch):
            raise VerbRefused("no_recipient")
        pks = [mailbox.pk for mailbox in batch]
        Mailbox.objects.filter(pk__in=pks).update(state=Mailbox.State.INVITED, epoch=F("epoch") + 1)
        earlier = FirstLogin.objects.filter(mailbox__in=pks).values_list("mailbox").annotate(Max("number"))
        numbers = dict.fromkeys(pks, 1) | {pk: number + 1 for pk, number in earlier}
        invitations.queue(batch, numbers, actor=actor, **detail)
    return len(batch)


def _why(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}


def _saved(mailbox: Mailbox, submission: uuid.UUID) -> Push | None:
    return Push.objects.filter(mailbox=mailbox, submission=submission).first()
