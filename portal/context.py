"""What every template may name: the provider and the two mail servers."""

from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def here(request: HttpRequest) -> dict[str, str | bool]:
    """Template context processor: where to go to see this page again, in another language for example.

    `here` is the path alone: nothing typed into the address line comes back on a page of the owner's. `here_asked` has
    the query too, for lists that are filtered by it. The answer to a sent form may stand where nothing but the form
    can go; then both name the page the form was on, if that is one of ours. `at_the_desk` is whether only staff come
    here: where a page of an error leads back to.
    """
    page = urlsplit(request.get_full_path())
    if request.method == "POST":
        with suppress(DisallowedHost):
            form = request.META.get("HTTP_REFERER", "")
            if url_has_allowed_host_and_scheme(form, {request.get_host()}, require_https=request.is_secure()):
                page = urlsplit(form)._replace(scheme="", netloc="", fragment="")
    at_the_desk = request.path.startswith(("/staff/", "/admin/"))
    return {"here": page.path, "here_asked": page.geturl(), "at_the_desk": at_the_desk}


def provider(_request: HttpRequest) -> dict[str, str]:
    """Template context processor with the provider's names and hosts, all of them settings."""
    return {
        "provider_name": settings.PROVIDER_NAME,
        "provider_phone": settings.PROVIDER_PHONE,
        "provider_email": settings.PROVIDER_EMAIL,
        "source_mail_host": settings.SOURCE_MAIL_HOST,
        "target_mail_host": settings.TARGET_MAIL_HOST,
        "target_webmail_url": settings.TARGET_WEBMAIL_URL,
        "target_user_url": settings.TARGET_USER_URL,
        "second_webmail_url": settings.SECOND_WEBMAIL_URL,
    }
