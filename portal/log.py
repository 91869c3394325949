"""Logging: one JSON object a line, UTC, with everything secret struck out before it is written.

Log a static event name and put variables into fields: `log.info("push_delivered", mailbox=mailbox.pk)`. Mailboxes are
named by their id, never by address.
"""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

STRUCK = "[struck out]"
# A field is struck out by its name …
_SECRET_NAME = re.compile(
    r"passw|secret|hash|payload|api.?key|authorization|cookie|csrf|otp|totp|recovery", re.IGNORECASE
)
# … and text by its shape: a Dovecot hash, a crypt string, a first-login password in its four groups.
_SECRET_TEXT = re.compile(
    r"\{[A-Za-z0-9.-]+\}\S+"
    r"|\bumzug_[\w-]{40}"  # a token for the API
    r"|(?<=/[sc]/)[\w-]{11}"  # the locator of a mailed link: no secret, but its budget of tries is the owner's
    r"|\$(?:argon2\w*|2[abxy]|[156y]|gy|7)\$\S+"
    r"|\b[bcdfghjkmnpqrstvwxyz34679]{4}(?:[-\u2010-\u2015 ][bcdfghjkmnpqrstvwxyz34679]{4}){3}\b",
    re.IGNORECASE,
)


def strike_out(value: object) -> object:
    """Return value with every text that looks like a secret replaced, in containers too."""
    if isinstance(value, str):
        return _SECRET_TEXT.sub(STRUCK, value)
    if isinstance(value, dict):
        return {key: STRUCK if _SECRET_NAME.search(str(key)) else strike_out(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strike_out(item) for item in value]
    return value


def strike_out_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: strike out by field name and by shape."""
    return {key: STRUCK if _SECRET_NAME.search(key) else strike_out(value) for key, value in event.items()}


def _drop_locals(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep what Django's own handlers attach (the request with its POST data) out of the line."""
    event.pop("request", None)
    return event


def configure(*, style: str, level: str) -> None:
    """Send the standard library's and structlog's records through the same processors to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        _drop_locals,
    ]
    last: list[Any] = [structlog.processors.JSONRenderer(ensure_ascii=True)]
    if style == "console":
        last = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                strike_out_secrets,
                *last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("urllib3").setLevel("CRITICAL")  # its warnings hold addresses of requests, and so of mailboxes
    # For debugging it tells of each unknown name in a template with all that was to be shown: a code for the phone too.
    for name in ("django.template", "kombu", "amqp", "celery.redirected"):
        logging.getLogger(name).setLevel("WARNING")
