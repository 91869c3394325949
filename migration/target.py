"""The one mailcow of the settings, as a client that each worker thread keeps."""

import threading

from django.conf import settings

from .mailcow.client import Client

_kept = threading.local()


def client() -> Client:
    """This thread's client; its connection stays open between pushes. Raises ValueError without an API key."""
    wanted = (
        settings.MAILCOW_URL,
        settings.MAILCOW_API_KEY,
        settings.MAILCOW_CALL_SECONDS,
        settings.MAILCOW_CA_FILE,
    )
    if getattr(_kept, "settings", None) != wanted:
        _kept.client = Client(
            settings.MAILCOW_URL,
            settings.MAILCOW_API_KEY,
            call_timeout=settings.MAILCOW_CALL_SECONDS,
            verify=settings.MAILCOW_CA_FILE or True,
        )
        _kept.settings = wanted
    client: Client = _kept.client
    return client
