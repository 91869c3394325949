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

    DONE = (State.ACTIVE, State.MOVED)

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="mailboxes", verbose_name=_("domain"))
    local_part = models.CharField(_("local part"), max_length=64)
    name = models.CharField(_("name"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PERSONAL)
    responsible = models.EmailField(
        _("responsible person"),
        blank=True,
        help_text=_("For a shared or a machine's mailbox: who decides about it."),
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, blank=True)
    quota_mib = models.PositiveIntegerField(_("quota (MiB)"), null=True, blank=True)
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
        indexes = [models.Index(fields=["domain", "state"])]
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

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain.display_name} → {self.goto}"

    @property
    def address(self) -> str:
        """The canonical address; `*@domain` for a catch-all."""
        return f"{self.local_part}@{self.domain.name}"

    @property
    def outside(self) -> list[str]:
        """The targets in other domains: mail that leaves the house."""
        return [to for to in self.goto.split(",") if parse(to).domain != self.domain.name]
