"""The verbs that remind: owners who have no new password yet, and the customer's contact of who they are."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from . import campaign, invitations
from .doorbell import ring
from .mailings import outbox, route
from .models import Domain, Event, FirstLogin, Mailbox, Mailing
from .refusals import VerbRefused

# Somebody who was just written to is not reminded: whatever ran twice or late, nobody gets two mails at once.
AFTER = timedelta(hours=20)
BATCH = 500
STATES = (Mailbox.State.INVITED, Mailbox.State.SIGNED_IN)


def to_remind() -> QuerySet[Mailbox]:
    """Who was invited and has not saved a password; of a kind that is invited on request only, nobody."""
    return Mailbox.objects.filter(state__in=STATES).exclude(kind__in=Mailbox.ON_REQUEST)


def remind(mailbox: Mailbox, *, actor: str, rings: bool = True) -> Mailing:
    """Mail one owner a fresh first-login password, worded as a reminder; the one mailed last keeps working too.

    His state and session stay as they are. Raises VerbRefused.
    """
    refuse(mailbox.domain)
    if mailbox.on_request:
        raise VerbRefused("on_request")
    if not route.recipient(mailbox):
        raise VerbRefused("no_recipient")
    with transaction.atomic():
        if not Mailbox.objects.filter(pk=mailbox.pk, state__in=STATES).select_for_update().exists():
            raise VerbRefused("wrong_state")
        if not (mailings := _queue([mailbox.pk], actor)):
            raise VerbRefused("written_lately")
        if rings:
            ring("send_mail", mailings[0].pk)
    return mailings[0]


def remind_all(domain: Domain, *, actor: str) -> int:
    """Remind everybody in the domain whom `to_remind` finds and nobody has written to in the last hours.

    In batches, each whole or not at all; repeated at any point it goes on with the rest. With the first reminder of a
    domain its contact gets the list of the open ones. Returns how many were reminded. Raises VerbRefused.
    """
    refuse(domain)
    first = not Event.objects.filter(domain=domain, action=Event.Action.REMINDED).exists()
    reminded, last = 0, 0
    while pks := _next(domain, last):
        with transaction.atomic():
            # Locked by a statement without a join: who saved his password a moment ago is not found any more.
            locked = to_remind().filter(pk__in=pks).order_by("pk").select_for_update()
            reminded += len(_queue([mailbox.pk for mailbox in locked.only("pk")], actor))
        last = pks[-1]
    if first and reminded:
        tell_contact(domain)
    return reminded


def tell_contact(domain: Domain) -> bool:
    """Queue the contact's list of the open ones; not if he got one in the last hours. Returns whether it was."""
    with transaction.atomic():
        held = Domain.objects.select_for_update(of=("self",)).select_related("customer").get(pk=domain.pk)
        lately = held.mailings.filter(kind=Mailing.Kind.SUMMARY, created_at__gt=timezone.now() - AFTER)
        if not held.customer.contact_email or lately.exists():
            return False
        outbox.enqueue(
            Mailing.Kind.SUMMARY,
            domain=held,
            recipient=held.customer.contact_email,
            language=held.customer.language,
        )
    return True


def refuse(domain: Domain) -> None:
    """Raise VerbRefused if nobody in the domain may be reminded now."""
    campaign.refuse_mails(domain)
    if campaign.paused():
        raise VerbRefused("all_paused")


def _next(domain: Domain, after: int) -> list[int]:
    found = to_remind().filter(domain=domain, pk__gt=after).order_by("pk")
    return list(found.values_list("pk", flat=True)[:BATCH])


def _queue(pks: list[int], actor: str) -> list[Mailing]:
    """Queue the reminders of mailboxes whose rows we hold; asked only now, so another run's mails are seen."""
    newest = FirstLogin.objects.filter(mailbox__in=pks).order_by().values("mailbox")
    known = {row["mailbox"]: row for row in newest.annotate(number=Max("number"), at=Max("created_at"))}
    lately = timezone.now() - AFTER
    rows = Mailbox.objects.filter(pk__in=pks).select_related("domain__customer").defer("legacy_hash").order_by("pk")
    wanted = [box for box in rows if route.recipient(box) and (box.pk not in known or known[box.pk]["at"] <= lately)]
    numbers = {box.pk: known[box.pk]["number"] + 1 if box.pk in known else 1 for box in wanted}
    return invitations.queue(wanted, numbers, Mailing.Kind.REMINDER, actor=actor)
