"""What every template may name: the provider and the two mail servers."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def here(request: HttpRequest) -> dict[str, str]:
    """Template context processor with `here`: where to go to see this page again, in another language for example.

    The answer to a sent form may stand where nothing but the form can go; then it is the page the form was on.
    """
    if request.method == "POST":
        form = request.META.get("HTTP_REFERER", "")
        if url_has_allowed_host_and_scheme(form, {request.get_host()}, require_https=request.is_secure()):
            return {"here": urlsplit(form)._replace(scheme="", netloc="", fragment="").geturl()}
    return {"here": request.get_full_path()}


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
