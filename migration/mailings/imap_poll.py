"""Bounces out of a mailbox, by IMAP over TLS: for who cannot route them to the endpoint.

What is a report about a mail of ours is noted and then deleted: it may hold a secret. Everything else is left there,
marked as read, and not looked at again.
"""

import imaplib
import ssl
from contextlib import suppress

import structlog
from django.conf import settings

from . import bounces, dsn
from .bounces import Outcome

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 30
AT_ONCE = 200


def poll() -> int:
    """Read what is new. Returns how many mails were read; 0 when no mailbox is set, or it cannot be read now."""
    if not settings.BOUNCE_IMAP_HOST:
        return 0
    try:
        imap = imaplib.IMAP4_SSL(
            settings.BOUNCE_IMAP_HOST,
            settings.BOUNCE_IMAP_PORT,
            ssl_context=ssl.create_default_context(),
            timeout=TIMEOUT_SECONDS,
        )
    except (OSError, imaplib.IMAP4.error) as error:
        log.warning("bounce_mailbox_failed", error=type(error).__name__)
        return 0
    try:
        return _read(imap)
    except (OSError, imaplib.IMAP4.error) as error:
        # The words of the error may repeat the login.
        log.warning("bounce_mailbox_failed", error=type(error).__name__)
        return 0
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            imap.logout()


def _read(imap: imaplib.IMAP4_SSL) -> int:
    imap.login(settings.BOUNCE_IMAP_USER, settings.BOUNCE_IMAP_PASSWORD)
    status, _ = imap.select(f'"{settings.BOUNCE_IMAP_FOLDER}"')
    if status != "OK":
        raise imaplib.IMAP4.error
    _, found = imap.uid("SEARCH", "UNSEEN", "UNDELETED")
    uids = (found[0] or b"").decode("ascii").split()[:AT_ONCE]
    for uid in uids:
        # PEEK: it counts as read only once it was noted.
        _, parts = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{dsn.READ_BYTES}>)")
        content = next((part[1] for part in parts if isinstance(part, tuple)), b"")
        outcome = bounces.take(content)
        is_ours = outcome in (Outcome.NOTED, Outcome.KNOWN)
        imap.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen \Deleted)" if is_ours else r"(\Seen)")
    imap.expunge()
    return len(uids)
