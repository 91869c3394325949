"""The push outbox: one row is one delivery of one password to mailcow."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .mailboxes import Mailbox


class Target(models.Model):
    """A mailcow and its breaker. Its row is locked by a claim, which makes "at most N writes in flight" exact."""

    name = models.CharField(max_length=40, unique=True)
    breaker_opened_at = models.DateTimeField(_("breaker opened"), null=True, blank=True)
    breaker_reason = models.CharField(_("reason"), max_length=40, blank=True)
    probe_after = models.DateTimeField(
        _("next try"),
        null=True,
        editable=False,
        help_text="Half-open: after this one push may be tried. Empty: as many as are allowed.",
    )

    class Meta:
        verbose_name = _("new server")
        verbose_name_plural = _("new servers")

    def __str__(self) -> str:
        return self.name


class Push(models.Model):
    """One delivery. `payload` is the sealed hash; it is blanked when the push is delivered or superseded.

    Only a delivered push that is still watched (`migration.settling`) keeps it: its state is `settling`, and
    `confirmed_update` says what mailcow told when it was delivered.
    """

    class State(models.TextChoices):
        """Where the row is in the outbox."""

        QUEUED = "queued", _("queued")
        IN_FLIGHT = "in_flight", _("in flight")
        WAITING = "waiting", _("will be tried again")
        BLOCKED = "blocked", _("needs attention")
        SETTLING = "settling", _("delivered, still watched")
        DELIVERED = "delivered", _("delivered")
        SUPERSEDED = "superseded", _("superseded by a newer one")

    OPEN = (State.QUEUED, State.WAITING, State.BLOCKED)
    # What a worker takes by itself once its time has come, to deliver or to look after.
    DUE = (State.QUEUED, State.WAITING, State.SETTLING)
    DONE = (State.SETTLING, State.DELIVERED)

    class Reason(models.TextChoices):
        """Why a push waits or is blocked: the codes of `mailcow.errors.Reason` and two of our own.

        The label is what support reads. mailcow's own text is never shown: it could say anything.
        """

        TIMEOUT = "timeout", _("The new server took too long. It is tried again by itself.")
        UNREACHABLE = "unreachable", _("The new server cannot be reached. It is tried again by itself.")
        CONNECTION_LOST = "connection_lost", _("The connection broke off. It is tried again by itself.")
        EMPTY = "empty", _("The new server gave an empty answer. It is tried again by itself.")
        NOT_JSON = "not_json", _("The new server gave an unreadable answer. It is tried again by itself.")
        TOO_LARGE = "too_large", _("The new server gave an oversized answer. It is tried again by itself.")
        UNEXPECTED = "unexpected", _("The new server answered something else. It is tried again by itself.")
        SERVER_ERROR = (
            "server_error",
            _("The new server has an error of its own. It is tried again by itself."),
        )
        BUSY = "busy", _("The new server is busy. It is tried again by itself.")
        DATABASE = "database", _("The new server's database was busy. It is tried again by itself.")
        CRASH = "crash", _("The new server stumbled. It is tried again by itself.")
        MISSING = "missing", _("The mailbox does not exist on the new server yet. Create it there.")
        QUOTA = (
            "quota",
            _("The quota of the mailbox or its domain on the new server is exceeded. Raise it there."),
        )
        POLICY = "policy", _("The new server's own password rules refused the password. Check them there.")
        MISMATCH = "mismatch", _("The new server found two different passwords. Ask the operator.")
        ADDRESS = "address", _("The new server does not take this address. Ask the operator.")
        AUTHSOURCE = (
            "authsource",
            _("The new server takes this mailbox's password from elsewhere (LDAP, Keycloak)."),
        )
        NOT_STORED = "not_stored", _("The new server said yes but stored nothing. Ask the operator.")
        READ_BACK = (
            "read_back",
            _("The new server does not tell when the password changed. Ask the operator."),
        )
        OTHER_ADDRESS = "other_address", _("The new server answered about another mailbox. Ask the operator.")
        REJECTED = "rejected", _("The new server refused for a reason we do not know. Ask the operator.")
        KEY = "key", _("The new server refuses our key. All transfers have stopped; ask the operator.")
        NETWORK = (
            "network",
            _("The new server refuses our address. All transfers have stopped; ask the operator."),
        )
        READ_ONLY = "read_only", _("Our key may only read. All transfers have stopped; ask the operator.")
        FORBIDDEN = (
            "forbidden",
            _("The new server forbids the request. All transfers have stopped; ask the operator."),
        )
        REDIRECTED = (
            "redirected",
            _("The new server sends us elsewhere. All transfers have stopped; ask the operator."),
        )
        TLS = (
            "tls",
            _("The new server's certificate is not valid. All transfers have stopped; ask the operator."),
        )
        BAD_REQUEST = "bad_request", _("The new server calls our request broken. All transfers have stopped.")
        NO_ROUTE = (
            "no_route",
            _("There is no mailcow at the address of the settings. All transfers have stopped."),
        )
        UNREADABLE = "unreadable", _("The saved password cannot be read with our keys. Ask the operator.")
        OVERTAKEN = (
            "overtaken",
            _("It comes from a backup, and the mailbox has a newer password. If the owner cannot sign in, reopen."),
        )

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="pushes", verbose_name=_("mailbox"))
    version = models.PositiveIntegerField(_("version"))
    submission = models.UUIDField(
        unique=True,
        default=uuid.uuid4,
        editable=False,
        help_text="Which sending of the form; a resend finds its row.",
    )
    kept_old = models.BooleanField(_("old password kept"), default=False)
    payload = models.BinaryField(null=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason, blank=True)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    lease = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("saved"), auto_now_add=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, editable=False)
    write_open_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the last write began that is not known to have ended; mailcow may still carry it out.",
    )
    confirmed_update = models.CharField(
        max_length=19,
        blank=True,
        editable=False,
        help_text="While watched: `passwd_update` as read back after the delivery.",
    )
    from_backup = models.BooleanField(
        default=False,
        editable=False,
        help_text="Open in a backup that was restored: compared with mailcow before it is written.",
    )

    is_probe = False
    """Set by the claim while the breaker is half-open: how this push fares decides about the others."""

    class Meta:
        verbose_name = _("push")
        verbose_name_plural = _("pushes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "version"], name="one_push_per_version"),
            models.UniqueConstraint(
                fields=["mailbox"],
                condition=Q(state__in=["queued", "waiting", "blocked"]),
                name="one_open_push",
            ),
            models.UniqueConstraint(fields=["mailbox"], condition=Q(state="in_flight"), name="one_push_in_flight"),
            models.CheckConstraint(
                condition=~Q(state__in=["delivered", "superseded"]) | Q(payload__isnull=True),
                name="settled_push_is_blank",
            ),
            models.CheckConstraint(
                condition=~Q(state="settling") | (Q(payload__isnull=False) & ~Q(confirmed_update="")),
                name="watched_push_can_be_repeated",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=["queued", "waiting", "settling"]), name="push_due")
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id} v{self.version}"

    @property
    def is_delivered(self) -> bool:
        """The password is on mailcow: it was read back, and nothing is known to have overwritten it since."""
        return self.state in self.DONE or bool(self.confirmed_update)

    @property
    def sealed_for(self) -> str:
        """What the payload's seal is bound to: it opens for no other mailbox and no other version."""
        return f"{self.mailbox_id}:{self.version}"
