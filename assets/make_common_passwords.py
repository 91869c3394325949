"""Build accounts/common_passwords.txt: `python assets/make_common_passwords.py > accounts/common_passwords.txt`.

Published lists hold short passwords: of Django's and zxcvbn's 40,000 only 155 have twelve characters, two letters and a
digit. So the list is made of both: the published ones as they are, and what their owners do when a rule asks for more,
a well-known word with a tail behind it. The words come from packages:

    zxcvbn (PyPI)                 leaked passwords, the most frequent first
    @zxcvbn-ts/language-de (npm)  German words by frequency in film subtitles, first names (after `make meter`)
    Django                        months and days of the week in German and English

and LOCAL below adds what stands in none of them. All is in lower case: the list is compared without regard to case.
The same packages give the same file; a test holds the two together.
"""

import gzip
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import django.contrib.auth
from django.conf import settings
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import override
from zxcvbn.frequency_lists import FREQUENCY_LISTS

GERMAN = Path(__file__).parent / "node_modules/@zxcvbn-ts/language-de/dist"

# The default of PORTAL_PASSWORD_MIN_LENGTH; shorter ones are only listed where they were published.
LEAST = 12
# The setting cannot go below.
LEAST_PUBLISHED = 8
MOST = 16

# How many of the most frequent ones count as well-known, with every tail and with the few tails everybody uses.
LEAKED, GERMAN_WORDS = 1_500, 1_000
WELL_KNOWN = 100

# Access, seasons, places, clubs and the keyboard as it is labelled here.
LOCAL = """
passwort kennwort losungswort zugang geheim geheimnis hallo hallowelt willkommen servus gruessgott moin admin
administrator benutzer gast muster mustermann start neuespasswort meinpasswort testpasswort startpasswort
passwort1 ichliebedich liebe schatz schatzi engel sonne sonnenschein stern blume schmetterling regenbogen
qwertz qwertzu qwertzui qwertzuio qwertzuiop asdfgh asdfghj asdfghjk asdfghjkl yxcvbn yxcvbnm abcdef abcdefg
abcdefgh abc abcd qaywsx qaywsxedc 1qaywsx 1qay2wsx fruehling frühling sommer herbst winter spring summer autumn
weihnachten ostern urlaub familie mama papa oma opa kinder hund katze pferd maus hase tiger
computer internet laptop handy telefon drucker email mailbox postfach outlook thunderbird webmail office buero
büro firma arbeit chef sekretariat verwaltung fussball fußball bayern bayernmuenchen borussia dortmund schalke
rapid rapidwien austriawien sturmgraz oesterreich österreich deutschland schweiz austria germany wien vienna graz
linz salzburg innsbruck klagenfurt villach wels dornbirn bregenz eisenstadt stpoelten steiermark kaernten tirol
vorarlberg burgenland berlin hamburg muenchen münchen koeln köln frankfurt stuttgart duesseldorf leipzig dresden
zuerich zürich bern basel
""".split()  # noqa: SIM905 - a list of quoted words nobody would read

YEARS = [str(year) for year in range(1970, 2031)]
ROWS = ["1234567890"[:length] for length in range(1, 11)] + ["4321", "54321", "654321", "123123", "112233"]
SAME = [digit * length for digit in "01456789" for length in range(3, 9)]
MONTHS_AND_MORE = [*(f"{number:02}" for number in range(1, 13)), "123", "1", "!!"]
DATED = [year + more for year in YEARS[53:59] for more in MONTHS_AND_MORE]
TAILS = [*ROWS, *SAME, *DATED, *(tail + mark for tail in (*YEARS, *ROWS[2:6]) for mark in ("", "!", "a"))]
FEW_TAILS = [*ROWS, *YEARS[54:58]]


def german(name: str) -> list[str]:
    """The words of a list of @zxcvbn-ts/language-de, in its order."""
    quoted = re.search(r'"(.+?)"', (GERMAN / f"{name}.json.esm.js").read_text(encoding="utf-8"))
    if quoted is None:
        raise ValueError(f"{name} is no list of words")
    return quoted[1].split(",")


def calendar() -> Iterator[str]:
    """Months and days of the week."""
    for language in ("de", "en"):
        with override(language):
            yield from (str(name).lower() for name in (*MONTHS.values(), *WEEKDAYS.values()))


def spellings(words: Iterable[str]) -> Iterator[str]:
    """Each word, and as it is typed on a keyboard without umlauts."""
    for word in words:
        yield word
        yield re.sub("[äöüß]", lambda found: {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}[found[0]], word)


def words_only(entries: Iterable[str], count: int) -> list[str]:
    """The first of the entries that are letters and at least four."""
    return [entry for entry in entries if entry.isalpha() and len(entry) >= 4][:count]


def with_tails(words: Iterable[str], tails: list[str]) -> Iterator[str]:
    """Each word with each tail."""
    return (word + tail for word in set(spellings(words)) for tail in tails)


def published() -> set[str]:
    """Every leaked password of the two packages."""
    lines = gzip.decompress((Path(django.contrib.auth.__file__).parent / "common-passwords.txt.gz").read_bytes())
    return {entry.strip().lower() for entry in chain(lines.decode().splitlines(), FREQUENCY_LISTS["passwords"])}


def could_be_a_password(entry: str, least: int) -> bool:
    """Whether it keeps the rules in some capitalisation: long enough, two letters of ASCII, a digit."""
    return least <= len(entry) <= MOST and len(re.findall("[a-z]", entry)) >= 2 and bool(re.search("[0-9]", entry))


def build() -> list[str]:
    """The whole list, sorted."""
    leaked = words_only(FREQUENCY_LISTS["passwords"], LEAKED)
    well_known = [*LOCAL, *calendar(), *leaked[:WELL_KNOWN]]
    others = [*leaked, *words_only(german("commonWords"), GERMAN_WORDS), *german("firstnames")]
    made = chain(with_tails(well_known, TAILS), with_tails(others, FEW_TAILS))
    found = {entry for entry in published() if could_be_a_password(entry, LEAST_PUBLISHED)}
    found.update(entry for entry in made if could_be_a_password(entry, LEAST))
    return sorted({entry.casefold() for entry in found})


if __name__ == "__main__":
    settings.configure(USE_I18N=True)
    django.setup()
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write("\n".join(build()) + "\n")
