"""The catalogues of the pages: `python -m portal.messages compile | update | check`.

compile  writes the .mo files that Django reads; part of every installation, so they are not kept in the repository
update   reads the messages out of code and templates into the catalogues
check    fails when a message is missing, untranslated, unused, or its placeholders differ

No GNU gettext is needed. Messages are written in English; the German catalogue says them in German.
"""

import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "portal" / "locale"
LANGUAGES = ("de",)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

# Context, message, plural.
Message = tuple[str | None, str, str | None]


def catalogue(language: str) -> Path:
    """Where the catalogue of a language is."""
    return CATALOGUES / language / "LC_MESSAGES" / "django.po"


def compile_all() -> None:
    """Write every .mo file anew."""
    for language in LANGUAGES:
        path = catalogue(language)
        polib.pofile(str(path)).save_as_mofile(str(path.with_suffix(".mo")))


def sources() -> Iterator[tuple[Path, str]]:
    """Every file that may hold messages, as Python text; templates are turned into it by Django's own reader."""
    from django.utils.translation.template import templatize  # noqa: PLC0415 - compile must work without it

    for room in ("accounts", "migration", "portal"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path, path.read_text()
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in (".html", ".txt") and "mail" not in path.relative_to(ROOT / "templates").parts:
            # Indentation means nothing in a template and everything to a tokenizer.
            yield path, re.sub(r"(?m)^[ \t]+", "", templatize(path.read_text(), origin=str(path)))


def extract() -> dict[Message, list[tuple[str, str]]]:
    """All messages with the files that use them."""
    from babel.messages.extract import extract_python  # noqa: PLC0415 - dev group only

    found: dict[Message, list[tuple[str, str]]] = {}
    for path, text in sources():
        for _line, keyword, arguments, _comments in extract_python(io.BytesIO(text.encode()), _KEYWORDS, (), {}):
            message = _as_message(str(keyword), [arguments] if isinstance(arguments, str) else arguments)
            if message:
                places = found.setdefault(message, [])
                place = (str(path.relative_to(ROOT)), "")
                if place not in places:
                    places.append(place)
    return found


def _as_message(keyword: str, arguments: Iterable[str | None]) -> Message | None:
    given = [argument for argument in arguments if argument]
    context = given.pop(0) if keyword.lstrip("n").startswith("pgettext") and given else None
    if not given:
        return None
    return context, given[0], given[1] if keyword.startswith("n") and len(given) > 1 else None


def update() -> None:
    """Bring the catalogues in step with the sources; translations stay, what is no longer used goes."""
    found = extract()
    for language in LANGUAGES:
        old = {_key(entry): entry for entry in polib.pofile(str(catalogue(language)))}
        new = polib.POFile(wrapwidth=110)
        new.metadata = polib.pofile(str(catalogue(language))).metadata
        for message in sorted(found, key=lambda message: (found[message][0], message[1])):
            context, text, plural = message
            entry = old.get(message) or polib.POEntry(msgctxt=context, msgid=text)
            if plural and not entry.msgid_plural:
                entry.msgid_plural, entry.msgstr_plural = plural, {0: "", 1: ""}
            entry.occurrences = found[message]
            new.append(entry)
        new.save(str(catalogue(language)))


def complaints(language: str) -> Iterator[str]:
    """What is wrong with a catalogue, a sentence each."""
    found = set(extract())
    entries = {_key(entry): entry for entry in polib.pofile(str(catalogue(language)))}
    for message in found - set(entries):
        yield f"missing: {message[1]!r}; run `make messages`"
    for message in set(entries) - found:
        yield f"not used any more: {message[1]!r}; run `make messages`"
    for message, entry in entries.items():
        translations = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if not all(translations) or entry.fuzzy:
            yield f"not translated: {message[1]!r}"
        for translation in translations:
            wanted = set(_PLACEHOLDER.findall(message[1] + (message[2] or "")))
            if translation and set(_PLACEHOLDER.findall(translation)) - wanted:
                yield f"placeholders differ: {message[1]!r}"


def _key(entry: polib.POEntry) -> Message:
    return entry.msgctxt, entry.msgid, entry.msgid_plural or None


def main(verb: str) -> int:
    """Run one verb; returns the exit code."""
    if verb == "compile":
        compile_all()
    elif verb == "update":
        update()
        compile_all()
    else:
        wrong = [f"{language}: {sentence}" for language in LANGUAGES for sentence in complaints(language)]
        print("\n".join(wrong) or "catalogues complete")  # noqa: T201 - a command's answer
        return 1 if wrong else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["check"]))
