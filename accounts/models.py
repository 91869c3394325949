"""Staff. A mailbox owner is not a Django user; he has a session of his own (`accounts.owners`)."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from .attempts import Attempts

__all__ = ["Attempts", "User"]


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
        """Who may do what; `accounts.staff.RoleBackend` turns it into permissions."""

        READONLY = "readonly", _("read only")
        SUPPORT = "support", _("support")
        ADMIN = "admin", _("admin")

    email = models.EmailField(_("address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.SUPPORT)
    is_active = models.BooleanField(_("may sign in"), default=True)
    date_joined = models.DateTimeField(_("since"), auto_now_add=True)

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
