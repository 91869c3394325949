"""Customers of the provider and the mail domains they move."""

import unicodedata
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from migration.addresses import domain_to_unicode

from .sources import Source

# What the address window of a letter holds, DIN 5008: six lines, of which name and customer take two.
ADDRESS_LINES = 4
ADDRESS_LINE_CHARACTERS = 60


def fits_a_window(postal_address: str) -> None:
    """Raise ValidationError for an address that a letter's window cannot show."""
    lines = postal_address.strip().splitlines()
    if len(lines) > ADDRESS_LINES:
        raise ValidationError(
            _("Please write at most %(number)d lines."), params={"number": ADDRESS_LINES}, code="too_many_lines"
        )
    for number, line in enumerate(lines, start=1):
        if len(line) > ADDRESS_LINE_CHARACTERS:
            raise ValidationError(
                _("Line %(line)d is longer than %(number)d characters."),
                params={"line": number, "number": ADDRESS_LINE_CHARACTERS},
                code="long_line",
            )


def folded(text: str) -> str:
    """The text as it is looked for and sorted: small letters without accents, so müller stands beside muller."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


class FoldedField(models.TextField):  # type: ignore[type-arg]
    """What the row is called, folded; written with every save of the whole row, for no database folds as people do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: ARG002 - Django's signature
        """The name of the row, folded."""
        value = folded(str(model_instance))
        setattr(model_instance, self.attname, value)
        return value


class Customer(models.Model):
    """Who the domains belong to, and whom we tell before anything happens."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    contact_name = models.CharField(_("contact"), max_length=200, blank=True)
    contact_email = models.EmailField(
        _("contact's address"),
        help_text=_("The pre-announcement goes here, and mail for machines' mailboxes."),
    )
    postal_address = models.TextField(
        _("postal address"),
        blank=True,
        max_length=250,
        validators=[fits_a_window],
        help_text=_("For letters to its owners: street, postal code and town, country; at most four lines."),
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="de")
    folded = FoldedField()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Domain(models.Model):
    """One hosted mail domain; it moves as a whole."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="domains", verbose_name=_("customer"))
    name = models.CharField(
        _("domain"), max_length=253, unique=True, help_text=_("With umlauts or not; kept as the xn-- form.")
    )
    source = models.ForeignKey(
        Source,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="domains",
        verbose_name=_("old server for mail to its mailboxes"),
        help_text=_("Empty: the one of the settings."),
    )
    deadline = models.DateField(
        _("deadline"),
        null=True,
        blank=True,
        help_text=_("The last day for setting the new password, shown in mails."),
    )
    announce_on = models.DateField(_("announce on"), null=True, blank=True, editable=False)
    invite_on = models.DateField(_("invite on"), null=True, blank=True, editable=False)
    remind_days = models.JSONField(
        _("reminders"),
        null=True,
        editable=False,
        help_text="Days before the deadline, as a list of numbers; null: those of the settings.",
    )
    cut_over_on = models.DateField(_("cut-over on"), null=True, blank=True, editable=False)
    ends_on = models.DateField(_("ends on"), null=True, blank=True, editable=False)
    planned_at = models.DateTimeField(_("plan changed"), null=True, editable=False)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True, editable=False)
    paused_by = models.CharField(_("paused by"), max_length=254, blank=True, editable=False)
    paused_reason = models.CharField(_("why paused"), max_length=300, blank=True, editable=False)
    cut_over_at = models.DateTimeField(_("cut over"), null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    folded = FoldedField()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name as people write it: with umlauts."""
        return domain_to_unicode(self.name)

    @property
    def announced_at(self) -> datetime | None:
        """When the contact's server accepted the newest pre-announcement; None if it never did, or it came back."""
        sent = self.mailings.filter(kind="announcement", state="sent", bounced_at=None)
        return sent.order_by("-sent_at").values_list("sent_at", flat=True).first()
