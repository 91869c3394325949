"""What every template may name: the provider and the two mail servers."""

from django.conf import settings
from django.http import HttpRequest


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
