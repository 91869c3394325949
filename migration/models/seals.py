"""The chain over the audit trail: one seal an event, each over the one before, and how far it has come."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Seal(models.Model):
    """The seal of one event: what it said when it was sealed, so that a later change shows.

    `link` is the hash of the link before, of what is kept for good, and of five digests: of the whole address, its
    network, the mailbox, the actor and the detail. `mac` seals the link with a key of the ring; as each link covers all
    before it, a seal under today's key vouches for those under a key that is gone. Each digest is salted. What
    retention erases, it erases here too, with the salt: then the digest is noise, nobody can guess back what was there,
    and the chain still verifies. Numbers, no foreign keys: a seal outlives what it names.
    """

    number = models.BigIntegerField(primary_key=True, help_text="1, 2, 3 … in the order of sealing, without a gap.")
    event = models.BigIntegerField(unique=True)
    sealed_at = models.DateTimeField()
    domain = models.BigIntegerField(null=True)
    mailbox = models.BigIntegerField(null=True)
    digests = models.BinaryField(help_text="Five of 32 bytes each.")
    address_salt = models.BinaryField(null=True, help_text="Goes when the address is cut.")
    network_salt = models.BinaryField(null=True, help_text="Goes when the address is deleted.")
    salt = models.BinaryField(null=True, help_text="Goes when the event is anonymised.")
    link = models.BinaryField()
    mac = models.BinaryField()

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.event}"


class AuditHead(models.Model):
    """The one row of the chain's end; who seals holds it. What a check found last stands here too."""

    ONLY = 1

    number = models.BigIntegerField(default=0, help_text="The newest seal's; 0: nothing is sealed yet.")
    link = models.BinaryField(default=b"")
    sealed_at = models.DateTimeField(null=True)
    settled = models.BigIntegerField(
        default=0, help_text="Events up to this one are sealed; the daily run finds who came later than an hour."
    )
    told_at = models.DateTimeField(null=True, help_text="When the log last told the head.")
    verified_at = models.DateTimeField(null=True)
    verified = models.BigIntegerField(default=0, help_text="Up to which seal the last check came.")
    broken = models.CharField(max_length=200, blank=True, help_text="What the last check found; empty: all is well.")

    class Meta:
        verbose_name = _("end of the audit chain")
        verbose_name_plural = _("ends of the audit chain")

    def __str__(self) -> str:
        return str(self.number)
