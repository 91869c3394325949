"""Logins of owners: the newest ones on the old and on the new server, and when we last asked for them."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from .customers import Domain
from .mailboxes import Mailbox


class SourceLogin(models.Model):
    """The newest login on the old server that its log told of, with where it came from; kept for 30 days.

    `Mailbox.source_login_at` has the time alone and stays.
    """

    mailbox = models.OneToOneField(Mailbox, models.CASCADE, related_name="source_login", verbose_name=_("mailbox"))
    at = models.DateTimeField(_("time"), db_index=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True)
    protocol = models.CharField(_("protocol"), max_length=16, blank=True)

    class Meta:
        verbose_name = _("login on the old server")
        verbose_name_plural = _("logins on the old server")

    def __str__(self) -> str:
        return f"{self.mailbox_id} {self.at:%Y-%m-%d %H:%M}"


class TargetLogin(models.Model):
    """The newest logins on the new server by protocol, as mailcow tells them; null for never.

    IMAP and POP3 are somebody reading his mail. SMTP is kept apart: a scanner or a script may send for years.
    """

    mailbox = models.OneToOneField(Mailbox, models.CASCADE, related_name="target_login", verbose_name=_("mailbox"))
    imap_at = models.DateTimeField("IMAP", null=True)
    pop3_at = models.DateTimeField("POP3", null=True)
    smtp_at = models.DateTimeField("SMTP", null=True)

    class Meta:
        verbose_name = _("login on the new server")
        verbose_name_plural = _("logins on the new server")

    def __str__(self) -> str:
        return f"{self.mailbox_id}"

    @property
    def read_at(self) -> datetime | None:
        """The newest login of somebody reading his mail."""
        return max((at for at in (self.imap_at, self.pop3_at) if at), default=None)


class LoginPoll(models.Model):
    """When a domain's logins were last asked for, whether there was an answer or not."""

    domain = models.OneToOneField(Domain, models.CASCADE, related_name="login_poll", verbose_name=_("domain"))
    asked_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name = _("question for logins")
        verbose_name_plural = _("questions for logins")

    def __str__(self) -> str:
        return f"{self.domain_id} {self.asked_at}"
