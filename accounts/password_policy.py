"""The rules of the new password, all of them, in one place.

A rule that can be told from the password alone is data: lengths, regular expressions, Unicode categories, words. The
page carries the same data in `data-…` attributes and ticks the rules while somebody types (static/js/rules.js); the
server has the last word and alone knows the rules that need more: common passwords, guessability, the mailed password.

Composition is what mailcow counts: letters and digits of ASCII. Everything else follows NIST SP 800-63B-4 and OWASP
ASVS 5.0 (6.2): long before complicated, compared as a whole, no trimming, no further character rules than what mail
programs cannot send.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from django.conf import settings
from django.forms.utils import flatatt
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from migration.models import Mailbox

from . import strength
from .common_passwords import is_common

# Nothing longer is looked at closely; four bytes for each of 128 characters are half of it.
MAX_BYTES = 1024
# A shorter local part such as "jo" stands inside too many innocent words.
SHORTEST_WORD = 4


@dataclass(frozen=True)
class Rule:
    """One rule: a name for code, a sentence for people, and what to look for.

    `quiet` rules appear on the page only when they are broken: they concern few people and would worry the rest.
    """

    name: str
    sentence: str
    least: int | None = None
    most: int | None = None
    wants: str = ""
    refuses: str = ""
    categories: str = ""
    words: tuple[str, ...] = ()
    quiet: bool = False

    def __hash__(self) -> int:
        # Templates remember what they made of a rule; strings know their hash, and hardly two rules share these two.
        return hash((self.name, self.sentence))

    def holds(self, password: str) -> bool:
        """Whether the password, in NFC, keeps the rule. rules.js says the same."""
        lowered = password.lower()
        return (
            (self.least is None or len(password) >= self.least)
            and (self.most is None or len(password) <= self.most)
            and (not self.wants or re.search(self.wants, password) is not None)
            and (not self.refuses or re.search(self.refuses, password) is None)
            and (not self.categories or not any(unicodedata.category(c) in self.categories.split() for c in password))
            and not any(word in lowered for word in self.words)
        )

    @property
    def attributes(self) -> dict[str, str]:
        """The data the page carries, by name of the attribute without `data-`."""
        values = {
            "least": self.least and str(self.least),
            "most": self.most and str(self.most),
            "wants": self.wants,
            "refuses": self.refuses,
            "categories": self.categories,
            "words": " ".join(self.words),
        }
        return {name: value for name, value in values.items() if value}

    @cached_property
    def markup(self) -> SafeString:
        """The same as the page writes it."""
        return flatatt({f"data-{name}": value for name, value in self.attributes.items()})


@dataclass(frozen=True)
class Policy:
    """The rules for one mailbox. `words` must not occur: parts of its address, the provider's name."""

    words: tuple[str, ...] = ()
    ascii_only: bool = True
    least: int = 12
    most: int = 128
    old_rules: str = "full"

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules the page shows, in this order."""
        rules = list(_for_everybody(get_language(), self.least, self.most, ascii_only=self.ascii_only))
        if self.words:
            sentence = _("Not your name or your domain: %(words)s") % {"words": ", ".join(self.words)}
            rules.append(Rule("words", sentence, words=self.words))
        return tuple(rules)

    def broken(self, password: str, *, old: bool = False, mailed: bool = False) -> list[Rule]:
        """Every rule the password (in NFC) breaks; empty if it is good.

        `old` says that it was verified to be the password of the old system: then only what its owner could not know
        counts, by LEGACY_RULES the length and classes, or the length alone. `mailed` says that it is the first-login
        password itself.
        """
        if old:
            return self._broken_by_old(password)
        found = [rule for rule in self.rules if not rule.holds(password)]
        if mailed:
            found.append(Rule("mailed", _("Not the first-login password from the mail; it is for one use only")))
        if is_common(password):
            found.append(_common())
        elif not found and (sentence := strength.advice(password)):
            found.append(Rule("guessable", sentence))
        return found

    def _broken_by_old(self, password: str) -> list[Rule]:
        names = {"length": {"long", "short"}, "full": {"long", "short", "lower", "upper", "digit"}}[self.old_rules]
        found = [rule for rule in self.rules if rule.name in names and not rule.holds(password)]
        if self.old_rules == "full" and is_common(password):
            found.append(_common())
        return found


def policy_for(mailbox: Mailbox) -> Policy:
    """The policy of a mailbox under the settings."""
    return Policy(
        words=context_words(mailbox.local_part, mailbox.domain.display_name, settings.PROVIDER_NAME),
        ascii_only=settings.PASSWORD_ASCII_ONLY,
        least=settings.PASSWORD_MIN_LENGTH,
        most=settings.PASSWORD_MAX_LENGTH,
        old_rules=settings.LEGACY_RULES,
    )


def context_words(local_part: str, domain: str, provider: str) -> tuple[str, ...]:
    """The words a guesser tries first for this mailbox, lower case, of at least four letters.

    The local part as a whole and its parts, the domain's name without its ending, the provider's name.
    """
    labels = domain.lower().split(".")[:-1]
    candidates = [local_part.lower(), *re.split(r"[.+_-]", local_part.lower()), *labels]
    candidates += [part for label in labels for part in label.split("-")]
    candidates += provider.lower().split()
    return tuple(_without_those_inside_others(word for word in candidates if len(word) >= SHORTEST_WORD))


def normal(password: str) -> str:
    """The form that is checked and hashed: NFC, so that ü is ü on whatever keyboard. Nothing else is changed."""
    return unicodedata.normalize("NFC", password)


@cache
def _for_everybody(_language: str | None, least: int, most: int, *, ascii_only: bool) -> tuple[Rule, ...]:
    """The rules that are the same for all mailboxes, in the language of the page."""
    return *_composition(least, most), *_characters(ascii_only=ascii_only)


def _composition(least: int, most: int) -> Iterable[Rule]:
    length = ngettext("At least %(n)d character", "At least %(n)d characters", least) % {"n": least}
    yield Rule("short", length, least=least)
    yield Rule("lower", _("A small letter (a–z)"), wants="[a-z]")
    yield Rule("upper", _("A capital letter (A–Z)"), wants="[A-Z]")
    yield Rule("digit", _("A digit (0–9)"), wants="[0-9]")
    yield Rule("long", _("At most %(n)d characters") % {"n": most}, most=most, quiet=True)


def _characters(*, ascii_only: bool) -> Iterable[Rule]:
    blank = r"[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]"
    yield Rule("edges", _("No blank at the beginning or at the end"), refuses=rf"^{blank}|{blank}$(?!\n)", quiet=True)
    yield Rule("control", _("No tabulator, line break or other control character"), categories="Cc Zl Zp", quiet=True)
    yield Rule(
        "invisible",
        _("No invisible characters (sometimes they come along when you copy)"),
        categories="Cf Cs Co",
        quiet=True,
    )
    yield Rule(
        "scheme",
        _("Not a word in curly brackets at the beginning, such as {PLAIN}: mail servers read it as an instruction"),
        refuses=r"^\{[A-Za-z0-9.\-]+\}",
        quiet=True,
    )
    if ascii_only:
        yield Rule(
            "ascii",
            _("No umlauts, accents, € or emoji: many mail programs send them wrongly"),
            refuses=r"[^\u0000-\u007f]",
            quiet=True,
        )


def _common() -> Rule:
    return Rule("common", _("Not one of the passwords that are tried first everywhere, such as a word with a year"))


def _without_those_inside_others(words: Iterable[str]) -> list[str]:
    """Drop repetitions and every word that contains another one: the shorter forbids the longer by itself."""
    unique = list(dict.fromkeys(words))
    return [word for word in unique if not any(other != word and other in word for other in unique)]
