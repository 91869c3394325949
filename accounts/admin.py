"""Staff in the Django admin: who may do what, and who may still sign in. Passwords are not handled here."""

# ruff: noqa: ARG002 - Django decides what a method is given.
# Django's own classes take no parameters when the program runs.
# mypy: disable-error-code="type-arg"

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from migration.desk.access import actor
from migration.models import Event

from . import staff_sessions
from .models import User

# Roles take the place of groups, and the tables of allauth hold secrets nobody needs to look at.
for _model in (Group, EmailAddress, Authenticator):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class StaffForm(forms.ModelForm):
    """Name, role, and whether he may sign in."""

    signed_in: User | None = None

    def clean(self) -> dict[str, object]:
        """Nobody takes his own role or sign-in away: the last admin would lock everybody out."""
        cleaned: dict[str, object] = super().clean() or self.cleaned_data
        if self.signed_in == self.instance and {"role", "is_active"} & set(self.changed_data):
            raise ValidationError(_("You cannot change your own role or sign-in. Ask another admin."))
        return cleaned


@admin.register(User)
class StaffAdmin(admin.ModelAdmin):
    """Staff are added with `manage.py add_staff`, which sets the first password."""

    form = StaffForm
    fields = ("email", "name", "role", "is_active", "date_joined", "last_login")
    readonly_fields = ("email", "date_joined", "last_login")
    list_display = ("email", "name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")

    def get_form(self, request: HttpRequest, *args: object, **kwargs: object) -> type[forms.ModelForm]:
        """The form knows who is asking."""
        form = super().get_form(request, *args, **kwargs)  # type: ignore[arg-type]
        return type("StaffForm", (form,), {"signed_in": request.user})

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        """Write down what was changed. Who may not sign in any more is signed out at once."""
        super().save_model(request, obj, form, change)
        if not form.changed_data:
            return
        who, ip = actor(request), request.META["REMOTE_ADDR"]
        Event.record(
            Event.Action.STAFF_CHANGED,
            actor=who,
            ip=ip,
            staff=obj.email,
            fields=sorted(form.changed_data),
            role=obj.role,
            active=obj.is_active,
        )
        if not obj.is_active:
            staff_sessions.end_all(obj, why="sign-in closed", actor=who, ip=ip)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only on the command line."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody is deleted; "may sign in" is taken away."""
        return False
