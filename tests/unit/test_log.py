"""What a log line shows, and what it never shows."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from portal import log


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is logged from here on, as an operator would see it."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers, root.level
    log.configure(style="json", level="INFO")
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers = before
    root.setLevel(level)


def test_a_line_is_one_json_object_with_the_event_and_its_fields(written: io.StringIO) -> None:
    structlog.get_logger("umzug.test").info("push_delivered", mailbox=17)

    line = json.loads(written.getvalue())
    assert (line["event"], line["mailbox"], line["level"]) == ("push_delivered", 17, "info")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "name", ["password", "new_password", "secret", "hash", "api_key", "Cookie", "csrf_token", "otp"]
)
def test_a_field_named_like_a_secret_is_struck_out(written: io.StringIO, name: str) -> None:
    structlog.get_logger("umzug.test").info("something", **{name: "geheim"})

    assert "geheim" not in written.getvalue()
    assert log.STRUCK in written.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "{SHA512-CRYPT}$6$abc$def",
        "{ssha}AbCdEf==",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "$2y$05$abcdefghijklmnopqrstuv",
        "$6$salt$digest",
        "Kfp7-mrt4-xwd9-hc3q",
        "kfp7 mrt4 xwd9 hc3q",
    ],
)
def test_text_shaped_like_a_secret_is_struck_out_wherever_it_is(written: io.StringIO, text: str) -> None:
    logger = logging.getLogger("somebody.elses")
    logger.warning("could not read %s here", text)
    structlog.get_logger("umzug.test").info("nested", detail={"rows": [text]})
    logger.error("failed", exc_info=ValueError(text))

    assert text not in written.getvalue()
    assert written.getvalue().count(log.STRUCK) >= 3


def test_the_locator_of_a_link_is_struck_out(written: io.StringIO) -> None:
    logging.getLogger("django.request").warning("Unprocessable Entity: %s", "/s/xmyXWHQnTbA")

    assert "xmyXWHQnTbA" not in written.getvalue()


def test_an_attacker_cannot_write_lines_of_his_own(written: io.StringIO) -> None:
    logging.getLogger("django.request").warning("Not Found: %s", '/x\n{"event": "forged"}')

    assert len(written.getvalue().splitlines()) == 1
