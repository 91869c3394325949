"""From one text to both forms of a mail: plain text with short lines, and calm HTML that says exactly the same.

What a line begins with is its form: `1. ` a step, `- ` an item, a first-login password or code alone a box. The only
links are addresses of this portal, written out in full; nothing in the text is markup.
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

MAX_NAME = 100
MAX_SUBJECT = 200
WIDTH = 76  # below the 78 of RFC 5322, 2.1.1, with room for one quotation mark

# Line ends and other control characters, and marks that turn the direction of writing.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_MARK = re.compile(r"(?P<mark>\d{1,2}\.|-) +(?=\S)")
_CODE = re.compile(r"[A-Za-z0-9]{4}(?:-[A-Za-z0-9]{4}){1,4}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_GLUE = "\N{WORD JOINER}"
FALLBACK_COLOUR = "#0b5cad"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail without its envelope. Text and HTML stay out of `repr`: an invitation carries a secret.

    `wording` is the number of the customer's wording it was made from, None for the standard.
    """

    language: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    wording: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line: `link`, `strong`, `code` or plain (empty)."""

    form: str
    text: str = field(repr=False)


@dataclass(slots=True)
class Block:
    """A paragraph, or with a mark a step (`1.`) or an item (`-`) of a list; each line a list of pieces.

    `is_last` of its kind: what follows is no step or item of the same list.
    """

    mark: str
    lines: list[list[Piece]] = field(default_factory=list)
    is_last: bool = False


def made(language: str, subject: str, text: str, *, strong: Sequence[str] = (), wording: int | None = None) -> Mail:
    """A mail of this subject and text. What is in `strong` is printed bold in its HTML, and the phone number."""
    subject, text = one_line(subject, MAX_SUBJECT), tidy(text)
    bold = tuple(word for word in (*strong, settings.PROVIDER_PHONE) if word)
    colour = settings.PROVIDER_COLOUR if _COLOUR.fullmatch(settings.PROVIDER_COLOUR) else FALLBACK_COLOUR
    blocks = list(_blocks(text, bold))
    for block, following in zip_longest(blocks, blocks[1:]):
        block.is_last = following is None or (block.mark == "-") != (following.mark == "-") or not following.mark
    context = {"subject": subject, "blocks": blocks, "colour": colour}
    return Mail(language, subject, wrapped(text, bold), rendered("mail/frame.html", language, context), wording)


def rendered(name: str, language: str, context: dict[str, object]) -> str:
    """The template in that language, with the provider's names."""
    provider = {
        "language": language,
        "provider": settings.PROVIDER_NAME,
        "phone": settings.PROVIDER_PHONE,
        "target_host": settings.TARGET_MAIL_HOST,
    }
    with translation.override(language):
        return render_to_string(name, provider | context)


def one_line(text: str, longest: int = MAX_NAME) -> str:
    """The text without control characters and line ends, cut to `longest` characters: fit for a header or a line."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:longest]


def printable(text: str) -> str:
    """The text without control characters but for its line ends."""
    return "\n".join(_UNPRINTABLE.sub(" ", line).rstrip() for line in re.split(r"\r\n?|\n", text))


def tidy(text: str) -> str:
    """Text with the gaps closed that template tags leave, and one line end at its end."""
    text = re.sub(r"[ \t\r]+(?=\n|$)", "", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def wrapped(text: str, whole: Sequence[str] = ()) -> str:
    """The text with no line longer than `WIDTH`, but for a word that is: an address or what is in `whole` stays whole.

    Nobody can copy a phone number that is on two lines.
    """
    for words in whole:
        text = text.replace(words, words.replace(" ", _GLUE))
    return "\n".join(part for line in text.split("\n") for part in _folded(line)).replace(_GLUE, " ")


def _folded(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line]
    indent = re.match(r" *(?:(?:\d{1,2}\.|-) +)?", line)
    hanging = " " * (indent.end() if indent else 0)
    return textwrap.wrap(line, WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def _blocks(text: str, strong: tuple[str, ...]) -> Iterator[Block]:
    """The blocks of a text. A step or an item goes on where lines are indented, also after a gap."""
    block, gap = Block(""), False
    for line in text.split("\n"):
        if not line.strip():
            gap = True
            continue
        mark = _MARK.match(line)
        goes_on = line.startswith(" ") if block.mark else not gap
        if mark or not goes_on:
            if block.lines:
                yield block
            block = Block(mark["mark"] if mark else "")
        block.lines.append(_pieces(line[mark.end() :] if mark else line.strip(), strong))
        gap = False
    if block.lines:
        yield block


def _pieces(line: str, strong: tuple[str, ...]) -> list[Piece]:
    if _CODE.fullmatch(line):
        return [Piece("code", line)]
    link = re.escape(settings.BASE_URL) + r"(?:/[A-Za-z0-9_-]+)+"
    words = "|".join(re.escape(word) for word in sorted(strong, key=len, reverse=True)) or "(?!)"
    parts = re.split(rf"({link})|((?<!\w)(?:{words})(?!\w))", line)
    # Of each three: plain text, a link or None, bold words or None.
    forms = ("", "link", "strong")
    return [Piece(forms[place % 3], part) for place, part in enumerate(parts) if part]
