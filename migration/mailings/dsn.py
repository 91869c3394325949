"""Reports of mail that could not be delivered: read whatever comes, believe little, keep less.

Standard reports (RFC 3464, 6522; codes of RFC 3463; with addresses beyond ASCII, RFC 6533) say by field what happened.
qmail, old Exchange and others write prose; there the words and an SMTP code have to do. A report may quote the whole
mail it is about, with the secret in it: nothing but a code and one struck-out line leaves this module.

Pure: no database, no settings. Any bytes give a report or None, never an exception.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser

# What counts stands at the beginning; the mail it is about comes last.
READ_BYTES = 256 * 1024
MAX_TEXT = 300
MAX_ADDRESSES = 10
UNKNOWN = "5.0.0"

_ENVELOPE_HEADERS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])", re.ASCII)
_BASIC = re.compile(r"(?<![\d.])([45])\d\d(?=[ \-:#])", re.ASCII)
_ADDRESS = re.compile(r"[^\s<>,;:\"()]{1,200}@[A-Za-z0-9.-]{1,253}", re.ASCII)
_FAILED = re.compile(
    r"undeliver|unzustell|not (?:be )?delivered|nicht zugestellt|failure notice|delivery (?:status|fail|report)"
    r"|delivery has failed|returned (?:mail|to sender)|mail delivery (?:failed|system)"
    r"|zustellung .{0,30}fehlgeschlagen",
    re.IGNORECASE,
)
_DELAYED = re.compile(r"delay|warning|not yet been delivered|still trying|verzöger|verz=C3=B6ger", re.IGNORECASE)
_SYSTEM = re.compile(r"mailer-daemon|postmaster|mail delivery|microsoft exchange", re.IGNORECASE)
# First-login passwords and codes, however grouped; the link they belong to.
_SECRET = re.compile(
    r"[b-df-hj-km-np-tv-z34679]{4}(?:[^A-Za-z0-9]{0,3}[b-df-hj-km-np-tv-z34679]{4}){3}|https?://\S+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says: it failed for good, or it is delayed and still tried.

    `code` is an enhanced status code, 5.0.0 where none is told. `text` is one harmless line. `addresses` are those the
    report itself was sent to, for want of an envelope.
    """

    failed: bool
    code: str
    text: str
    addresses: tuple[str, ...]


def read(content: bytes) -> Report | None:
    """The report in this mail; None when it is none, or tells of success."""
    mail = BytesParser(policy=policy.compat32).parsebytes(content[:READ_BYTES])
    addresses = tuple(_addresses(mail))
    for part in _parts(mail):
        if part.get_content_type() in _STATUS_PARTS:
            told = _standard(_fields(part))
            # A report of success is none of a failure, whatever its words are.
            return told and Report(*told, addresses)
    told = _prose(mail)
    return told and Report(*told, addresses)


def _standard(blocks: list[dict[str, str]]) -> tuple[bool, str, str] | None:
    """The first failed recipient, else the first delayed one. Each of our mails has one recipient only."""
    by_action = {block.get("action", "").partition(" ")[0].lower(): block for block in reversed(blocks)}
    for action, failed in (("failed", True), ("delayed", False)):
        if action in by_action:
            block = by_action[action]
            words = block.get("diagnostic-code", "")
            return (
                failed,
                _code(block.get("status", ""), words, failed=failed),
                harmless(words.partition(";")[2] or words),
            )
    return None


def _prose(mail: Message) -> tuple[bool, str, str] | None:
    """A report without fields: sent by a mail system, with words of failure."""
    subject = _header(mail, "subject")
    by_system = _SYSTEM.search(_header(mail, "from"))
    failed_to = _header(mail, "x-failed-recipients")
    if "auto-replied" in _header(mail, "auto-submitted").lower() and not failed_to:
        return None
    if not failed_to and not (by_system and (_FAILED.search(subject) or _DELAYED.search(subject))):
        return None
    text = _first_text(mail)
    line = next((line for line in text.splitlines() if _BASIC.search(line) or _ENHANCED.search(line)), "")
    failed = not _DELAYED.search(subject)
    return failed, _code("", line, failed=failed), harmless(line)


def _code(status: str, words: str, *, failed: bool) -> str:
    """The status code; the words may tell more than a general one."""
    found = _ENHANCED.search(status)
    if found and (found[2], found[3]) != ("0", "0"):
        return found[0]
    told = _ENHANCED.search(words)
    if told and told[1] != "2":
        return told[0]
    return found[0] if found else UNKNOWN if failed else "4.0.0"


def harmless(text: str) -> str:
    """Printable ASCII on one line, short, without anything that looks like a first-login password or a link."""
    words = " ".join(re.sub(r"[^ -~]+", " ", text[: 20 * MAX_TEXT]).split())
    return _SECRET.sub("(struck out)", words)[:MAX_TEXT]


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of a report, but not what is inside the mail it quotes."""
    if mail.get_content_type() == "message/rfc822":
        return
    yield mail
    inner = mail.get_payload()
    if mail.get_content_maintype() == "multipart" and isinstance(inner, list):
        for part in inner:
            if isinstance(part, Message):
                yield from _parts(part)


def _fields(part: Message) -> list[dict[str, str]]:
    """The blocks of fields, names in lower case. Python parses the one type into blocks; the other comes as text."""
    inner = part.get_payload()
    if isinstance(inner, list):
        # As bytes: as text Python looks for the charset a block names, which may be none.
        told = [block.as_bytes() for block in inner if isinstance(block, Message)]
        text = b"\n\n".join(told).decode("utf-8", "replace")
    else:
        decoded = part.get_payload(decode=True)
        text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    blocks: list[dict[str, str]] = [{}]
    name = ""
    for line in text.splitlines():
        if not line.strip():
            blocks.append({})
            name = ""
        elif line[0] in " \t" and name:
            blocks[-1][name] += " " + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            blocks[-1][name] = value.strip()
    return blocks


def _first_text(mail: Message) -> str:
    for part in _parts(mail):
        if part.get_content_type() == "text/plain":
            decoded = part.get_payload(decode=True)
            text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
            # What follows is the mail itself.
            return re.split(r"--- (?:Below this line|Original message)|------ This is a copy", text)[0]
    return ""


def _addresses(mail: Message) -> list[str]:
    found: list[str] = []
    for name in _ENVELOPE_HEADERS:
        for value in mail.get_all(name, [])[:MAX_ADDRESSES]:
            found += _ADDRESS.findall(str(value)[:2000])
    return found[:MAX_ADDRESSES]


def _header(mail: Message, name: str) -> str:
    return str(mail.get(name) or "")[:1000]
