"""The front door: who are you, and what will your new password be?"""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """App `accounts`: staff, owner sessions, the owner's pages."""

    name = "accounts"
    verbose_name = _("Staff")


class UmzugAdminConfig(AdminConfig):
    """Django's admin, behind the same sign-in as the staff desk."""

    default_site = "accounts.staff.StaffAdminSite"
