"""Passwords that keep the rules and are guessed first, German and English.

The list is made by assets/make_common_passwords.py, which says of what; the strength meter reads the same file. Here it
is one piece of memory, searched from its beginning: 0.3 ms a question, where a set of its lines would cost every
process several megabytes.
"""

from pathlib import Path

# A line break before and behind each, so that only whole lines are found.
_LIST = b"\n" + Path(__file__).with_suffix(".txt").read_bytes()


def is_common(password: str) -> bool:
    """Whether the whole password, in any case, is one of those that are guessed first."""
    line = f"\n{password.casefold()}\n".encode(errors="surrogatepass")
    return line.count(b"\n") == 2 and line in _LIST
