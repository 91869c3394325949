"""Old servers that mail is handed in at, and how fast."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.Model):
    """An old server of its own, for the domains that name it; all others go to the one of the settings.

    The password is sealed, is never shown, and is offered over TLS only.
    """

    class Security(models.TextChoices):
        """How the connection is protected."""

        NONE = "none", _("none: a private network only, and no login")
        STARTTLS = "starttls", "STARTTLS"
        TLS = "tls", _("TLS from the first byte")

    name = models.CharField(_("name"), max_length=80, unique=True)
    smtp_host = models.CharField(
        _("SMTP host"),
        max_length=253,
        help_text=_("The server itself. Never looked up by MX, which may point at the new server already."),
    )
    smtp_port = models.PositiveIntegerField(
        _("port"), default=25, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    security = models.CharField(_("TLS"), max_length=8, choices=Security, default=Security.STARTTLS)
    smtp_user = models.CharField(_("user"), max_length=254, blank=True, help_text=_("Empty: no login."))
    sealed_password = models.BinaryField(null=True, editable=False)
    pace = models.PositiveIntegerField(
        _("mails a minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("Empty: the number of the settings."),
    )

    class Meta:
        verbose_name = _("old server")
        verbose_name_plural = _("old servers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Pace(models.Model):
    """How far the mails of one way have used up their pace: one row a way, for all workers (`mailings.pace`)."""

    way = models.CharField(max_length=40, unique=True)
    free_at = models.DateTimeField(help_text="From then on the next mail may leave.")
    woken_until = models.DateTimeField(help_text="Until then a worker has promised to look after this way.")

    def __str__(self) -> str:
        return self.way
