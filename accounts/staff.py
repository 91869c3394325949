"""Staff sign-in: allauth and an enforced second factor."""

# ruff: noqa: ARG002 - Django decides what a method is given.

import base64
import time
from collections.abc import Callable
from typing import Any

import qrcode  # type: ignore[import-untyped]
import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import owners
from accounts.models import User
from accounts.roles import permissions_of
from migration.secrets import Purpose, seal, unseal

log = structlog.get_logger(__name__)

SESSION_SECONDS = 8 * 60 * 60
IDLE_SECONDS = 30 * 60
# The session remembers the last request to the minute, so that not every page writes a row.
_SEEN_EVERY_SECONDS = 60

# What a member of staff reaches before his second factor is set up: the way to it, and the way out.
WITHOUT_SECOND_FACTOR = frozenset(
    {"account_login", "account_logout", "account_reauthenticate", "mfa_activate_totp", "mfa_authenticate"}
)


def has_second_factor(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether an authenticator app is set up. Recovery codes alone do not count."""
    return user.is_authenticated and is_mfa_enabled(user, [Authenticator.Type.TOTP])


class RoleBackend(ModelBackend):
    """Sign-in by address and password; permissions follow from the role alone."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The permissions of the role; they do not depend on the object."""
        if not user_obj.is_active or not isinstance(user_obj, User):
            return set()
        return set(permissions_of(user_obj.role))

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """The same: nobody has permissions of his own."""
        return self.get_all_permissions(user_obj, obj)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """None: there are no groups."""
        return set()


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's sign-in as we want it: nobody signs up, and what happens is logged."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff are added with `manage.py add_staff`."""
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to work."""
        return reverse("desk:domains")

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Begin the session, with no trace of whatever the browser did here before."""
        super().login(request, user)
        for key in ("staff_since", owners.KEY):
            request.session.pop(key, None)
        log.info("staff_signed_in", staff=user.pk)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Log that somebody tried; what he typed is not written down."""
        log.warning("staff_sign_in_failed", ip=request.META.get("REMOTE_ADDR"))


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The second factor: its secrets are sealed at rest, its QR code is part of the page."""

    # allauth does not say whose secret it is, so the seal is bound to the purpose alone.
    _ROW = "second factor"

    def encrypt(self, text: str) -> str:
        """Seal a TOTP secret or the seed of the recovery codes."""
        return base64.b64encode(seal(Purpose.TOTP, self._ROW, text.encode())).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """Raises migration.secrets.SecretsError when our keys do not open it."""
        return unseal(Purpose.TOTP, self._ROW, base64.b64decode(encrypted_text)).decode()

    def build_totp_svg(self, url: str) -> str:
        """The QR code as inline SVG: an image from a data: address would need a hole in the CSP."""
        code = qrcode.QRCode(border=4)
        code.add_data(url)
        matrix = code.get_matrix()
        path = "".join(f"M{x} {y}h1v1h-1z" for y, line in enumerate(matrix) for x, dark in enumerate(line) if dark)
        return format_html(
            '<svg class="qr" viewBox="0 0 {0} {0}" role="img" aria-label="{1}"><path d="{2}"/></svg>',
            len(matrix),
            _("QR code for the authenticator app"),
            path,
        )


class StaffAdminSite(AdminSite):
    """The Django admin: for active admins with a second factor, signed in through allauth."""

    site_header = gettext_lazy("Move to mailcow")
    site_title = gettext_lazy("Administration")
    index_title = gettext_lazy("Administration")
    site_url = reverse_lazy("desk:domains")  # type: ignore[assignment]
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether any page here may be seen."""
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff and has_second_factor(user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Never a form of its own: a password sent here authenticates nobody."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign out where everybody signs out; a plain link does not."""
        if request.method == "POST":
            logout(request)
        return redirect("account_login")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One page for it, with its attempt limit."""
        return redirect("account_change_password")


class SecondFactorMiddleware:
    """Guard every staff page: end old sessions, and send staff without a second factor to set one up.

    A session ends eight hours after sign-in and after thirty idle minutes.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on: the guard is process_view, which knows the page."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Let the view run (None) or answer in its place."""
        match = request.resolver_match
        if match is None or not match.route.startswith(("staff/", "admin/")) or not request.user.is_authenticated:
            return None
        open_to_all = match.view_name in WITHOUT_SECOND_FACTOR
        if _session_over(request):
            logout(request)
            messages.info(request, _("You were signed out after a while. Please sign in again."))
            return None if open_to_all else redirect_to_login(_page_to_return_to(request))
        if not open_to_all and not has_second_factor(request.user):
            return redirect("mfa_activate_totp")
        return None


def _session_over(request: HttpRequest) -> bool:
    """Whether the session is too old or idle for too long; else note that it was used."""
    session, now = request.session, int(time.time())
    since, seen = session.get("staff_since"), session.get("staff_seen", 0)
    if since is None:
        session["staff_since"] = session["staff_seen"] = now
        return False
    if now - since >= SESSION_SECONDS or now - seen >= IDLE_SECONDS:
        return True
    if now - seen >= _SEEN_EVERY_SECONDS:
        session["staff_seen"] = now
    return False


def _page_to_return_to(request: HttpRequest) -> str:
    return request.get_full_path() if request.method == "GET" else reverse("desk:domains")
