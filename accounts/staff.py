"""Staff sign-in: allauth and an enforced second factor."""

# ruff: noqa: ARG002 - Django decides what a method is given.

import base64
from collections.abc import Callable
from functools import update_wrapper
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import qrcode  # type: ignore[import-untyped]
import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import owners, staff_sessions
from accounts.models import User
from accounts.roles import permissions_of
from migration.desk.access import actor, ask_again_who_it_is
from migration.models import Event
from migration.secrets import Purpose, seal, unseal

log = structlog.get_logger(__name__)

# What a member of staff reaches before his second factor is set up: the way to it, and the way out.
WITHOUT_SECOND_FACTOR = frozenset(
    {
        *("account_login", "account_logout", "account_reauthenticate"),
        *("mfa_activate_totp", "mfa_add_webauthn", "mfa_authenticate"),
    }
)


def has_second_factor(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether an authenticator app or a passkey is set up. Recovery codes alone do not count."""
    return user.is_authenticated and is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])


class RoleBackend(ModelBackend):
    """Sign-in by address and password; permissions follow from the role alone."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Nobody whose sign-in was closed, or who had a first password and no second factor for too long."""
        until = user.first_password_until if isinstance(user, User) else None
        return super().user_can_authenticate(user) and (until is None or until > timezone.now())

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
        request.session.pop(owners.KEY, None)
        factors = [record["type"] for record in get_authentication_records(request, user) if "type" in record]
        ip = request.META["REMOTE_ADDR"]
        Event.record(Event.Action.STAFF_SIGNED_IN, actor=actor(request), ip=ip, factor="".join(factors[-1:]))
        staff_sessions.begin(request)
        log.info("staff_signed_in", staff=user.pk)

    def logout(self, request: HttpRequest) -> None:
        """End the session and write it down."""
        staff_sessions.sign_out(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write down that somebody tried; not what he typed."""
        ip = request.META["REMOTE_ADDR"]
        Event.record(Event.Action.STAFF_SIGN_IN_FAILED, actor="staff", ip=ip, step="password")
        log.warning("staff_sign_in_failed", ip=ip)


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

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """As browsers show it when a passkey is made. The host is the one of our links."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": str(settings.MFA_TOTP_ISSUER)}

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

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's; what deletes, or changes a member of staff, asks for a fresh proof."""
        guarded = super().admin_view(view, cacheable)

        def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method == "POST" and self.has_permission(request) and _needs_proof(request):
                ask_again_who_it_is(request)
            return guarded(request, *args, **kwargs)

        return update_wrapper(asking, guarded)

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
            staff_sessions.sign_out(request)
        return redirect("account_login")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One page for it, with its attempt limit."""
        return redirect("account_change_password")


def _needs_proof(request: HttpRequest) -> bool:
    page = request.resolver_match.url_name or "" if request.resolver_match else ""
    return (
        page.endswith("_delete")
        or page == "accounts_user_change"
        or request.POST.get("action") in ("delete_selected", "close_breaker")
    )


class SecondFactorMiddleware:
    """Guard every staff page: from the networks of the staff only, no old session, nobody without a second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on: the guard is process_view, which knows the page."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Let the view run (None) or answer in its place."""
        match = request.resolver_match
        if match is None or not match.route.startswith(("staff/", "admin/")):
            return None
        if not _is_from_our_networks(request):
            raise PermissionDenied
        if not request.user.is_authenticated:
            return None
        open_to_all = match.view_name in WITHOUT_SECOND_FACTOR
        if staff_sessions.is_over(request):
            staff_sessions.sign_out(request, why="too old or idle")
            messages.info(request, _("You were signed out after a while. Please sign in again."))
            return None if open_to_all else redirect_to_login(_page_to_return_to(request))
        if not open_to_all and not has_second_factor(request.user):
            return redirect("mfa_activate_totp")
        return None


def _is_from_our_networks(request: HttpRequest) -> bool:
    """Whether the visitor's address is in PORTAL_STAFF_NETWORKS; any is, when none are named."""
    address = ip_address(request.META["REMOTE_ADDR"])
    here = getattr(address, "ipv4_mapped", None) or address
    return not settings.STAFF_NETWORKS or any(here in network for network in settings.STAFF_NETWORKS)


def _page_to_return_to(request: HttpRequest) -> str:
    return request.get_full_path() if request.method == "GET" else reverse("desk:domains")
