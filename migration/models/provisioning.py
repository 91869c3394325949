"""Making a domain on mailcow: the check before it, and one row for each object to be there."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from migration.findings import Finding, words_for

from .customers import Domain
from .mailboxes import Alias, Mailbox
from .pushes import Push


def why_no_call(reason: str) -> str:
    """Why a call to mailcow brought nothing, in words."""
    return str(dict(Push.Reason.choices).get(reason, reason))


class Provisioning(models.Model):
    """How far a domain is: asked to be checked, checked, begun, finished.

    Only a worker has mailcow's key, so the pages show what a worker found: `findings` as `Finding.kept` gives them,
    `to_make` how many objects of each kind were missing then.
    """

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="provisioning", verbose_name=_("domain"))
    check_due_at = models.DateTimeField(null=True, help_text="Since when somebody waits for a check.")
    checked_at = models.DateTimeField(_("checked"), null=True)
    problem = models.CharField(max_length=20, blank=True, help_text="Why the newest check brought nothing.")
    findings = models.JSONField(default=list)
    to_make = models.JSONField(default=dict)
    started_at = models.DateTimeField(_("started"), null=True)
    started_by = models.CharField(_("started by"), max_length=254, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("making on the new server")
        verbose_name_plural = _("making on the new server")

    def __str__(self) -> str:
        return f"{self.domain_id}"

    @property
    def found(self) -> list[Finding]:
        """The findings of the newest check, the worst first."""
        return [Finding.of(kept) for kept in self.findings]

    @property
    def why(self) -> str:
        """The problem of the newest check in words; empty when there was none."""
        return why_no_call(self.problem)


class ProvisionedObject(models.Model):
    """One domain, mailbox or alias that is to be on mailcow. The row is the job.

    What is there already is never changed: it is `there`, or `differs` with what differs as the reason.
    """

    class Kind(models.TextChoices):
        """What it is; `mailbox` or `alias` names the row it is made from, neither is the domain itself."""

        DOMAIN = "domain", _("domain")
        MAILBOX = "mailbox", _("mailbox")
        ALIAS = "alias", _("alias")

    class State(models.TextChoices):
        """How far it is."""

        QUEUED = "queued", _("queued")
        IN_FLIGHT = "in_flight", _("in flight")
        WAITING = "waiting", _("will be tried again")
        BLOCKED = "blocked", _("needs attention")
        MADE = "made", _("made")
        THERE = "there", _("was there already")
        DIFFERS = "differs", _("there, but different")

    OPEN = (State.QUEUED, State.WAITING)
    DONE = (State.MADE, State.THERE, State.DIFFERS)

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="provisioned", verbose_name=_("domain"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    mailbox = models.OneToOneField(Mailbox, models.CASCADE, null=True, related_name="provisioned")
    alias = models.OneToOneField(Alias, models.CASCADE, null=True, related_name="provisioned")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(_("reason"), max_length=32, blank=True)
    detail = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    lease = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    written_at = models.DateTimeField(
        null=True, help_text="When we first tried to make it; what is found afterwards counts as made by us."
    )
    settled_at = models.DateTimeField(_("settled"), null=True)

    is_probe = False
    """Set by the claim while the breaker is half-open."""

    class Meta:
        verbose_name = _("object on the new server")
        verbose_name_plural = _("objects on the new server")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["domain"], condition=Q(kind="domain"), name="one_object_for_the_domain"),
            models.CheckConstraint(
                condition=Q(kind="domain", mailbox=None, alias=None)
                | Q(kind="mailbox", mailbox__isnull=False, alias=None)
                | Q(kind="alias", mailbox=None, alias__isnull=False),
                name="object_is_what_its_kind_says",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["queued", "waiting"]), name="object_due"),
            models.Index(fields=["domain", "state"]),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """Its canonical name on mailcow."""
        return self.mailbox.address if self.mailbox else self.alias.address if self.alias else self.domain.name

    @property
    def why(self) -> str:
        """The reason in words; empty when there is none."""
        return words_for(self.reason, self.detail) or why_no_call(self.reason)
