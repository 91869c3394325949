"""Old servers in the Django admin. Their passwords are written here and never shown."""


# Django's own classes take no parameters when the program runs.
# mypy: disable-error-code="type-arg"

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .addresses import InvalidAddress, domain_to_ascii
from .mailings import route
from .models import Source


class SourceForm(forms.ModelForm):
    """Where mail is handed in. A password belongs to one host and user: with another it is typed again."""

    new_password = forms.CharField(
        label=gettext_lazy("password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Is never shown. Empty: stays as it is. With another host or user, type it again."),
    )

    def clean_smtp_host(self) -> str:
        """A host name, in its xn-- form."""
        try:
            return domain_to_ascii(self.cleaned_data["smtp_host"].strip())
        except InvalidAddress:
            raise ValidationError(_("This is no host name, for example mail.kunde.example.")) from None

    def clean(self) -> dict[str, Any]:
        """A login needs TLS and a password."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("smtp_user"):
            if cleaned.get("new_password"):
                self.add_error("smtp_user", _("A password needs a user."))
            return cleaned
        if cleaned.get("security") == Source.Security.NONE:
            self.add_error("security", _("A password is offered over TLS only. Choose STARTTLS or TLS."))
        is_kept = self.instance.sealed_password and not {"smtp_host", "smtp_user"} & set(self.changed_data)
        if not cleaned.get("new_password") and not is_kept:
            self.add_error("new_password", _("Type the password that belongs to this host and user."))
        return cleaned


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    """Old servers of their own; domains that name none go to the one of the settings."""

    form = SourceForm
    fields = ("name", "smtp_host", "smtp_port", "security", "smtp_user", "new_password", "pace")
    list_display = ("name", "smtp_host", "smtp_port", "security", "pace")
    search_fields = ("name", "smtp_host")

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """Seal the password; the seal is bound to the row's number, which a new row only has once it is saved."""
        super().save_model(request, obj, form, change)
        password = form.cleaned_data.get("new_password")
        if password or not obj.smtp_user:
            route.seal_password(obj, password if obj.smtp_user else "")
            obj.save(update_fields=["sealed_password"])
