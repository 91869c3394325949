"""What the server says to a password that keeps every rule and is guessed at once all the same.

The server refuses only zxcvbn's score 0, fewer than 1,000 guesses. zxcvbn counts at least 10,000 for everything made of
two parts or more, so score 0 is one single thing: a word with letters replaced, a row, or such a thing repeated. None
of them has sixteen characters, counted without the repetition. That is why zxcvbn is asked about short ones only, and
why it needs no German words: those of twelve letters and more are rare ones. Its time grows steeply with the length
and with signs that could stand for letters, up to half a second for 32 characters.

How strong a password is, and advice for it while it is typed, is said by the browser (static/js/strength.js).
"""

import re

from django.utils.translation import gettext as _
from zxcvbn import zxcvbn
from zxcvbn.matching import add_frequency_lists

# "Aaaaaaaaaaa1" keeps every other rule.
FEWEST_DIFFERENT = 5
LONGEST_ASKED = 15

# zxcvbn puts this list in at every call; if it were not there before, threads would meet a growing dictionary.
add_frequency_lists({"user_inputs": []})


def advice(password: str) -> str:
    """Why the password is guessed at once and what to take instead, or nothing if it is not."""
    repeats = _("Too easy to guess: it repeats itself or counts up. Take several words that do not belong together.")
    if len(set(password.lower())) < FEWEST_DIFFERENT:
        return repeats
    piece = repeated(password)
    patterns = _patterns_of_score_zero(piece)
    if patterns and (piece != password or patterns & {"repeat", "sequence"}):
        return repeats
    if "spatial" in patterns:
        return _("Too easy to guess: the keys lie in a row. Take several words that do not belong together.")
    return _("Too easy to guess. Take several words that do not belong together.") if patterns else ""


def repeated(password: str) -> str:
    """The shortest piece of which the password is a repetition, or the password itself."""
    found = re.fullmatch(r"(.+?)\1+", password, re.DOTALL)
    return found[1] if found else password


def _patterns_of_score_zero(piece: str) -> set[str]:
    if len(piece) > LONGEST_ASKED:
        return set()
    judged = zxcvbn(piece)
    return {match["pattern"] for match in judged["sequence"]} if judged["score"] == 0 else set()
