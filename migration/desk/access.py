"""The only place where the desk turns a number into an object, and where a page says who may open it."""

import time
from collections.abc import Callable

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from migration.addresses import masked
from migration.models import Domain, Mailbox

SELECTED_AT_MOST = 200

View = Callable[..., HttpResponseBase]


def staff_with(permission: str) -> Callable[[View], View]:
    """Sign-in for strangers, 403 for staff whose role does not allow it.

    The second factor was checked before, by a middleware.
    """

    def guard(view: View) -> View:
        return login_required(permission_required(permission, raise_exception=True)(view))

    return guard


def ask_again_who_it_is(request: HttpRequest, *, good_for: int | None = None) -> None:
    """Nothing, if who is signed in has proven it in the last minutes, or in the last `good_for` seconds.

    Raises ReauthenticationRequired else: allauth then asks for the password or a code and carries the request out
    afterwards (https://docs.allauth.org/en/latest/account/configuration.html). It keeps the request in the session till
    then, in clear.
    """
    if not _has_proven_it(request, good_for):
        raise ReauthenticationRequired


def ask_before_it_is_filled_in(request: HttpRequest) -> HttpResponse | None:
    """As ask_again_who_it_is, for a form with a secret in it: what was sent too late is dropped, and the page asks."""
    if request.method == "POST" and not _has_proven_it(request):
        messages.warning(request, _("Please confirm that it is you, then fill in the form again."))
        return redirect(request.get_full_path())
    ask_again_who_it_is(request)
    return None


def actor(request: HttpRequest) -> str:
    """How the audit trail names who did it."""
    return f"staff:{request.user.get_username()}"


def address_for(user: AbstractBaseUser | AnonymousUser, address: object) -> str:
    """An address or mailbox as this user may see it: an operator knows how many there are, not who."""
    may_see = getattr(user, "has_perm", None)
    return str(address) if may_see and may_see("migration.view_mailbox") else masked(str(address))


def domain(pk: int) -> Domain:
    """The domain with its customer; 404 when there is none."""
    return get_object_or_404(Domain.objects.select_related("customer"), pk=pk)


def mailbox(pk: int) -> Mailbox:
    """The mailbox with its domain and customer; 404 when there is none."""
    return get_object_or_404(_mailboxes(), pk=pk)


def selected(domain: Domain, pks: list[int]) -> list[Mailbox]:
    """Those of the numbers that are mailboxes of this domain; a number from elsewhere is nothing."""
    return list(_mailboxes().filter(domain=domain, pk__in=pks))


def number(text: str) -> int | None:
    """The number somebody sent, or None for anything that is no row's."""
    return int(text) if text.isdecimal() and len(text) < 18 else None


def numbers(texts: list[str]) -> list[int]:
    """The numbers of a selection, of as many as a page can show."""
    return [found for text in texts[:SELECTED_AT_MOST] if (found := number(text)) is not None]


def _has_proven_it(request: HttpRequest, good_for: int | None = None) -> bool:
    """Whether who is signed in has proven in the last minutes who he is (ACCOUNT_REAUTHENTICATION_TIMEOUT)."""
    proofs = get_authentication_records(request, request.user)
    return bool(proofs) and time.time() - proofs[-1]["at"] < (good_for or app_settings.REAUTHENTICATION_TIMEOUT)


def _mailboxes() -> QuerySet[Mailbox]:
    # What the desk has no use for does not leave the database: no view can show a hash by accident.
    return Mailbox.objects.select_related("domain__customer").defer("legacy_hash")
