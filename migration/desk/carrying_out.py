"""How a view carries out a verb: it is done and said so, or said why not."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest

from migration.refusals import VerbRefused


def carry_out(request: HttpRequest, verb: Callable[[], object], done: "str | Callable[[int], str]") -> None:
    """Do it and say so, or say why not. A callable makes the sentence from the verb's number."""
    try:
        result = verb()
    except VerbRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done(result) if callable(done) and isinstance(result, int) else str(done))
