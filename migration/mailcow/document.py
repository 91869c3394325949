"""Strict JSON: one reading of a text, or none.

Python's own parser keeps the last of two equal members, takes NaN and guesses UTF-16; each of these lets two
parties read the same reply differently.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 32
"""Levels of nesting; mailcow uses five."""


class Malformed(ValueError):  # noqa: N818
    """Not JSON, or JSON that can be read in two ways."""


def parse(body: bytes) -> Any:
    """The document in `body`. Raises Malformed."""
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_refuse,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise Malformed from None
    _check(document)
    return document


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed
    return members


def _refuse(_constant: str) -> NoReturn:
    raise Malformed


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Malformed
    return number


def _check(document: Any) -> None:
    """Refuse deep nesting, and text that no database takes (NUL, half a surrogate pair)."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        if not level:
            return
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict):
                below += [*value, *value.values()]
            elif isinstance(value, list):
                below += value
        level = below
    raise Malformed


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Malformed
