"""Mailboxes, their states and the moves between them; aliases."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from migration.addresses import Address, parse

from .customers import Domain


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    """Reads about mailboxes."""

    def by_address(self, address: Address) -> "MailboxQuerySet":
        """The mailbox with this canonical address, if we have it, with its domain."""
        return self.filter(domain__name=address.domain, local_part=address.local_part).select_related(
            "domain__customer"
        )


class Mailbox(models.Model):
    """One `local part@domain` with storage that moves to the target."""

    class State(models.TextChoices):
        """How far a mailbox is. What can be derived (expired, not delivered, blocked) is no state."""

        IMPORTED = "imported", _("imported")
        INVITED = "invited", _("invited")
        SIGNED_IN = "signed_in", _("signed in")
        PASSWORD_SET = "password_set", _("password set")
        ACTIVE = "active", _("active on the new server")
        MOVED = "moved", _("seen on the new server")
        EXCLUDED = "excluded", _("excluded")

    class Kind(models.TextChoices):
        """Who reads the mailbox."""

        PERSONAL = "personal", _("one person")
        SHARED = "shared", _("several people")
        MACHINE = "machine", _("a machine")
        DORMANT = "dormant", _("one person, not seen for half a year")
        OUTSIDE = "outside", _("one person, forwards to outside")

    class KindReason(models.TextChoices):
        """Why we take a mailbox for one of this kind. Empty: nothing spoke against one person."""

        STATED = "stated", _("said by the import file")
        CORRECTED = "corrected", _("set by hand")
        SHARED_NAME = "shared_name", _("its name is one of several people")
        MACHINE_NAME = "machine_name", _("its name is one of a machine")
        NO_LOGIN = "no_login", _("no login on the old server for 180 days")
        FORWARDS = "forwards", _("forwards to another domain")

    DONE = (State.ACTIVE, State.MOVED)
    # Invited one by one only: nobody reads a dormant mailbox, and from one that forwards to outside the first-login
    # password would leave the house.
    ON_REQUEST = (Kind.DORMANT, Kind.OUTSIDE)

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="mailboxes", verbose_name=_("domain"))
    local_part = models.CharField(_("local part"), max_length=64)
    name = models.CharField(_("name"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PERSONAL)
    kind_reason = models.CharField(_("why of this kind"), max_length=12, choices=KindReason, blank=True, editable=False)
    responsible = models.EmailField(
        _("responsible person"),
        blank=True,
        help_text=_("For a shared or a machine's mailbox: who decides about it."),
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, blank=True)
    quota_mib = models.PositiveIntegerField(_("quota (MiB)"), null=True, blank=True)
    used_mib = models.PositiveIntegerField(_("used on the old server (MiB)"), null=True, blank=True)
    forwards = models.TextField(
        _("forwards to"), blank=True, help_text=_("On the old server. Addresses, separated by commas.")
    )
    source_login_at = models.DateTimeField(_("last login on the old server"), null=True, blank=True)
    legacy_hash = models.BinaryField(_("old hash, sealed"), null=True, editable=False)
    legacy_scheme = models.CharField(_("scheme of the old password"), max_length=40, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.IMPORTED, editable=False)
    version = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Number of the newest password; a push carries the one it was made for.",
    )
    epoch = models.PositiveIntegerField(default=0, editable=False, help_text="Raised to end all sessions of the owner.")
    created_at = models.DateTimeField(_("imported"), auto_now_add=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering = ["domain__name", "local_part"]
        constraints = [models.UniqueConstraint(fields=["domain", "local_part"], name="one_mailbox_per_address")]
        indexes = [
            models.Index(fields=["domain", "state"]),
            # For the search in all domains; parts of words have indexes of their own, see the schema migrations.
            models.Index(fields=["local_part"], opclasses=["varchar_pattern_ops"], name="mailbox_begins_with"),
        ]
        permissions = [("invite_mailbox", "Can invite and re-invite")]

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain.display_name}"

    @property
    def address(self) -> str:
        """The canonical address (domain in its xn-- form): what servers and mail programs want."""
        return f"{self.local_part}@{self.domain.name}"

    @property
    def mail_language(self) -> str:
        """The language of mails to the owner: the mailbox's own, else the customer's."""
        return self.language or self.domain.customer.language

    @property
    def worded_as(self) -> str:
        """The kind mails are worded for: a dormant mailbox and one that forwards are one person's."""
        return self.kind if self.kind in (self.Kind.SHARED, self.Kind.MACHINE) else self.Kind.PERSONAL

    @property
    def on_request(self) -> bool:
        """Left out when a whole domain is invited."""
        return self.kind in self.ON_REQUEST

    @property
    def outside(self) -> list[str]:
        """The targets in other domains it forwards to: mail that leaves the house."""
        return _outside(self.forwards, self.domain.name)

    @property
    def is_done(self) -> bool:
        """The password works on the target."""
        return self.state in self.DONE


class Alias(models.Model):
    """An address that delivers elsewhere and has no password. Local part `*` is the catch-all."""

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="aliases", verbose_name=_("domain"))
    local_part = models.CharField(_("local part"), max_length=64)
    goto = models.TextField(_("delivers to"), help_text=_("Addresses, separated by commas."))

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["domain__name", "local_part"]
        constraints = [models.UniqueConstraint(fields=["domain", "local_part"], name="one_alias_per_address")]
        indexes = [models.Index(fields=["local_part"], opclasses=["varchar_pattern_ops"], name="alias_begins_with")]

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain.display_name} → {self.goto}"

    @property
    def address(self) -> str:
        """The canonical address; `*@domain` for a catch-all."""
        return f"{self.local_part}@{self.domain.name}"

    @property
    def outside(self) -> list[str]:
        """The targets in other domains: mail that leaves the house."""
        return _outside(self.goto, self.domain.name)


def _outside(targets: str, domain: str) -> list[str]:
    return [to for to in targets.split(",") if to and parse(to).domain != domain]
