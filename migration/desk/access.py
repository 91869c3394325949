"""The only place where the desk turns a number into an object, and where a page says who may open it."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_required, permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from migration.models import Domain, Mailbox

View = Callable[..., HttpResponse]


def staff_with(permission: str) -> Callable[[View], View]:
    """Sign-in for strangers, 403 for staff whose role does not allow it.

    The second factor was checked before, by a middleware.
    """

    def guard(view: View) -> View:
        return login_required(permission_required(permission, raise_exception=True)(view))

    return guard


def actor(request: HttpRequest) -> str:
    """How the audit trail names who did it."""
    return f"staff:{request.user.get_username()}"


def domain(pk: int) -> Domain:
    """The domain with its customer; 404 when there is none."""
    return get_object_or_404(Domain.objects.select_related("customer"), pk=pk)


def mailbox(pk: int) -> Mailbox:
    """The mailbox with its domain and customer; 404 when there is none."""
    return get_object_or_404(_mailboxes(), pk=pk)


def selected(domain: Domain, pks: list[int]) -> list[Mailbox]:
    """Those of the numbers that are mailboxes of this domain; a number from elsewhere is nothing."""
    return list(_mailboxes().filter(domain=domain, pk__in=pks))


def _mailboxes() -> QuerySet[Mailbox]:
    # What the desk has no use for does not leave the database: no view can show a hash by accident.
    return Mailbox.objects.select_related("domain__customer").defer("legacy_hash")
