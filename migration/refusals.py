"""Why a verb was refused, in words for the person who asked for it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "wrong_state": _("This is not possible in the state the mailbox is in."),
    "not_announced": _(
        "The customer's contact has not been told yet. Send the pre-announcement first, or type a reason."
    ),
    "paused": _("The domain is paused. Resume it first."),
    "too_soon": _("The last invitation is less than ten minutes old. Wait until it has arrived."),
    "too_many": _(
        "Three further invitations went out within a day. See first why none arrives, or give a code by phone."
    ),
    "no_recipient": _("A machine's mailbox needs a responsible person or a customer's contact to write to."),
    "no_reason": _("Please type a reason; it is recorded."),
    "nothing_to_retry": _("There is no transfer to start again."),
    "handed_over": _("The mailbox has been handed over: its password is changed on the new server now."),
    "no_answer": _("Please type what was done; it is kept with the case."),
    "no_note": _("Please type a note."),
    "note_with_secret": _("This looks like a password or a hash. A note is no place for one: only its owner has it."),
    "follow_up_over": _("This day is over. Choose today or a later one."),
    "followed_up": _("Somebody else has followed this up already."),
    "no_ban": _("There is no such ban any more."),
    "banned_for_good": _("This network is on the new server's denylist. An operator takes it off there."),
    "ban_is_lifted": _("This ban is being lifted already."),
    "not_checked": _("Let the new server be checked first: the findings are to be read before anything is made."),
    "must_be_mended": _("Something must be mended first; see the findings. Then let it be checked again."),
    "no_domain": _("Choose at least one domain."),
    "review_there": _("One of these domains is on a list with the contact already. Take that one back first."),
    "review_revoked": _("This list was taken back. Send a new one."),
    "review_on_its_way": _("A mail with a code is on its way already."),
    "review_begun": _("We have begun to carry your answers out. Please call us for changes."),
    "submitted": _("The answers are handed in. Take them back first to change something."),
    "not_submitted": _("The answers are not handed in."),
    "no_name": _("Please type your name."),
    "contradictions": _("Some answers contradict each other; see above."),
    "answer_settled": _("This answer was decided already, or the contact has taken it back."),
    "pointed_at": _("Other addresses still send their mail on to this one. See which, then say that it shall go."),
    "alias_target": _("The mailbox it shall deliver to is not there or does not move."),
    "alias_there": _("There is an alias of this address already."),
    "alias_made": _("The alias is being made or was made on the new server. Delete it there, then leave this answer."),
    "all_paused": _("The whole move is paused. Resume it first."),
    "ended": _("The move of this domain is finished."),
    "on_request": _("This mailbox is written to on request only. Invite it again if its owner asks."),
    "written_lately": _("The last mail is less than a day old. Give the owner time to read it."),
    "too_few_done": _("Too few mailboxes are done for the cut-over. Wait, or type a reason; it is recorded."),
    "dns_conflict": _(
        "The name servers lead mail or mail programs elsewhere, as of the last check. Mend it and ask again, or type a "
        "reason; it is recorded."
    ),
    "dns_not_asked": _("The name servers have not been asked yet. Ask now, and wait for the answer."),
    "dns_nothing_to_change": _("There is nothing to change, so there is nothing to mail."),
    "dns_no_recipient": _("Nobody is known to write to. Enter who runs the DNS, or the customer's contact."),
    "dns_mail_on_its_way": _("This mail is on its way already."),
    "cut_over_already": _("The cut-over is marked already, or the move is finished."),
    "not_cut_over": _("The cut-over is not marked."),
    "pushes_open": _("Passwords are still on their way to the new server. Wait, or look at those that need attention."),
    "still_open": _("Mailboxes are still open. Type a reason if the move shall end all the same."),
    "unfit_wording": _("This wording cannot be used: something is missing in it or not allowed."),
    "worded_meanwhile": _("Somebody else has changed this wording meanwhile. Look at his version, then change it."),
    "no_domain_of_customer": _("The customer has no domain yet, so there is no way to send the trial mail."),
    "not_begun": _("The customer's contact has not been told yet. An admin sends the pre-announcement first."),
    "code_shown": _("Another code was given meanwhile. If it was not you who got it, ask here for a new one."),
    "no_postal_address": _("The customer has no postal address. An admin enters it in the administration."),
    "printed_meanwhile": _("Letters of this domain were printed meanwhile. Look at the numbers again, then print."),
    "nobody_to_print": _("There is nobody to print a letter for."),
    "case_closed": _("Somebody else has closed this case already."),
    "bulk_open": _("The same is being done to mailboxes of this domain already. Wait until it has ended."),
    "gone": _("The mailbox is not there any more."),
    "same_kind": _("It was of this kind already."),
    "more_meanwhile": _("There are more than you have seen by now. Look at the numbers again, then say yes."),
}


class VerbRefused(Exception):
    """A verb could not be carried out; nothing was changed. `code` is a key of SENTENCES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return str(SENTENCES[self.code])
