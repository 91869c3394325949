"""The one truth about mail addresses: take apart, normalise, compare.

Two addresses are the same mailbox exactly when `parse()` gives equal results. What mailcow would refuse is
refused here already: local parts outside ASCII, quoted local parts, address literals.

Domains are kept as A-labels (`xn--…`), converted the way mailcow does it: UTS 46 with *transitional* mapping,
so ß becomes ss and ς becomes σ. IDNA 2008 would give another name for such a domain, and with it another
mailbox.

Characters that only look like an ASCII letter or turn into one by Unicode mapping (the Kelvin sign K, the
long ſ, full width letters) are refused, not mapped: nobody reaches a mailbox by a look-alike.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import idna

MAX_LOCAL_PART = 64
MAX_ADDRESS = 254

# Far above any address, so that nothing long is ever looked at closely.
_MAX_INPUT = 1000
_INVISIBLE_EDGE = "\u200b\u200c\u200d\u2060\ufeff"
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LOCAL_CHARACTERS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+([a-z][a-z0-9-]*[a-z0-9])")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_TRANSITIONAL = str.maketrans({"ß": "ss", "ẞ": "ss", "ς": "σ"})


class Reason(StrEnum):
    """Why a text is no address we can move."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NO_AT = "no_at"
    SEVERAL_ATS = "several_ats"
    NO_LOCAL_PART = "no_local_part"
    LOCAL_PART_LENGTH = "local_part_length"
    LOCAL_PART_CHARACTERS = "local_part_characters"
    LOCAL_PART_DOTS = "local_part_dots"
    LOCAL_PART_REFUSED = "local_part_refused"
    QUOTED = "quoted"
    NO_DOMAIN = "no_domain"
    LITERAL = "literal"
    DOMAIN = "domain"


class InvalidAddress(ValueError):
    """The text is no mail address; `reason` says why. The text itself is not part of the message."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, order=True, slots=True)
class Address:
    """A normalised address. Build it with `parse()`, so that equal means the same mailbox."""

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"

    @property
    def display(self) -> str:
        """The address as people write it, with umlauts in the domain."""
        return f"{self.local_part}@{domain_to_unicode(self.domain)}"


def parse(text: str) -> Address:
    """Read an address as a person or an old server writes it.

    Blanks of any kind around it (no-break space, zero width space, line end) are dropped, ASCII letters
    become lower case, the domain becomes A-labels. Limits of RFC 5321: 64 octets for the local part, 254 for
    the whole. Reading the result again changes nothing. Raises InvalidAddress for everything else.
    """
    if len(text) > _MAX_INPUT:
        raise InvalidAddress(Reason.TOO_LONG)
    text = _trimmed(text)
    if not text:
        raise InvalidAddress(Reason.EMPTY)
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise InvalidAddress(Reason.NO_AT)
    address = Address(_local_part(local_part), domain_to_ascii(domain))
    if len(str(address)) > MAX_ADDRESS:
        raise InvalidAddress(Reason.TOO_LONG)
    return address


def same(a: str, b: str) -> bool:
    """Whether both texts name the same mailbox. A text that is no address is the same as nothing."""
    try:
        return parse(a) == parse(b)
    except InvalidAddress:
        return False


@functools.lru_cache(maxsize=1024)
def domain_to_ascii(text: str) -> str:
    """The domain as lower-case A-labels without a dot at its end. Raises InvalidAddress.

    At least two labels, the last not a number, letters, digits and hyphens only (RFC 1123), umlauts as
    described above.
    """
    if len(text) > _MAX_INPUT:
        raise InvalidAddress(Reason.TOO_LONG)
    text = _trimmed(text)
    if not text:
        raise InvalidAddress(Reason.NO_DOMAIN)
    if text.startswith("["):
        raise InvalidAddress(Reason.LITERAL)
    domain = text.translate(_LOWER) if text.isascii() else _mapped(text)
    try:
        domain = idna.encode(domain.removesuffix("."), uts46=True).decode("ascii")
    except UnicodeError:
        raise InvalidAddress(Reason.DOMAIN) from None
    if not _DOMAIN.fullmatch(domain):
        raise InvalidAddress(Reason.DOMAIN)
    return domain


@functools.lru_cache(maxsize=1024)
def domain_to_unicode(domain: str) -> str:
    """The domain as people write it, for display only. What cannot be converted is returned as it is."""
    try:
        return idna.decode(domain)
    except UnicodeError:
        return domain


def masked(address: str) -> str:
    """`a…@kunde.example`, for who may know how many there are but not who."""
    local_part, _at, domain = address.rpartition("@")
    return f"{local_part[:1]}…@{domain}"


def _trimmed(text: str) -> str:
    before = ""
    while text != before:
        before, text = text, text.strip().strip(_INVISIBLE_EDGE)
    return text


def _local_part(text: str) -> str:
    if not text:
        raise InvalidAddress(Reason.NO_LOCAL_PART)
    if '"' in text:
        raise InvalidAddress(Reason.QUOTED)
    if "@" in text:
        raise InvalidAddress(Reason.SEVERAL_ATS)
    if len(text) > MAX_LOCAL_PART:
        raise InvalidAddress(Reason.LOCAL_PART_LENGTH)
    # Only A to Z: str.lower() would make an ASCII k of the Kelvin sign and open somebody else's mailbox.
    local_part = text.translate(_LOWER)
    if not _LOCAL_CHARACTERS.fullmatch(local_part):
        raise InvalidAddress(Reason.LOCAL_PART_CHARACTERS)
    if not _LOCAL_PART.fullmatch(local_part):
        raise InvalidAddress(Reason.LOCAL_PART_DOTS)
    if local_part == "0":  # mailcow takes it for an empty one (PHP's empty())
        raise InvalidAddress(Reason.LOCAL_PART_REFUSED)
    return local_part


def _mapped(text: str) -> str:
    """Prepare a domain outside ASCII for IDNA: refuse look-alikes of ASCII, then map like mailcow."""
    mapped = text.translate(_TRANSITIONAL)
    for character in mapped:
        if character.isascii():
            continue
        if unicodedata.normalize("NFKC", character).casefold().isascii() or unicodedata.category(character) == "Cf":
            raise InvalidAddress(Reason.DOMAIN)
    return unicodedata.normalize("NFC", mapped)
