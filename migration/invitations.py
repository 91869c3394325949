"""Queue invitations whose mailboxes may have them: the row, its mail and its event. Part of a verb's transaction."""

from . import first_login
from .mailings import route
from .models import Event, FirstLogin, Mailbox, Mailing


def queue(
    mailboxes: list[Mailbox],
    numbers: dict[int, int],
    kind: Mailing.Kind = Mailing.Kind.INVITATION,
    /,
    *,
    actor: str,
    **detail: object,
) -> list[Mailing]:
    """Write invitation, mail and event of each mailbox, which gets the number given for it.

    A reminder is a further invitation in other words.
    """
    reminder = kind == Mailing.Kind.REMINDER
    invitations = FirstLogin.objects.bulk_create(
        FirstLogin(mailbox=mailbox, number=numbers[mailbox.pk], locator=first_login.new_locator())
        for mailbox in mailboxes
    )
    Event.objects.bulk_create(
        Event(
            action=Event.Action.REMINDED if reminder else Event.Action.INVITED,
            actor=actor,
            mailbox=invitation.mailbox,
            domain_id=invitation.mailbox.domain_id,
            detail={"number": invitation.number, **detail},
        )
        for invitation in invitations
    )
    return Mailing.objects.bulk_create(
        Mailing(
            kind=kind,
            domain_id=invitation.mailbox.domain_id,
            mailbox=invitation.mailbox,
            first_login=invitation,
            recipient=route.recipient(invitation.mailbox),
            language=invitation.mailbox.mail_language,
            is_bulk=len(mailboxes) > 1,
        )
        for invitation in invitations
    )
