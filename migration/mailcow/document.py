"""Strict JSON: one reading of a text, or none.

Python's own parser keeps the last of two equal members, takes NaN and guesses UTF-16; each of these lets two
parties read the same reply differently.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 32
"""Levels of nesting; mailcow uses five."""


_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Malformed(ValueError):
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
    """Refuse deep nesting, and text with half a surrogate pair, which cannot be encoded again."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        if not level:
            return
        below: list[Any] = []
        for value in level:
            if isinstance(value, str) and _HALF_PAIR.search(value):
                raise Malformed
            if isinstance(value, dict):
                below += [*value, *value.values()]
            elif isinstance(value, list):
                below += value
        level = below
    raise Malformed
