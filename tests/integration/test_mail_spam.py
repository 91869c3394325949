"""What a spam filter thinks of our mails: Debian's SpamAssassin with its local rules, asking nobody."""

import re
import shutil
import subprocess
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.utils import timezone

from migration.mailings import compose
from sandbox import mail_samples

LIMIT = 1.0
SPAMASSASSIN = shutil.which("spamassassin")


def delivered(mail: compose.Mail, number: int) -> bytes:
    """The mail as the reader's own server has it: taken from the portal over TLS, a moment ago."""
    message = compose.message(mail, to="anna.gruber@sonnleitner.example", mailing_id=number)
    # The message already contains Date and Message-ID; what a server adds stands above.
    at = format_datetime(timezone.localtime() + timedelta(seconds=2))
    received = (
        "Return-Path: <support+m1@iteg.at>\r\n"
        "Received: from portal.iteg.at (portal.iteg.at [10.20.0.25])\r\n"
        "\tby mail.sonnleitner.example (Postfix) with ESMTPS id 4WqX8K1jz9z3\r\n"
        f"\tfor <anna.gruber@sonnleitner.example>; {at}\r\n"
    )
    return received.encode() + message.as_bytes()


@pytest.mark.skipif(SPAMASSASSIN is None, reason="spamassassin is not installed")
def test_no_mail_looks_like_spam(db: None, settings: Any) -> None:
    settings.BASE_URL, settings.MAIL_FROM = "https://umzug.iteg.at", "support@iteg.at"
    settings.PROVIDER_EMAIL = "support@iteg.at"
    samples = [one for language in ("de", "en") for one in mail_samples.every_mail(language)]

    found = scores([delivered(one.mail, number) for number, one in enumerate(samples)])

    names = [f"{one.name} {one.language}" for one in samples]
    assert {name: score for name, score in zip(names, found, strict=True) if score >= LIMIT} == {}


@pytest.mark.skipif(SPAMASSASSIN is None, reason="spamassassin is not installed")
def test_the_filter_would_notice(db: None) -> None:
    known = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

    assert scores([delivered(compose.announcement("Move", known, language="en"), 1)])[0] > 5


def scores(messages: list[bytes]) -> list[float]:
    """What the local rules add up to for each, in one run: loading the rules takes longest."""
    letters = [b"From portal Tue Nov 24 12:00:00 2026\n" + message.replace(b"\r\n", b"\n") for message in messages]
    command = [str(SPAMASSASSIN), "--local", "--mbox"]
    box = b"\n".join(letters) + b"\n"
    answer = subprocess.run(command, input=box, capture_output=True, check=True, timeout=300).stdout.decode()
    found = re.findall(r"^X-Spam-Status: \w+, score=(-?[\d.]+)", answer, re.MULTILINE)
    assert len(found) == len(messages), answer[:2000]
    return [float(one) for one in found]
