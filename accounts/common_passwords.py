"""Passwords that keep the rules and are guessed first, German and English.

The list is made by assets/make_common_passwords.py, which says of what; the strength meter reads the same file. Here it
is one piece of memory for each beginning of two letters, searched from its start: a set of its lines would cost every
process several megabytes.
"""

from itertools import groupby
from pathlib import Path

# A line break before and behind each, so that only whole lines are found.
_LINES = sorted(Path(__file__).with_suffix(".txt").read_bytes().splitlines())
_BY_BEGINNING = {first: b"\n".join((b"", *lines, b"")) for first, lines in groupby(_LINES, key=lambda line: line[:2])}
del _LINES


def is_common(password: str) -> bool:
    """Whether the whole password, in any case, is one of those that are guessed first."""
    line = password.casefold().encode(errors="surrogatepass")
    return b"\n" not in line and b"\n%b\n" % line in _BY_BEGINNING.get(line[:2], b"")
