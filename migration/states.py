"""The states of a mailbox: which verb leads from where to where. Nothing else changes `Mailbox.state`."""

from typing import Any

from .models import Mailbox

S = Mailbox.State

# verb: (states it may start from, state it leads to)
TRANSITIONS: dict[str, tuple[frozenset[S], S]] = {
    "invite": (frozenset({S.IMPORTED}), S.INVITED),
    "re_invite": (frozenset({S.INVITED, S.SIGNED_IN}), S.INVITED),
    "replace": (frozenset({S.INVITED, S.SIGNED_IN}), S.INVITED),
    "record_sign_in": (frozenset({S.INVITED}), S.SIGNED_IN),
    "set_password": (frozenset({S.SIGNED_IN, S.PASSWORD_SET, S.ACTIVE}), S.PASSWORD_SET),
    "advance": (frozenset({S.PASSWORD_SET}), S.ACTIVE),
    "see_login": (frozenset({S.ACTIVE}), S.MOVED),
    "reopen": (frozenset({S.PASSWORD_SET, S.ACTIVE, S.MOVED}), S.INVITED),
    "exclude": (frozenset({S.IMPORTED, S.INVITED, S.SIGNED_IN, S.PASSWORD_SET}), S.EXCLUDED),
    "include": (frozenset({S.EXCLUDED}), S.IMPORTED),
}


def move(mailbox: Mailbox, verb: str, **changes: Any) -> bool:
    """Take the mailbox along the verb's arrow in one guarded UPDATE, with further column changes.

    Returns False, and changes nothing, when the mailbox is not in a state the verb may start from. On success the
    object is as the row.
    """
    allowed, state = TRANSITIONS[verb]
    changed = Mailbox.objects.filter(pk=mailbox.pk, state__in=allowed).update(state=state, **changes)
    if changed and not changes:
        mailbox.state = state
    else:
        mailbox.refresh_from_db(fields=["state", *changes])
    return changed == 1


def may(mailbox: Mailbox, verb: str) -> bool:
    """Whether the verb may start from where the mailbox is; for showing a button or not."""
    return mailbox.state in TRANSITIONS[verb][0]


def handed_over(mailbox: Mailbox) -> bool:
    """Whether the owner changes his password on the new server from now on, and not here any more.

    So it is once he was seen there, or once his password works there and mail for the domain arrives there. A late
    owner without a new password still chooses one here, whatever the domain.
    """
    return mailbox.state == S.MOVED or (mailbox.state == S.ACTIVE and mailbox.domain.cut_over_at is not None)
