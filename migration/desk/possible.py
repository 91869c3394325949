"""Which verbs a mailbox takes now, and why not the others: said before somebody presses in vain."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from migration import campaign, phone_codes
from migration.mailboxes import INVITE_AGAIN_AFTER
from migration.mailings import route
from migration.models import FirstLogin, Mailbox, Push
from migration.refusals import SENTENCES, VerbRefused
from migration.states import may

S = Mailbox.State


@dataclass(frozen=True)
class Refusal:
    """A verb that does nothing now, and the reason."""

    verb: str
    what: str
    why: str


def refusals(mailbox: Mailbox, *, newest: FirstLogin | None, push: Push | None, works: bool) -> list[Refusal]:
    """The verbs support might look for that the mailbox does not take now. At most two queries."""
    return [
        *_invitations(mailbox, newest),
        *_phone(mailbox),
        *_rest(mailbox, push, works=works),
    ]


def _invitations(mailbox: Mailbox, newest: FirstLogin | None) -> Iterable[Refusal]:
    again = not may(mailbox, "invite")
    what = _("Invite again") if again else _("Invite")
    if mailbox.state == S.EXCLUDED:
        yield Refusal("invite", what, _("The mailbox is excluded. Include it again first."))
    elif again and not may(mailbox, "re_invite"):
        yield Refusal("invite", what, _("A new password is saved. If the owner has lost it, reopen."))
    elif why := _no_mail(mailbox):
        yield Refusal("invite", what, why)
    elif again and newest and newest.created_at > timezone.now() - INVITE_AGAIN_AFTER:
        yield Refusal("invite", what, str(SENTENCES["too_soon"]))
    if may(mailbox, "reopen") and (why := _no_mail(mailbox)):
        yield Refusal("reopen", _("Reopen"), why)
    elif not may(mailbox, "reopen"):
        yield Refusal("reopen", _("Reopen"), _("No new password is saved, so there is nothing to reopen."))


def _no_mail(mailbox: Mailbox) -> str:
    """Why no mail may go to this owner now; empty if it may."""
    try:
        campaign.refuse_mails(mailbox.domain)
    except VerbRefused as refused:
        return str(refused)
    return "" if route.recipient(mailbox) else str(SENTENCES["no_recipient"])


def _phone(mailbox: Mailbox) -> Iterable[Refusal]:
    try:
        phone_codes.refuse(mailbox)
    except VerbRefused as refused:
        yield Refusal("phone", _("Code for the phone"), str(refused))


def _rest(mailbox: Mailbox, push: Push | None, *, works: bool) -> Iterable[Refusal]:
    if push is None or push.state not in (Push.State.WAITING, Push.State.BLOCKED):
        yield Refusal("retry_push", _("Transfer again"), str(SENTENCES["nothing_to_retry"]))
    if not may(mailbox, "print_letter"):
        yield Refusal("print_letter", _("Print a letter"), str(SENTENCES["wrong_state"]))
    if not works:
        yield Refusal("revoke", _("Revoke the first-login passwords"), _("None works now."))
    if not (may(mailbox, "exclude") or may(mailbox, "include")):
        yield Refusal("exclude", _("Exclude"), _("The password works on the new server already."))
