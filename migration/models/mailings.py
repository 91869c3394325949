"""The mail outbox: the row is the job."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now, StrIndex, Substr
from django.utils.translation import gettext_lazy as _

from .customers import Domain
from .first_login import FirstLogin
from .mailboxes import Mailbox
from .reviews import Review
from .wordings import Wording


class Mailing(models.Model):
    """One mail to one recipient, queued, in the hands of a worker, or settled.

    What the mail says is composed when it is sent; only an announcement, which people may have edited,
    and what is to change in the DNS, as it was at that moment, keep their text.
    """

    class Kind(models.TextChoices):
        """Which mail it is; the templates carry the same name."""

        INVITATION = "invitation", _("invitation")
        ANNOUNCEMENT = "announcement", _("pre-announcement")
        PASSWORD_SAVED = "password_saved", _("notice: new password saved")
        PASSWORD_ACTIVE = "password_active", _("notice: new password active")
        REMINDER = "reminder", _("reminder")
        REVIEW = "review", _("list for the contact to check")
        SUMMARY = "summary", _("weekly summary for the contact")
        DNS = "dns", _("what to change in the DNS")
        TEST = "test", _("trial mail")

    class State(models.TextChoices):
        """Where the row is in the outbox."""

        QUEUED = "queued", _("queued")
        SENDING = "sending", _("being sent")
        WAITING = "waiting", _("will be tried again")
        SENT = "sent", _("accepted by the server")
        FAILED = "failed", _("not accepted")
        UNCLEAR = "unclear", _("unclear: connection lost at the end")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.QUEUED, State.WAITING)
    # Each brings its owner a first-login password.
    WITH_SECRET = (Kind.INVITATION, Kind.REMINDER)
    BULK = (Kind.REMINDER, Kind.SUMMARY)
    """Kinds nobody waits for; of invitations, those of a whole domain are so too."""

    kind = models.CharField(_("mail"), max_length=16, choices=Kind)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="mailings", verbose_name=_("domain"))
    mailbox = models.ForeignKey(Mailbox, models.CASCADE, null=True, related_name="mailings", verbose_name=_("mailbox"))
    first_login = models.OneToOneField(FirstLogin, models.CASCADE, null=True, related_name="mailing")
    review = models.ForeignKey(
        Review, models.SET_NULL, null=True, related_name="mailings", verbose_name=_("contact's list")
    )
    recipient = models.CharField(_("to"), max_length=320)
    # Tells which way the mail goes; a mail may be about one domain and go to an address in another.
    to_domain = models.GeneratedField(
        expression=Lower(Substr("recipient", StrIndex("recipient", models.Value("@")) + 1)),
        output_field=models.CharField(max_length=320),
        db_persist=True,
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"), blank=True)
    # Written when the mail goes out; none for the provider's standard.
    wording = models.ForeignKey(Wording, models.SET_NULL, null=True, editable=False, related_name="mailings")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    is_bulk = models.BooleanField(default=False, editable=False, help_text="Nobody waits for it: others leave first.")
    due_at = models.DateTimeField(_("due"), db_default=Now())
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    lease = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    error = models.CharField(_("answer of the server"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, editable=False)
    plain_sender = models.BooleanField(
        default=False, editable=False, help_text="Its bounces name it without a MAC: it is of before those had one."
    )
    bounced_at = models.DateTimeField(_("came back"), null=True, editable=False)
    delayed_at = models.DateTimeField(_("told to be delayed"), null=True, editable=False)
    bounce_code = models.CharField(_("status of the report"), max_length=11, blank=True, editable=False)
    bounce_text = models.CharField(_("words of the report"), max_length=300, blank=True, editable=False)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state__in=["queued", "waiting"]), name="mailing_due"),
            models.Index(fields=["mailbox", "kind"]),
            # What was announced to the contact of a domain, and when its first owner was invited.
            models.Index(fields=["domain", "kind", "created_at"], name="mailing_of_domain"),
            # Which domains were announced: the list of all of them asks for it.
            models.Index(
                fields=["domain"], condition=models.Q(kind="announcement", state="sent"), name="mailing_announced"
            ),
            # What is counted anew for a domain's number of invitations that did not arrive.
            models.Index(
                fields=["domain"],
                condition=models.Q(kind__in=["invitation", "reminder"])
                & (models.Q(state__in=["failed", "unclear"]) | models.Q(bounced_at__isnull=False)),
                name="mailing_undelivered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} → {self.recipient}"
