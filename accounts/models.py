"""Staff. A mailbox owner is not a Django user; he has a session of his own (`accounts.owners`)."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from .attempts import Attempts

__all__ = ["Attempts", "StaffSession", "User"]


class UserManager(BaseUserManager["User"]):
    """Makes staff; `createsuperuser` and `add_staff` are the only callers."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Save a member of staff. Without a password the sign-in stays closed until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Save an admin, as Django's `createsuperuser` asks for it."""
        fields.setdefault("role", User.Role.ADMIN)
        return self.create_user(email, password, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by address, in any case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A member of the provider's staff. What he may do follows from his role alone."""

    class Role(models.TextChoices):
        """Who may do what; `accounts.roles` is the table, `accounts.staff.RoleBackend` turns it into permissions."""

        READONLY = "readonly", _("read only")
        SUPPORT = "support", _("support")
        OPERATOR = "operator", _("operator")
        ADMIN = "admin", _("admin")

    email = models.EmailField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.SUPPORT)
    is_active = models.BooleanField(_("may sign in"), default=True)
    date_joined = models.DateTimeField(_("since"), auto_now_add=True)
    # Set with a password from the command line, and gone with the second factor: until then the password is all.
    first_password_until = models.DateTimeField(_("first password valid until"), null=True, blank=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        ordering = ["email"]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """May open the Django admin."""
        return self.role == self.Role.ADMIN

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """What the role says. A superuser flag in the table opens nothing: nothing of ours sets one."""
        return perm in self.get_all_permissions(obj)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the role may do anything in an app."""
        return any(name.startswith(f"{app_label}.") for name in self.get_all_permissions())


class StaffSession(models.Model):
    """One sign-in of a member of staff that lasts: what he and an admin see of it, and the key to end it by.

    The session itself is Django's row of that key. This one names the browser in words and the network only.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="sessions", verbose_name=_("member of staff"))
    session_key = models.CharField(max_length=40, unique=True)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"))
    browser = models.CharField(_("browser"), max_length=60, blank=True)
    network = models.GenericIPAddressField(_("network"), null=True)

    class Meta:
        verbose_name = _("session of staff")
        verbose_name_plural = _("sessions of staff")
        ordering = ["-seen_at"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user}: {self.browser}"
