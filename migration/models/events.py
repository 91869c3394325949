"""The audit trail: who did what to which mailbox or domain, and when."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from migration.inserts import insert

from .customers import Domain
from .mailboxes import Mailbox

# Who and what most events are, by what owners and workers do. The text is part of two indexes.
FREQUENT_ACTORS = ("owner", "worker", "clock")
FREQUENT_ACTIONS = (
    "imported",
    "invited",
    "mail_sent",
    "signed_in",
    "sign_in_failed",
    "password_refused",
    "password_set",
    "push_delivered",
    "push_waiting",
    "active",
    "moved",
)


class Event(models.Model):
    """One thing that happened. Written beside the change it tells of, in the same transaction; never changed.

    The actor is text, not a foreign key: the line must outlive the user. `detail` holds codes and numbers, no secret.
    """

    class Action(models.TextChoices):
        """What can happen. The label is what the timeline shows."""

        IMPORTED = "imported", _("imported")
        UPDATED = "updated", _("changed by an import")
        KIND_SET = "kind_set", _("kind set by hand")
        ANNOUNCED = "announced", _("announced to the contact")
        INVITED = "invited", _("invited")
        MAIL_SENT = "mail_sent", _("mail accepted by the server")
        MAIL_FAILED = "mail_failed", _("mail not accepted")
        MAIL_UNCLEAR = "mail_unclear", _("mail: unclear whether accepted")
        BOUNCED = "bounced", _("mail came back")
        REMINDED = "reminded", _("reminded")
        CODE_GIVEN = "code_given", _("phone code given")
        LETTER_PRINTED = "letter_printed", _("letter printed")
        WORDING_CHANGED = "wording_changed", _("wording of a mail changed")
        PLAN_CHANGED = "plan_changed", _("plan changed")
        CUT_OVER = "cut_over", _("cut over")
        CUT_OVER_UNDONE = "cut_over_undone", _("cut-over taken back")
        FINISHED = "finished", _("move finished")
        REVIEW_SENT = "review_sent", _("list sent to the contact")
        REVIEW_OPENED = "review_opened", _("contact's page opened")
        REVIEW_REVOKED = "review_revoked", _("link to the contact's page revoked")
        REVIEW_SUBMITTED = "review_submitted", _("contact's answers submitted")
        REVIEW_REOPENED = "review_reopened", _("contact's answers taken back")
        REVIEW_APPLIED = "review_applied", _("answer of the contact applied")
        SIGNED_IN = "signed_in", _("signed in")
        SIGN_IN_FAILED = "sign_in_failed", _("sign-in failed")
        SIGN_IN_REFUSED = "sign_in_refused", _("sign-in refused: too many tries")
        REPLACED = "replaced", _("first-login password replaced after many wrong tries")
        FOREIGN_MAILBOX = "foreign_mailbox", _("a form named another mailbox; ignored")
        PASSWORD_REFUSED = "password_refused", _("new password refused by the rules")
        PASSWORD_SET = "password_set", _("new password saved")
        PUSH_DELIVERED = "push_delivered", _("password accepted by the new server")
        PUSH_WAITING = "push_waiting", _("transfer will be repeated")
        PUSH_BLOCKED = "push_blocked", _("transfer needs attention")
        PUSH_RETRIED = "push_retried", _("transfer started again")
        SETTLE_REPUSH = "settle_repush", _("changed on the new server after the transfer: transferred again")
        ACTIVE = "active", _("active on the new server")
        MOVED = "moved", _("seen on the new server")
        CASE_OPENED = "case_opened", _("the owner says")
        CASE_CLOSED = "case_closed", _("case closed")
        REOPENED = "reopened", _("reopened")
        EXCLUDED = "excluded", _("excluded")
        INCLUDED = "included", _("included again")
        REVOKED = "revoked", _("first-login password revoked")
        PAUSED = "paused", _("paused")
        RESUMED = "resumed", _("resumed")
        BREAKER_OPENED = "breaker_opened", _("transfers stopped: the new server refuses us")
        BREAKER_HALF_OPENED = (
            "breaker_half_opened",
            _("transfers slowed down: the new server often gives no clear answer"),
        )
        BREAKER_CLOSED = "breaker_closed", _("transfers allowed again")
        PROVISION_STARTED = "provision_started", _("making on the new server begun")
        MADE_THERE = "made_there", _("made on the new server")
        PROVISIONED = "provisioned", _("making on the new server ended")
        BAN_LIFTED = "ban_lifted", _("ban on the new server lifted")
        RESTORED = "restored", _("pushes and mails stopped: the database is older")
        RESTORE_CONFIRMED = "restore_confirmed", _("restored database confirmed")
        NOTED = "noted", _("note written")
        FOLLOWED_UP = "followed_up", _("follow-up done")
        EXPORTED = "exported", _("list taken out as a file")
        DNS_CHECKED = "dns_checked", _("name servers asked")
        BULK_STARTED = "bulk_started", _("verb on several mailboxes begun")
        TOKEN_MADE = "token_made", _("token for the API made")
        TOKEN_REVOKED = "token_revoked", _("token for the API revoked")
        STAFF_ADDED = "staff_added", _("member of staff added")
        STAFF_CHANGED = "staff_changed", _("member of staff changed")
        STAFF_SIGNED_IN = "staff_signed_in", _("member of staff signed in")
        STAFF_SIGN_IN_FAILED = "staff_sign_in_failed", _("sign-in of staff failed")
        STAFF_SIGNED_OUT = "staff_signed_out", _("session of staff ended")
        FACTOR_CHANGED = "factor_changed", _("second factor changed")
        KEYS_ROTATED = "keys_rotated", _("sealed anew with the first key")
        RETENTION_RUN = "retention_run", _("erased what was due")

    at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)
    actor = models.CharField(_("who"), max_length=254, help_text="owner, worker, clock, staff:…, command:…")
    action = models.CharField(_("event"), max_length=20, choices=Action)
    domain = models.ForeignKey(Domain, models.SET_NULL, null=True, related_name="events", verbose_name=_("domain"))
    mailbox = models.ForeignKey(Mailbox, models.SET_NULL, null=True, related_name="events", verbose_name=_("mailbox"))
    ip = models.GenericIPAddressField(_("IP address"), null=True)
    detail = models.JSONField(_("detail"), default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]
        # For the audit page: what is frequent is found soon by going backwards, so only the rare needs an index, and
        # what an owner's visit writes touches neither.
        indexes = [
            models.Index(fields=["actor", "-id"], name="event_by_staff", condition=~Q(actor__in=FREQUENT_ACTORS)),
            models.Index(fields=["action", "-id"], name="event_rare", condition=~Q(action__in=FREQUENT_ACTIONS)),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor}: {self.get_action_display()}"

    @classmethod
    def record(
        cls,
        action: "Event.Action",
        *,
        actor: str,
        mailbox: Mailbox | None = None,
        domain: Domain | None = None,
        ip: str | None = None,
        **detail: object,
    ) -> "Event":
        """Write one line. A mailbox brings its domain along."""
        domain_id = mailbox.domain_id if mailbox else domain.pk if domain else None
        mailbox_id = mailbox.pk if mailbox else None
        event = cls(
            action=action,
            actor=actor,
            mailbox_id=mailbox_id,
            domain_id=domain_id,
            ip=ip or None,
            detail=detail,
        )
        insert(event)
        return event
