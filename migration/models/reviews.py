"""The list the customer's contact checks before his mailboxes move, and what he answers to each line."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .customers import Customer, Domain
from .mailboxes import Alias, Mailbox


class Review(models.Model):
    """One list for the contact: some domains of a customer, a link with a code, and the answers.

    The code exists in clear only in the worker that mails it; `mac` is all we keep. `locator` stands in the mailed
    link: it finds the row and is no secret. Sending again mints a new code, and the earlier one is worthless.
    """

    CODE_LASTS = timedelta(days=30)

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="reviews", verbose_name=_("customer"))
    domains = models.ManyToManyField(Domain, related_name="reviews", verbose_name=_("domains"))
    locator = models.CharField(max_length=16, unique=True, editable=False)
    mac = models.BinaryField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    minted_at = models.DateTimeField(_("code minted"), null=True, editable=False)
    opened_at = models.DateTimeField(_("opened"), null=True, editable=False)
    submitted_at = models.DateTimeField(_("submitted"), null=True, editable=False)
    submitted_by = models.CharField(_("submitted by"), max_length=100, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("contact's list")
        verbose_name_plural = _("contacts' lists")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.customer_id} #{self.pk}"

    @property
    def expires_at(self) -> datetime | None:
        """When the newest mailed code ends; None while none was mailed."""
        return self.minted_at + self.CODE_LASTS if self.minted_at else None

    @property
    def is_open(self) -> bool:
        """Whether a mailed code opens it now: mailed, not too old, not revoked."""
        return self.revoked_at is None and self.expires_at is not None and timezone.now() < self.expires_at


class Answer(models.Model):
    """What the contact says about one mailbox or alias. It changes nothing: staff carry it out, or leave it.

    `detail` is what belongs to the choice: the address it becomes an alias of, the responsible person's address, the
    other person's name. What he typed is plain text; nothing in it is interpreted.
    """

    class Choice(models.TextChoices):
        """What shall become of it."""

        KEEP = "keep", _("keep it")
        DELETE = "delete", _("delete it")
        ALIAS = "alias", _("make it an alias of …")
        SHARED = "shared", _("several people use it; responsible: …")
        MACHINE = "machine", _("a device or program; responsible: …")
        PERSON = "person", _("another person: …")

    class Outcome(models.TextChoices):
        """What staff did with it."""

        APPLIED = "applied", _("carried out")
        LEFT = "left", _("not carried out")

    OF_AN_ALIAS = (Choice.KEEP, Choice.DELETE)
    LONGEST_NOTE = 300

    review = models.ForeignKey(Review, models.CASCADE, related_name="answers", verbose_name=_("contact's list"))
    mailbox = models.ForeignKey(Mailbox, models.CASCADE, null=True, related_name="answers", verbose_name=_("mailbox"))
    alias = models.ForeignKey(Alias, models.SET_NULL, null=True, related_name="answers", verbose_name=_("alias"))
    choice = models.CharField(_("answer"), max_length=10, choices=Choice)
    detail = models.CharField(_("address or name"), max_length=254, blank=True)
    note = models.CharField(_("note"), max_length=LONGEST_NOTE, blank=True)
    answered_at = models.DateTimeField(_("answered"), auto_now=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, editable=False)
    settled_by = models.CharField(_("settled by"), max_length=254, blank=True)

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "mailbox"], name="one_answer_per_mailbox"),
            models.UniqueConstraint(fields=["review", "alias"], name="one_answer_per_alias"),
            models.CheckConstraint(condition=Q(mailbox=None) | Q(alias=None), name="answer_to_one_line"),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id or self.alias_id}: {self.get_choice_display()}"

    @classmethod
    def is_waiting(cls, of: str = "") -> Q:
        """The condition for an answer that staff have to look at; `of` is the way there, such as "answers__".

        Handed in, not settled yet, and not a bare "keep it".
        """
        review = f"{of}review__"
        waits = Q(**{f"{of}settled_at": None, f"{review}submitted_at__isnull": False})
        return waits & ~Q(**{f"{of}choice": cls.Choice.KEEP, f"{of}note": ""})
