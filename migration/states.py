"""The states of a mailbox: which verb leads from where to where. Nothing else changes `Mailbox.state`."""

from collections.abc import Iterable

from django.db import connections, router

from .models import Mailbox

S = Mailbox.State

# verb: (states it may start from, state it leads to)
TRANSITIONS: dict[str, tuple[frozenset[S], S]] = {
    "invite": (frozenset({S.IMPORTED}), S.INVITED),
    "re_invite": (frozenset({S.INVITED, S.SIGNED_IN}), S.INVITED),
    "replace": (frozenset({S.INVITED, S.SIGNED_IN}), S.INVITED),
    "print_letter": (frozenset({S.IMPORTED, S.INVITED, S.SIGNED_IN}), S.INVITED),
    "record_sign_in": (frozenset({S.INVITED}), S.SIGNED_IN),
    "enter_code": (frozenset({S.IMPORTED, S.INVITED}), S.SIGNED_IN),
    "set_password": (frozenset({S.SIGNED_IN, S.PASSWORD_SET, S.ACTIVE}), S.PASSWORD_SET),
    "advance": (frozenset({S.PASSWORD_SET}), S.ACTIVE),
    "see_login": (frozenset({S.ACTIVE}), S.MOVED),
    "reopen": (frozenset({S.PASSWORD_SET, S.ACTIVE, S.MOVED}), S.INVITED),
    "exclude": (frozenset({S.IMPORTED, S.INVITED, S.SIGNED_IN, S.PASSWORD_SET}), S.EXCLUDED),
    "include": (frozenset({S.EXCLUDED}), S.IMPORTED),
}


def move(mailbox: Mailbox, verb: str, *, raising: Iterable[str] = (), erasing: Iterable[str] = ()) -> bool:
    """Take the mailbox along the verb's arrow in one guarded UPDATE; numbers to raise and columns to erase go with it.

    Returns False, and changes nothing, when the mailbox is not in a state the verb may start from. The object is as the
    row afterwards. A plain statement: every owner comes by here twice, and it tells what became of the row.
    """
    allowed, state = TRANSITIONS[verb]
    changes = ["state = %s", *(f"{name} = {name} + 1" for name in raising), *(f"{name} = NULL" for name in erasing)]
    sql = f"""
        UPDATE migration_mailbox SET {", ".join(changes)}
        WHERE id = %s AND state IN ({", ".join(["%s"] * len(allowed))})
        RETURNING state, version, epoch
    """  # noqa: S608 - what is put in are names of columns from our own code
    with connections[router.db_for_write(Mailbox)].cursor() as cursor:
        cursor.execute(sql, [state.value, mailbox.pk, *(start.value for start in allowed)])
        row = cursor.fetchone()
    if row is None:
        mailbox.refresh_from_db(fields=["state", "version", "epoch"])
        return False
    mailbox.state, mailbox.version, mailbox.epoch = row
    for name in erasing:
        setattr(mailbox, name, None)
    return True


def may(mailbox: Mailbox, verb: str) -> bool:
    """Whether the verb may start from where the mailbox is; for showing a button or not."""
    return mailbox.state in TRANSITIONS[verb][0]


def handed_over(mailbox: Mailbox) -> bool:
    """Whether the owner changes his password on the new server from now on, and not here any more.

    So it is once he was seen there, or once his password works there and mail for the domain arrives there. A late
    owner without a new password still chooses one here, until the move of the domain is finished.
    """
    domain = mailbox.domain
    arrives_there = mailbox.state == S.ACTIVE and domain.cut_over_at is not None
    return mailbox.state == S.MOVED or arrives_there or domain.ended_at is not None
